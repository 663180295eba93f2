// A call exists from the click on: the attempt is recorded first, then the telephone is asked to dial.

import { $, $$, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

const DIAL = "callcentre.dial";

/** Ask the telephone of this machine to dial, as a click on a link would; a demonstration has no number to dial. */
function dial(number) {
  if (!number) return;
  const link = Object.assign(document.createElement("a"), { href: `tel:${number}`, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}

function tell(message) {
  const error = $("#call-error");
  error.textContent = message;
  error.hidden = !message;
}

function started(form, at) {
  const clock = $("#call-clock");
  const digits = $("[data-limit]", clock);
  digits.dataset.since = at;
  digits.textContent = "00:00";
  clock.hidden = false;
  $("#lease").dataset.calling = "yes";
  $("#called-number").value = form.elements.number_id.value;
  for (const element of $$("[data-before-call]")) element.hidden = true;
  const word = $("[data-call-word]", form);
  if (word) word.textContent = word.dataset.again;
  $("button", form).classList.remove("primary");
}

async function call(form) {
  if (form.dataset.busy === "yes") return;
  form.dataset.busy = "yes";
  tell("");
  try {
    const answer = await send(form.action, { fields: [["number_id", form.elements.number_id.value]] });
    if (answer.status === 401) return sessionEnded();
    if (!answer.ok) return tell(answer.data.error?.message ?? t("L’appel n’a pas pu être inscrit."));
    if (form.id !== "main-call") {
      sessionStorage.setItem(DIAL, form.dataset.call); // this number becomes the card's main one
      location.assign("/desk");
      return;
    }
    started(form, answer.data.started_at);
    dial(form.dataset.call);
  } catch {
    tell(t("Connexion coupée : l’appel n’a pas été inscrit. N’appelez pas encore ; réessayez dans un instant."));
  } finally {
    delete form.dataset.busy;
  }
}

/** Record calls as they are made. */
export function watchCalls() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-call]")) return;
    event.preventDefault();
    void call(event.target);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-calls]");
    if (!link) return;
    event.preventDefault();
    void call(document.getElementById(link.dataset.calls));
  });
  const number = sessionStorage.getItem(DIAL);
  if (number) {
    sessionStorage.removeItem(DIAL);
    dial(number);
  }
}
