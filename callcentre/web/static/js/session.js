// The end of a session, before and after: a warning, then a dialog. Nothing typed is lost; what waits is sent once the
// same person has signed in again in another tab. Events on document: "session:restored".

import { $, askSession, say, t, user } from "./util.js";

const WARN_SECONDS = 300;
const CHECK_MS = 60_000;
const WAIT_MS = 3_000;

const channel = new BroadcastChannel("callcentre-session");
let ended = false;
let warned = false;

/** Say that the session ended: opens the dialog and waits for a new sign-in. */
export function sessionEnded() {
  if (ended || !user()) return;
  ended = true;
  $("#expiry-dialog")?.close();
  $("#session-dialog").showModal();
  wait();
}

export const isEnded = () => ended;

async function wait() {
  while (ended) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    await check();
  }
}

async function check() {
  let state;
  try {
    state = await askSession();
  } catch {
    return; // the network is cut: the outbox says so
  }
  if (!state.signed_in) return sessionEnded();
  const other = String(state.user_id) !== user();
  $("#session-other").hidden = !other;
  if (other) return sessionEnded();
  if (ended) {
    ended = false;
    $("#session-dialog").close();
    say(t("De nouveau connecté."));
    document.dispatchEvent(new CustomEvent("session:restored"));
  }
  warn(state.ends_in_seconds);
}

function warn(seconds) {
  const soon = seconds !== null && seconds < WARN_SECONDS;
  if (soon && !warned && !document.querySelector("dialog[open]")) $("#expiry-dialog").showModal();
  warned = soon;
}

async function stay() {
  const { send } = await import("./util.js");
  const answer = await send("/session").catch(() => null);
  if (answer?.status === 401) sessionEnded();
}

/** Watch the session of this page. */
export function watchSession() {
  channel.onmessage = () => check();
  if (!user()) return;
  channel.postMessage("page opened"); // another tab may be waiting for a sign-in
  $("#expiry-stay").closest("form").addEventListener("submit", stay);
  $("#session-open").addEventListener("click", () => ($("#session-other").hidden = true));
  setInterval(check, CHECK_MS);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && check());
}
