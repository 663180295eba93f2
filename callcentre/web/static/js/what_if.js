// The progress of a simulation, stage by stage; then its report takes its place.

import { $, t } from "./util.js";
import { follow } from "./progress.js";

follow($("#what-if").dataset.url, {
  every: 2_000,
  afterFailure: 5_000,
  parts: { bar: $("#what-if-bar"), text: $("#what-if-text"), left: $("#what-if-left"), said: $("#what-if-said") },
  sentence: (progress) => progress.text,
  lost: t("Connexion coupée : la simulation continue, nouvel essai…"),
});
