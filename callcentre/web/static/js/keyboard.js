// Shortcuts. A control declares its own: aria-keyshortcuts="1", "n" or "Control+Enter"; pressing them clicks it (a field
// receives the focus). Nothing else to register; replaced fragments just work. `data-shortcut-label` names it in the help.
//
// AZERTY: digits need Shift, so they are matched by place (event.code), letters by what they write (event.key).
// Single keys are silent while typing, in a dialog, with a modifier, on key repeat, and when the user turned them off.
// Nobody sends one form from a field of another: with Control, a button of another form is silent while typing.
// Escape leaves a field of a <form data-escapes="id"> for the element of that id, so that single keys work again.

import { $, $$, focusOn, t } from "./util.js";

const SEPARATOR = /\s+/;

function matches(event, shortcut) {
  const parts = shortcut.split("+");
  const key = parts.pop();
  const control = parts.includes("Control");
  if (control !== (event.ctrlKey || event.metaKey) || event.altKey) return false;
  if (/^\d$/.test(key)) return event.code === `Digit${key}` || event.code === `Numpad${key}`;
  if (key === "?") return event.key === "?";
  return event.key.toLowerCase() === key.toLowerCase() && (control || !event.shiftKey || !/^[a-z]$/i.test(key)); // "/" needs Shift on AZERTY
}

const isTyping = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));

const isOfOtherForm = (element, field) => element.form && isTyping(field) && field.form && field.form !== element.form;

const isShown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

/** Leave the field that is typed in; a list box that is open closes first, by the browser. */
function escape(event) {
  const form = event.key === "Escape" && isTyping(event.target) && event.target.closest("form[data-escapes]");
  if (!form || document.querySelector("dialog[open]")) return false;
  const place = document.getElementById(form.dataset.escapes);
  if (place) focusOn(place);
  else event.target.blur();
  return true;
}

function press(event) {
  if (event.defaultPrevented || event.isComposing || escape(event)) return;
  const single = !(event.ctrlKey || event.metaKey);
  const named = event.key.length > 1; // Enter, Escape, F2…
  if (single && !named && document.documentElement.dataset.singleKeys === "off") return;
  if (single && !(named && event.key.startsWith("F")) && isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?" && single) {
    event.preventDefault();
    return showHelp();
  }
  const target = $$("[aria-keyshortcuts]").find(
    (element) =>
      element.getAttribute("aria-keyshortcuts").split(SEPARATOR).some((shortcut) => matches(event, shortcut)) &&
      !element.disabled &&
      (single || !isOfOtherForm(element, event.target)) &&
      isShown(element),
  );
  if (!target) return;
  event.preventDefault();
  if (event.repeat) return;
  if (target.matches("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select")) target.focus();
  else {
    if (target.matches("input[type=radio], summary, a, button")) target.focus({ preventScroll: true });
    target.click();
  }
}

function keyNames(shortcut) {
  const names = { Control: "Ctrl", Enter: t("Entrée"), Escape: t("Échap") };
  return shortcut.split("+").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

function label(element) {
  const text = element.dataset.shortcutLabel ?? element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent;
  if (text) return text.trim();
  const copy = element.cloneNode(true);
  for (const hint of $$("kbd", copy)) hint.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

function line(list, shortcut, text) {
  const keys = document.createElement("dt");
  for (const name of keyNames(shortcut)) {
    const key = document.createElement("kbd");
    key.className = "key";
    key.textContent = name;
    keys.append(key, " ");
  }
  const meaning = document.createElement("dd");
  meaning.textContent = text;
  list.append(keys, meaning);
}

/** Open the list of the shortcuts that this page has now. */
export function showHelp() {
  const list = $("#shortcuts-list");
  list.replaceChildren();
  for (const element of $$("[aria-keyshortcuts]")) {
    if (isShown(element)) line(list, element.getAttribute("aria-keyshortcuts").split(SEPARATOR)[0], label(element));
  }
  if ($("form[data-escapes]")) line(list, "Escape", t("Quitter le champ et revenir aux touches"));
  line(list, "?", t("Afficher cette aide"));
  $("#shortcuts-dialog").showModal();
}

/** Listen to the keyboard. */
export function watchKeyboard() {
  document.addEventListener("keydown", press);
}
