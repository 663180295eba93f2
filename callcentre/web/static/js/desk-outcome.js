// The result: a disposition by key or click, its fields in place, errors beside them. Sent through the outbox.

import { $, $$, focusOn, t } from "./util.js";

let lastKey = "";

/** After a disposition was picked (not merely passed over with the arrows), go to its first field. */
function goToFields(form) {
  if (lastKey.startsWith("Arrow")) return;
  const opened = $$(".opens", form).find((part) => part.checkVisibility());
  if (!opened) return;
  const field = $$("input, select", opened).find((one) => one.type !== "radio" || one.name === "callback_choice");
  field?.focus();
}

function clearErrors(form) {
  for (const place of $$("[data-error-for]", form)) {
    place.hidden = true;
    place.textContent = "";
  }
  for (const field of $$("[aria-invalid]", form)) field.removeAttribute("aria-invalid");
}

function showErrors(form, error) {
  clearErrors(form);
  const fields = error.fields ?? { [error.field ?? "disposition"]: error.message };
  let first;
  for (const [name, message] of Object.entries(fields)) {
    const place = $(`[data-error-for="${CSS.escape(name)}"]`, form) ?? $('[data-error-for="disposition"]', form);
    place.textContent = message;
    place.hidden = false;
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLElement && field.matches("input, textarea, select")) field.setAttribute("aria-invalid", "true");
    first ??= field instanceof HTMLElement ? field : document.getElementById(name);
  }
  if (error.offer) offer(form, error.offer);
  focusOn(first ?? $('[data-error-for="disposition"]', form));
}

/** The nearest time that may be promised, as one more choice, the first. */
function offer(form, { value, label }) {
  const times = $("#usual-times", form);
  $("[data-offer]", times)?.remove();
  const choice = document.createElement("label");
  choice.className = "time";
  choice.dataset.offer = "";
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "callback_choice", value });
  radio.dataset.kept = "";
  const words = document.createElement("span");
  words.textContent = t("Le plus proche : %(moment)s", { moment: label });
  choice.append(radio, " ", words);
  times.prepend(choice);
}

/** Watch the form of the result, if this page has one. */
export function watchOutcome() {
  const form = $("#outcome");
  if (!form) return;
  document.addEventListener("keydown", (event) => (lastKey = event.key), true);
  document.addEventListener("pointerdown", () => (lastKey = ""), true);
  form.addEventListener("change", (event) => {
    if (event.target.name === "disposition") goToFields(form);
    choose(form, event.target);
  });
  form.addEventListener("input", (event) => choose(form, event.target));
  form.addEventListener("submit", () => {
    clearTimeout(form.autosaveTimer); // what is sent needs no draft any more
    clearErrors(form);
  });
  form.addEventListener("outbox:refused", (event) => {
    const error = event.detail.data.error;
    if (!error?.message) return;
    event.preventDefault();
    showErrors(form, error);
  });
}

/** Typing a date or picking a slot chooses the line that it belongs to. */
function choose(form, field) {
  const line = field.dataset.chooses;
  if (line && field.value) $(`[name="callback_choice"][value="${line}"]`, form).checked = true;
}
