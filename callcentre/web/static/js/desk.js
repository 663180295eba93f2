// The desk: started by its pages. The card is kept while it is seen, calls are recorded before they are made, results go
// through the outbox, and a page that waits looks again by itself.

import { $, $$, focusOn } from "./util.js";
import { keepCard } from "./desk-lease.js";
import { watchCalls } from "./desk-call.js";
import { watchOutcome } from "./desk-outcome.js";
import { watchSearch } from "./desk-search.js";
import { countDown, lookAgain, remind } from "./desk-waiting.js";

/** One sentence for screen readers, written after the page is there so that it is read. */
function announce() {
  const status = $("#desk-status");
  const text = status.dataset.says.trim();
  if (text) setTimeout(() => (status.textContent = text), 150);
}

/** Sections that the officer closed stay closed on the next card. */
function rememberSections() {
  for (const section of $$("details[data-remembers]")) {
    const store = `callcentre.section.${section.id}`;
    const kept = localStorage.getItem(store);
    if (kept !== null) section.open = kept === "open";
    section.addEventListener("toggle", () => localStorage.setItem(store, section.open ? "open" : "closed"));
  }
}

/** A menu that opens takes the focus, so that its choices follow on the keyboard. */
function watchMenuFocus() {
  for (const menu of $$(".desk-bar details.menu")) {
    menu.addEventListener("toggle", () => {
      if (menu.open) focusOn($("input:checked, button, a", $(".menu-panel", menu)));
    });
  }
}

rememberSections();
watchMenuFocus();
keepCard();
watchCalls();
watchOutcome();
watchSearch();
countDown();
lookAgain();
remind();
announce();
