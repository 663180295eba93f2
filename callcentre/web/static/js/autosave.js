// Notes are never lost: <form data-autosave="/desk/draft" data-draft="person-42"> keeps a copy in this tab at each key, and
// on the server one second after the last one. [data-autosave-state] says when. Fields to keep carry data-kept.
// On load, a field that the server filled stays; an empty one takes the copy of the tab. On another card of the same
// draft (another data-autosave) only fields with data-kept="always" do: a result is of one call.

import { $, $$, hour, send, serverNow, t, user } from "./util.js";
import { sessionEnded } from "./session.js";

const PAUSE_MS = 1_000;

const storeOf = (form) => `callcentre.draft.${user()}.${form.dataset.draft ?? form.id}`;
const keptFields = (form) => $$("[data-kept]", form);

function values(form) {
  return keptFields(form)
    .filter((field) => !field.matches("[type=checkbox], [type=radio]") || field.checked)
    .map((field) => [field.name, field.value]);
}

function restore(form) {
  const { card, fields = [] } = JSON.parse(sessionStorage.getItem(storeOf(form)) ?? "{}");
  const stays = (field) => card === form.dataset.autosave || field.dataset.kept === "always";
  for (const [name, value] of fields) {
    for (const field of keptFields(form).filter((one) => one.name === name && stays(one))) {
      if (field.matches("[type=checkbox], [type=radio]")) {
        if (field.value === value) field.checked = true;
      } else if (!field.value) field.value = value;
    }
  }
  if (fields.length) form.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
}

async function save(form) {
  const state = $("[data-autosave-state]", form) ?? $("[data-autosave-state]");
  const tell = (text) => state && (state.textContent = text);
  try {
    const answer = await send(form.dataset.autosave, { fields: values(form), keepalive: true });
    if (answer.status === 401) sessionEnded();
    if (answer.ok) tell(t("Brouillon enregistré à %(hour)s", { hour: hour(serverNow()) }));
    else tell(t("Brouillon gardé dans cette page"));
  } catch {
    tell(t("Hors connexion : brouillon gardé dans cette page"));
  }
}

/** Forget the draft of a form, once its content has been received. */
export function forgetDraft(form) {
  clearTimeout(form.autosaveTimer);
  sessionStorage.removeItem(storeOf(form));
}

/** Keep the drafts of the forms that ask for it. */
export function watchDrafts() {
  const mine = `callcentre.draft.${user()}.`;
  for (const key of Object.keys(sessionStorage)) {
    if (user() && key.startsWith("callcentre.draft.") && !key.startsWith(mine)) sessionStorage.removeItem(key);
  }
  for (const form of $$("form[data-autosave]")) restore(form);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-autosave]");
    if (!form || !event.target.matches("[data-kept]")) return;
    const copy = { card: form.dataset.autosave, fields: values(form) };
    sessionStorage.setItem(storeOf(form), JSON.stringify(copy));
    clearTimeout(form.autosaveTimer);
    form.autosaveTimer = setTimeout(() => save(form), PAUSE_MS);
  });
  document.addEventListener("outbox:sent", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.dataset.autosave) forgetDraft(event.target);
  });
}
