// Searching without leaving the card: results open under the bar.

import { $, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

/** Watch the search of the desk's bar. */
export function watchSearch() {
  const form = $("#search-form");
  const results = $("#search-results");
  const close = () => {
    results.hidden = true;
    results.replaceChildren();
    $("#search").focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!$("#search").value.trim()) return;
    try {
      const answer = await send(form.action, { fields: new FormData(form) });
      if (answer.status === 401) return sessionEnded();
      const template = document.createElement("template");
      template.innerHTML = answer.ok ? answer.data.html : "";
      results.replaceChildren(template.content);
    } catch {
      const words = document.createElement("p");
      words.className = "card-body";
      words.textContent = t("Connexion coupée : la recherche n’a pas abouti.");
      results.replaceChildren(words);
    }
    for (const button of results.querySelectorAll("[data-closes]")) button.hidden = false;
    results.hidden = false;
    results.focus();
  });

  results.addEventListener("click", (event) => event.target.closest("[data-closes]") && close());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !results.hidden) close();
  });
}
