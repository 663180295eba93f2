// A call exists from the click on: the attempt is recorded first, then the telephone is asked to dial.

import { $, $$, around, send, t } from "./util.js";
import { sessionEnded } from "./session.js";
import { callFromBrowser } from "./softphone.js";

const DIAL = "callcentre.dial";
const ROUTE = "callcentre.route";
const FOLLOW_EVERY = 2000;

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
      sessionStorage.setItem(ROUTE, JSON.stringify(answer.data));
      location.assign("/desk");
      return;
    }
    started(form, answer.data.started_at);
    await ring(answer.data, form.dataset.call);
  } catch {
    tell(t("Connexion coupée : l’appel n’a pas été inscrit. N’appelez pas encore ; réessayez dans un instant."));
  } finally {
    delete form.dataset.busy;
  }
}

/** Show how far the call has come; pre-fill its result, never over a choice that was made. */
function shown(state) {
  const line = $("#call-state");
  line.textContent = state.words ?? "";
  line.hidden = !state.words;
  if (!state.disposition || $("input[name=disposition]:checked")) return;
  const choice = $(`input[name=disposition][value="${CSS.escape(state.disposition)}"]`);
  if (!choice) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Follow a call through the platform until it is over; a cut connection is tried again. */
async function follow(url) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, around(FOLLOW_EVERY)));
    try {
      const answer = await send(url, { method: "GET" });
      if (answer.status === 401) return sessionEnded();
      if (!answer.ok) return;
      shown(answer.data);
      if (answer.data.over) return;
    } catch {
      // the next look will tell
    }
  }
}

/** Call by the first way that works, always under the same attempt: this browser, the officer's telephone, by hand. */
async function ring({ ways, follow: url }, number) {
  if (ways.includes("softphone")) {
    if (await callFromBrowser(url)) return void follow(url);
    tell(t("Le téléphone du navigateur n’a pas répondu : l’appel passe autrement."));
  }
  if (ways.includes("bridge")) return bridge(url, number);
  dial(number);
}

/** Let the platform ring the officer; when it cannot, the number is dialled by hand under the same attempt. */
async function bridge(url, number) {
  const answer = await send(`${url}/bridge`);
  if (!answer.ok) {
    tell(answer.data.error?.message ?? t("L’appel n’a pas pu passer par la plateforme : composez le numéro vous-même."));
    const reason = answer.data.error?.reason;
    if (reason === "said_stop") return;
    return reason === "call_under_way" ? void follow(url) : dial(number);
  }
  shown(answer.data);
  if (answer.data.step === "failed") return dial(number);
  void follow(url);
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
  const number = sessionStorage.getItem(DIAL) ?? "";
  const asked = sessionStorage.getItem(ROUTE);
  sessionStorage.removeItem(DIAL);
  sessionStorage.removeItem(ROUTE);
  const under = $("#call-state[data-follows]");
  if (asked) void ring(JSON.parse(asked), number);
  else if (under) void follow(under.dataset.follows);
  else dial(number);
}
