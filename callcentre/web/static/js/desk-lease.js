// The card stays reserved while it is seen: renewed every half minute, with a warning before the end. A page that nobody
// sees (another tab, a sleeping laptop) renews nothing, and the person goes back to the queue.

import { $, hour, say, send, serverNow, t } from "./util.js";
import { patch } from "./live.js";
import { sessionEnded } from "./session.js";

const WARN_SECONDS = 40;

/** Keep the card of this page, if it shows one. */
export function keepCard() {
  const line = $("#lease");
  if (!line) return;
  const text = $("[data-lease-text]", line);
  const button = $("[data-lease-renew]", line);
  let until = Date.parse(line.dataset.until);
  let lost = false;

  const sending = () => $("#outcome")?.dataset.sending === "yes";

  function lose() {
    lost = true;
    line.hidden = true;
    const banner = $("#lease-lost");
    if (banner) banner.hidden = false;
    say(t("Cette fiche n’est plus réservée pour vous ; votre note est gardée."), { kind: "attention", seconds: 20 });
  }

  async function renew() {
    if (lost || document.hidden || sending()) return;
    try {
      const answer = await send(line.dataset.renew);
      if (answer.status === 401) return sessionEnded();
      if (answer.status === 409 && !sending()) return lose();
      if (!answer.ok) return;
      until = Date.parse(answer.data.until);
      patch(answer.data.fragments);
      show();
    } catch {
      show(); // the network is cut: the warning says how long is left
    }
  }

  function show() {
    const seconds = Math.round((until - serverNow()) / 1000);
    const calling = line.dataset.calling === "yes"; // such a card is never given to anybody else by itself
    const soon = seconds < WARN_SECONDS && !calling;
    line.classList.toggle("soon", soon);
    button.hidden = !soon;
    const words = !soon
      ? t("Réservée jusqu’à %(hour)s", { hour: hour(new Date(until)) })
      : seconds > 0
        ? t("Réservation : encore %(seconds)s s", { seconds })
        : t("Réservation échue");
    if (text.textContent !== words) text.textContent = words;
  }

  button.addEventListener("click", renew);
  document.addEventListener("visibilitychange", renew);
  window.addEventListener("online", renew);
  setInterval(renew, Number(line.dataset.every) * 1000);
  setInterval(() => lost || show(), 1_000);
}
