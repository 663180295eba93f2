// The progress of an import: asked each second, shown at once, said at each tenth; then the report takes its place.

import { $, around, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

const EVERY_MS = 1_000;
const AFTER_FAILURE_MS = 4_000;

const box = $("#list-progress");
const startedAt = performance.now();
let first = null;
let said = null;

function remaining(done, total) {
  if (first === null || done <= first) {
    first ??= done;
    return "";
  }
  const seconds = Math.ceil((((performance.now() - startedAt) / (done - first)) * (total - done)) / 1000);
  if (seconds < 60) return t("encore %(n)s s environ", { n: seconds });
  return t("encore %(n)s min environ", { n: Math.ceil(seconds / 60) });
}

function show(progress) {
  const bar = $("#list-bar");
  bar.max = progress.total || 1;
  bar.value = progress.done;
  $("#list-progress-text").textContent = progress.text;
  $("#list-progress-left").textContent = remaining(progress.done, progress.total);
  $("#list-progress-counts").replaceChildren(
    ...progress.counts.map((text) => {
      const chip = document.createElement("li");
      chip.className = "chip";
      chip.textContent = text;
      return chip;
    }),
  );
  const tenth = Math.floor(progress.percent / 10);
  if (said !== null && tenth > said) $("#list-progress-said").textContent = t("Import : %(n)s %", { n: tenth * 10 });
  said = tenth;
  $("#list-problem").hidden = !progress.problem;
  if (progress.problem && $("#list-problem-text").textContent !== progress.problem) {
    $("#list-problem-text").textContent = progress.problem;
  }
}

async function ask() {
  let wait = EVERY_MS;
  try {
    const answer = await send(box.dataset.url, { method: "GET" });
    if (answer.status === 401) sessionEnded();
    else if (answer.ok) {
      show(answer.data);
      if (answer.data.location) return location.replace(answer.data.location);
    }
  } catch {
    wait = around(AFTER_FAILURE_MS);
    $("#list-progress-left").textContent = t("Connexion coupée : l’import continue, nouvel essai…");
  }
  setTimeout(ask, wait);
}

setTimeout(ask, EVERY_MS / 4);
