// The form of a new list: sent beside the page, so that a refusal leaves the chosen file and what was typed where they are.

import { $, csrf, focusOn, say, t } from "./util.js";
import { sessionEnded } from "./session.js";

const MEGABYTE = 1024 * 1024;

function isBusy(busy) {
  $("#check").setAttribute("aria-disabled", String(busy));
  $("#checking").textContent = busy ? t("Lecture et vérification en cours…") : "";
}

/** Show the form as the server answered it, with the very file field of this page: it holds the chosen file. */
function showRefusal(html) {
  const answered = new DOMParser().parseFromString(html, "text/html");
  const file = $("#file");
  const fresh = $("#file", answered);
  for (const name of ["aria-invalid", "aria-describedby"]) {
    const value = fresh.getAttribute(name);
    if (value === null) file.removeAttribute(name);
    else file.setAttribute(name, value);
  }
  fresh.replaceWith(file);
  $("#file-again", answered)?.remove();
  $("#list-errors").replaceWith($("#list-errors", answered));
  $("#list-form").replaceWith($("#list-form", answered));
  start();
  focusOn($("#errors"));
}

function showTooLarge(size, largest) {
  const text = t("Ce fichier fait %(size)s Mo : la limite est de %(largest)s Mo. Coupez-le en plusieurs listes.", {
    size: Math.ceil(size / MEGABYTE),
    largest,
  });
  const field = $("#file").closest(".field");
  field.classList.add("invalid");
  $("#file").setAttribute("aria-invalid", "true");
  $("#file").setAttribute("aria-describedby", "file-hint file-error");
  $("#file-error")?.remove();
  const error = document.createElement("p");
  error.className = "error-text";
  error.id = "file-error";
  error.textContent = text;
  field.append(error);
  say(text, { kind: "attention" });
  $("#file").focus();
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  if ($("#check").getAttribute("aria-disabled") === "true") return;
  const file = $("#file").files[0];
  const largest = Number(form.dataset.largest);
  if (file && file.size > largest * MEGABYTE) return showTooLarge(file.size, largest);
  isBusy(true);
  try {
    const headers = { Accept: "application/json", "X-CSRFToken": csrf() };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers });
    const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
    const data = isJson ? await answer.json() : null;
    if (answer.ok && data) return location.assign(data.location);
    if (answer.status === 401) sessionEnded();
    else if (data) say(`${data.error.message} ${data.error.todo}`, { kind: "attention", seconds: 30 });
    else showRefusal(await answer.text());
  } catch {
    say(t("Envoi coupé : rien n’a été importé, le fichier et la date sont gardés ici. Vérifiez à nouveau."), {
      kind: "attention",
      seconds: 30,
    });
  }
  isBusy(false);
}

function start() {
  $("#list-form").addEventListener("submit", submit);
}

start();
