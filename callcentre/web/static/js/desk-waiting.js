// What passes with time: the minutes to undo a result, somebody who becomes due, a promise in five minutes.

import { $, $$, hour, say, send, serverNow, t } from "./util.js";
import { patch } from "./live.js";
import { sessionEnded } from "./session.js";

const LOOK_MS = 20_000;
const REMIND_MS = 5 * 60_000;
const REMINDED = "callcentre.reminded";

/** Show how long a result may still be undone; the bar goes when the time is over. */
export function countDown() {
  const place = $("[data-countdown]");
  if (!place) return;
  const until = Date.parse(place.dataset.countdown);
  const show = () => {
    const seconds = Math.floor((until - serverNow()) / 1000);
    if (seconds < 0) {
      clearInterval(timer);
      const bar = $("#undo-bar");
      if (bar?.contains(document.activeElement)) $("h1").focus();
      bar?.remove();
      return;
    }
    place.textContent = `(${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")})`;
  };
  const timer = setInterval(show, 1_000);
  show();
}

/** A page without a card looks at the queue by itself; it also says that the officer is there. */
export function lookAgain() {
  const page = $("[data-checks]");
  if (!page) return;
  let waited = $("#waiting")?.dataset.waits;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await send(page.dataset.checks);
      if (answer.status === 401) return sessionEnded();
      if (!answer.ok) return;
      patch(answer.data.fragments);
      const waits = answer.data.waits ? "yes" : "no";
      if (waited === "no" && waits === "yes") say(t("Quelqu’un peut être appelé maintenant."));
      waited = waits;
    } catch {
      // the network is cut: the next look tells
    }
  };
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  void look();
}

/** Five minutes before a promised call, say so once. */
export function remind() {
  const look = () => {
    for (const promise of $$("[data-promise-at]")) {
      const at = new Date(promise.dataset.promiseAt);
      const left = at - serverNow();
      if (left > REMIND_MS || left < -REMIND_MS) continue;
      const text = t("Rappel promis à %(hour)s : %(name)s", { hour: hour(at), name: promise.dataset.promiseName });
      const banner = $("#reminder");
      $(".banner-body", banner).textContent = text;
      banner.hidden = false;
      const said = sessionStorage.getItem(REMINDED) ?? "";
      if (said.includes(promise.dataset.promiseAt)) continue;
      sessionStorage.setItem(REMINDED, `${said} ${promise.dataset.promiseAt}`);
      say(text, { seconds: 20 });
    }
  };
  setInterval(look, 10_000);
  look();
}
