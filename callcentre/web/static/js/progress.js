// Work that goes on in the server: asked for at intervals, shown at once, said at each tenth; then its result is shown.

import { around, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

// How much longer it takes at the pace so far; it begins anew with each stage.
function pace() {
  let startedAt = performance.now();
  let first = null;
  let stage = null;
  return ({ done, total, stage: current = null }) => {
    if (stage !== current) {
      stage = current;
      startedAt = performance.now();
      first = null;
    }
    if (first === null || done <= first) {
      first ??= done;
      return "";
    }
    const seconds = Math.ceil((((performance.now() - startedAt) / (done - first)) * (total - done)) / 1000);
    if (seconds < 60) return t("encore %(n)s s environ", { n: seconds });
    return t("encore %(n)s min environ", { n: Math.ceil(seconds / 60) });
  };
}

// `parts`: the elements bar, text, left and said. `sentence` gives what a screen reader hears at each tenth, `show` what
// else is to be brought up to date, `lost` what stands while the connection is cut.
export function follow(url, { every, afterFailure, parts, sentence, lost, show = () => {} }) {
  const remaining = pace();
  let said = null;
  let stage = null;

  function update(progress) {
    if (stage !== (progress.stage ?? null)) {
      stage = progress.stage ?? null;
      said = null;
    }
    parts.bar.max = progress.total || 1;
    parts.bar.value = progress.done;
    parts.text.textContent = progress.text;
    parts.left.textContent = remaining(progress);
    const tenth = Math.floor(progress.percent / 10);
    if (said !== null && tenth > said) parts.said.textContent = sentence(progress, tenth);
    said = tenth;
    show(progress);
  }

  async function ask() {
    let wait = every;
    try {
      const answer = await send(url, { method: "GET" });
      if (answer.status === 401) sessionEnded();
      else if (answer.ok) {
        update(answer.data);
        if (answer.data.location) return location.replace(answer.data.location);
      }
    } catch {
      wait = around(afterFailure);
      parts.left.textContent = lost;
    }
    setTimeout(ask, wait);
  }

  setTimeout(ask, every / 4);
}
