// The progress of a simulation: asked every two seconds, said at each tenth; then its report takes its place.

import { $, around, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

const EVERY_MS = 2_000;
const AFTER_FAILURE_MS = 5_000;

const box = $("#what-if");
let startedAt = performance.now();
let first = null;
let stage = null;
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
  if (stage !== progress.stage) {
    stage = progress.stage;
    startedAt = performance.now();
    first = said = null;
  }
  const bar = $("#what-if-bar");
  bar.max = progress.total;
  bar.value = progress.done;
  $("#what-if-text").textContent = progress.text;
  $("#what-if-left").textContent = remaining(progress.done, progress.total);
  const tenth = Math.floor(progress.percent / 10);
  if (said !== null && tenth > said) $("#what-if-said").textContent = progress.text;
  said = tenth;
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
    $("#what-if-left").textContent = t("Connexion coupée : la simulation continue, nouvel essai…");
  }
  setTimeout(ask, wait);
}

setTimeout(ask, EVERY_MS / 4);
