// Started by every page: menus, copying, dialogs, clocks, keyboard, session, outbox, drafts, live fragments.

import { $, $$, focusOn, hour, say, serverNow, t } from "./util.js";
import { showHelp, watchKeyboard } from "./keyboard.js";
import { watchDrafts } from "./autosave.js";
import { watchLive } from "./live.js";
import { watchOutbox } from "./outbox.js";
import { watchSession } from "./session.js";

function watchMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && $("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    $("summary", menu).focus();
  });
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const text = source ? (source.dataset.value ?? source.textContent) : (button.dataset.text ?? "");
  try {
    await navigator.clipboard.writeText(text.trim());
    say(t("Copié."));
  } catch {
    if (source) getSelection().selectAllChildren(source);
    say(t("Copie refusée par le navigateur : le texte est sélectionné, faites Ctrl+C."), { kind: "attention" });
  }
}

function watchButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies], [data-text], [data-opens]");
    if (!button) return;
    if (button.dataset.opens === "shortcuts-dialog") showHelp();
    else if (button.dataset.opens) document.getElementById(button.dataset.opens)?.showModal();
    else void copy(button);
  });
}

const two = (number) => String(number).padStart(2, "0");

/** [data-clock] shows the server's hour; [data-since="2026-…"] counts up in minutes and seconds. */
function tick() {
  const now = serverNow();
  const { lang, dataset } = document.documentElement;
  for (const element of $$("[data-clock]")) {
    const day = now.toLocaleDateString(lang, { weekday: "long", day: "numeric", month: "long", timeZone: dataset.zone });
    element.textContent = `${day}, ${hour(now)}`;
    element.dateTime = now.toISOString();
  }
  for (const element of $$("[data-since]")) {
    const seconds = Math.max(0, Math.floor((now - Date.parse(element.dataset.since)) / 1000));
    const hours = Math.floor(seconds / 3600);
    const text = `${hours ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    if (element.textContent !== text) element.textContent = text;
    const limit = Number(element.dataset.limit ?? 0);
    element.classList.toggle("over", limit > 0 && seconds > limit);
  }
}

/** On a narrow screen the navigation scrolls: the page's own entry is brought into view, the page itself stays. */
function showCurrentEntry() {
  const entry = $(".nav [aria-current]");
  const nav = entry?.closest(".nav");
  if (nav) nav.scrollLeft = entry.offsetLeft - (nav.clientWidth - entry.offsetWidth) / 2;
}

watchMenus();
watchButtons();
watchKeyboard();
watchSession();
watchOutbox();
watchDrafts();
watchLive();
showCurrentEntry();
setInterval(tick, 1_000);
focusOn($("[data-takes-focus]"));
