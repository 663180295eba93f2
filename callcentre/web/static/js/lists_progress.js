// The progress of an import, with what became of its rows and what stopped it; then the report takes its place.

import { $, t } from "./util.js";
import { follow } from "./progress.js";

function show(progress) {
  $("#list-progress-counts").replaceChildren(
    ...progress.counts.map((text) => {
      const chip = document.createElement("li");
      chip.className = "chip";
      chip.textContent = text;
      return chip;
    }),
  );
  $("#list-problem").hidden = !progress.problem;
  if (progress.problem && $("#list-problem-text").textContent !== progress.problem) {
    $("#list-problem-text").textContent = progress.problem;
  }
}

follow($("#list-progress").dataset.url, {
  every: 1_000,
  afterFailure: 4_000,
  parts: {
    bar: $("#list-bar"),
    text: $("#list-progress-text"),
    left: $("#list-progress-left"),
    said: $("#list-progress-said"),
  },
  sentence: (_progress, tenth) => t("Import : %(n)s %", { n: tenth * 10 }),
  lost: t("Connexion coupée : l’import continue, nouvel essai…"),
  show,
});
