// What must reach the server even when the network or the session is cut: kept in this tab until it is answered.
//
// <form data-outbox …> is sent through it; its hidden `idempotency_key` makes a second arrival count for nothing. Events
// on the form (they bubble): "outbox:waiting" (kept, being retried), "outbox:sent" {status, data}, "outbox:refused"
// {status, data} (409, 422…: shown, never retried). After "outbox:sent" the page goes to `data.location`, if any,
// unless a listener called preventDefault().
//
// Kept in sessionStorage: personal data leaves with the tab, and at sign-out.

import { $, $$, around, askSession, say, send, t, user } from "./util.js";
import { sessionEnded } from "./session.js";

const STORE = `callcentre.outbox.${user()}`;
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);
const LONGEST_MS = 30_000;

let items = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
let sending = false;
let delay = 1_000;
let timer;

export const waiting = () => items.length;

/** Keep something until it is answered. Returns its key. */
export function post({ url, fields, key = crypto.randomUUID(), label = "" }) {
  if (!items.some((item) => item.key === key)) items.push({ url, fields, key, label });
  keep();
  delay = 1_000;
  void flush();
  return key;
}

/** The form that an item came from, if this page still shows that very submission. */
const formOf = (item) =>
  $$("form[data-outbox]").find((form) => form.elements.namedItem("idempotency_key")?.value === item.key);

function keep() {
  if (items.length) sessionStorage.setItem(STORE, JSON.stringify(items));
  else sessionStorage.removeItem(STORE);
}

function show(isStuck) {
  const state = $("#outbox-state");
  state.hidden = !(items.length && isStuck);
  if (state.hidden) return;
  state.textContent =
    items.length === 1
      ? t("1 résultat en attente d’envoi : nouvel essai automatique")
      : t("%(n)s résultats en attente d’envoi : nouvel essai automatique", { n: items.length });
}

/** Try to send what waits, in order. */
export async function flush() {
  if (sending || !items.length) return;
  sending = true;
  clearTimeout(timer);
  try {
    while (items.length && (await deliver(items[0])));
  } finally {
    sending = false;
  }
  show(items.length > 0);
}

/** Returns true when the item left the outbox. */
async function deliver(item, isSecondTry = false) {
  let answer;
  try {
    answer = await send(item.url, { fields: item.fields, headers: { "Idempotency-Key": item.key } });
  } catch {
    return later(item);
  }
  if (answer.status === 401) {
    notify(item, "outbox:waiting", answer);
    sessionEnded(); // flush() follows "session:restored"
    return false;
  }
  if (answer.status === 403 && answer.data.error?.code === "stale_page") {
    const state = await askSession().catch(() => null);
    const same = state?.signed_in && String(state.user_id) === user();
    if (same && !isSecondTry) return deliver(item, true);
    if (!same) sessionEnded();
    return same ? settle(item, "outbox:refused", answer) : false;
  }
  if (RETRIED.has(answer.status)) return later(item);
  return settle(item, answer.ok ? "outbox:sent" : "outbox:refused", answer);
}

function later(item) {
  notify(item, "outbox:waiting", { status: 0, data: {} });
  clearTimeout(timer);
  timer = setTimeout(flush, around(delay));
  delay = Math.min(delay * 2, LONGEST_MS);
  show(true);
  return false;
}

function settle(item, name, answer) {
  items = items.filter((other) => other.key !== item.key);
  keep();
  show(false);
  delay = 1_000;
  const form = formOf(item);
  const goOn = notify(item, name, answer);
  if (name === "outbox:refused") {
    const message = answer.data.error?.message ?? t("L’envoi a été refusé.");
    if (goOn) say(message, { kind: "attention", seconds: 20 });
    if (form) release(form);
  } else if (goOn && answer.data.location && form) {
    location.assign(answer.data.location);
  } else if (!form) {
    say(t("Ce qui attendait a été envoyé : %(label)s", { label: item.label }));
  }
  return true;
}

function notify(item, name, answer) {
  const target = formOf(item) ?? document;
  const detail = { ...answer, key: item.key, label: item.label };
  return target.dispatchEvent(new CustomEvent(name, { bubbles: true, cancelable: true, detail }));
}

function submit(event) {
  const form = event.target;
  if (!form.matches("form[data-outbox]")) return;
  event.preventDefault();
  if (form.dataset.sending === "yes") return; // a second press does nothing
  const key = keyOf(form).value;
  const data = new FormData(form, event.submitter);
  const fields = [...data].filter(([name, value]) => name !== "csrf_token" && typeof value === "string");
  hold(form);
  const url = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
  post({ url, fields, key, label: form.dataset.outbox });
}

function keyOf(form) {
  const known = form.elements.namedItem("idempotency_key");
  if (known?.value) return known;
  const key = known ?? Object.assign(document.createElement("input"), { type: "hidden", name: "idempotency_key" });
  key.value = crypto.randomUUID();
  if (!known) form.append(key);
  return key;
}

function hold(form) {
  form.dataset.sending = "yes";
  form.setAttribute("aria-busy", "true");
  for (const button of $$("button[type=submit]", form)) button.setAttribute("aria-disabled", "true");
}

function release(form) {
  delete form.dataset.sending;
  form.removeAttribute("aria-busy");
  for (const button of $$("button[type=submit]", form)) button.removeAttribute("aria-disabled");
  keyOf(form).value = crypto.randomUUID(); // a corrected body is another submission
}

/** Send the forms that ask for it, and what a reload left waiting. */
export function watchOutbox() {
  document.addEventListener("submit", submit);
  document.addEventListener("session:restored", flush);
  window.addEventListener("online", flush);
  window.addEventListener("beforeunload", (event) => {
    if (items.length && !sending) event.preventDefault();
  });
  for (const form of $$("form[data-clears-outbox]")) {
    form.addEventListener("submit", () => {
      items = [];
      sessionStorage.clear();
    });
  }
  for (const form of items.map(formOf)) if (form) hold(form);
  void flush();
}
