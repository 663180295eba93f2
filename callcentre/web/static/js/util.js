// Small things that every module needs: words, the polite status region, requests to our own server, its clock.

const translations = JSON.parse(document.getElementById("messages")?.textContent ?? "{}");

/** A French message in the language of the page; `%(name)s` takes its value. */
export function t(message, values = {}) {
  const text = translations[message] ?? message;
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name] ?? ""));
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** The id of the user of this page, or "". */
export const user = () => document.body.dataset.user ?? "";

/** Say one sentence to everybody: shown in a corner, read once by screen readers. `kind`: "" or "attention". */
export function say(text, { kind = "", seconds = 8 } = {}) {
  const region = $("#toasts");
  const toast = document.createElement("p");
  toast.className = `toast ${kind}`.trim();
  toast.textContent = text;
  region.append(toast);
  while (region.children.length > 3) region.firstElementChild.remove();
  setTimeout(() => toast.remove(), seconds * 1000);
}

const serverStart = Date.parse(document.body.dataset.now ?? "") || Date.now();
const loadedAt = performance.now();

/** The server's time now, which in a demonstration is not the machine's. */
export const serverNow = () => new Date(serverStart + performance.now() - loadedAt);

/** An hour of the operation's zone as it is written: 9 h 05 in French, 09:05 in English. */
export function hour(date) {
  const { lang, dataset } = document.documentElement;
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: dataset.zone };
  const text = date.toLocaleTimeString("en-GB", parts);
  return lang === "fr" ? text.replace(/^0?(\d+):/, "$1\u00a0h\u00a0") : text;
}

export const csrf = () => $('meta[name="csrf-token"]').content;

/** Use a new CSRF token in every form of the page. */
export function setCsrf(token) {
  $('meta[name="csrf-token"]').content = token;
  for (const input of $$('input[name="csrf_token"]')) input.value = token;
}

/** Ask who is signed in now; also renews the CSRF token. Throws when the network is cut. */
export async function askSession() {
  const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
  const state = await answer.json();
  if (state.csrf_token && String(state.user_id ?? "") === user()) setCsrf(state.csrf_token);
  return state;
}

/**
 * Send something to our own server and return {ok, status, data}; throws TypeError when the network is cut.
 * `fields`: an array of [name, value], a FormData, or nothing. The answer is JSON, or text under `data.html`.
 */
export async function send(url, { method = "POST", fields, headers = {}, keepalive = false } = {}) {
  const answer = await fetch(url, {
    method,
    body: fields === undefined ? undefined : new URLSearchParams(fields instanceof FormData ? [...fields] : fields),
    headers: { Accept: "application/json", "X-CSRFToken": csrf(), ...headers },
    cache: "no-store",
    keepalive,
  });
  const text = await answer.text();
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  return { ok: answer.ok, status: answer.status, data: json && text ? JSON.parse(text) : { html: text } };
}

/** Wait this long, give or take 30 %, so that eight browsers do not come back at the same instant. */
export const around = (milliseconds) => milliseconds * (0.7 + 0.6 * Math.random());

/** Move the focus to an element that is not a control, without scrolling more than needed. */
export function focusOn(element) {
  if (!element) return;
  if (!element.hasAttribute("tabindex")) element.tabIndex = -1;
  element.focus();
}
