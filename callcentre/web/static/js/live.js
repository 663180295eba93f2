// Live pages: one event stream per browser, whatever the number of tabs, and HTML fragments keyed by element id.
//
// <main data-live="/supervision/events" data-live-fragments="/supervision/live.json"> starts it. The stream sends
//   event: state    {fragments: {id: html}, at: "14:32:05", say: "3 nouveaux rappels"}    or
//   event: changed  {} : each tab then asks data-live-fragments for the same object
//   event: beat     every 15 s · event: bye (session ended) · event: reload (new version: a banner, never a reload)
// with an id: from the database; a new connection sends ?last_event_id=.
//
// #live-badge[data-state] shows live, waiting or off; [data-live-at] the time of the data; [data-live-pause] pauses.

import { $, $$, around, say, send, t } from "./util.js";
import { sessionEnded } from "./session.js";

const WATCHDOG_MS = 40_000;
const POLL_MS = 15_000;
const FAILURES_BEFORE_POLLING = 3;
const SAY_EVERY_MS = 10_000;

let saidAt = 0;
let lastId = "";
let delay = 1_000;
let failures = 0;
let isPaused = false;
let wasLost = false;

/** Replace fragments by id; never the one that holds the focus, never the focus itself; open details stay open. */
export function patch(fragments) {
  for (const [id, html] of Object.entries(fragments ?? {})) {
    const old = document.getElementById(id);
    if (!old || (old.contains(document.activeElement) && document.activeElement !== document.body)) continue;
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const fresh = template.content.firstElementChild;
    if (!fresh || fresh.isEqualNode(old)) continue;
    const open = new Set($$("details[open][id]", old).map((details) => details.id));
    for (const details of $$("details[id]", fresh)) details.open = open.has(details.id);
    const { scrollTop, scrollLeft } = old;
    old.replaceWith(fresh);
    Object.assign(fresh, { scrollTop, scrollLeft });
  }
}

function badge(state, text) {
  const element = $("#live-badge");
  if (!element || element.dataset.state === state) return;
  element.dataset.state = state;
  element.textContent = text;
}

function receive(picture) {
  if (isPaused) return;
  patch(picture.fragments);
  if (picture.at) for (const element of $$("[data-live-at]")) element.textContent = picture.at;
  if (picture.say && Date.now() - saidAt > SAY_EVERY_MS) {
    saidAt = Date.now();
    say(picture.say);
  }
  document.dispatchEvent(new CustomEvent("live:updated", { detail: picture }));
}

function alive() {
  badge("live", t("En direct"));
  if (wasLost) say(t("Connexion rétablie."));
  wasLost = false;
}

function lost() {
  badge("waiting", t("Reconnexion…"));
}

async function refetch(url) {
  try {
    const answer = await send(url, { method: "GET" });
    if (answer.status === 401) return sessionEnded();
    if (answer.ok) {
      receive(answer.data);
      alive();
    }
  } catch {
    wasLost = true;
    badge("off", t("Hors ligne : données figées"));
  }
}

function handle(name, data, fragmentsUrl) {
  if (name === "state") receive(data);
  if (name === "changed" && fragmentsUrl && !isPaused) void refetch(fragmentsUrl);
  if (name === "bye") sessionEnded();
  if (name === "reload") say(t("Une nouvelle version est en service : actualisez la page quand vous voulez."), { seconds: 60 });
  if (name === "lost") lost();
  else alive();
}

function stream(url, emit) {
  let watchdog;
  let source;
  const feed = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(restart, WATCHDOG_MS);
  };
  const restart = () => {
    clearTimeout(watchdog);
    source?.close();
    failures += 1;
    wasLost = true;
    emit("lost", {});
    setTimeout(open, around(delay));
    delay = Math.min(delay * 2, 30_000);
  };
  const open = () => {
    const address = new URL(url, location.href);
    if (lastId) address.searchParams.set("last_event_id", lastId);
    source = new EventSource(address);
    for (const name of ["state", "changed", "beat", "bye", "reload"]) {
      source.addEventListener(name, (event) => {
        lastId = event.lastEventId || lastId;
        delay = 1_000;
        failures = 0;
        feed();
        emit(name, event.data ? JSON.parse(event.data) : {});
      });
    }
    source.onerror = restart; // EventSource gives up on any answer but 200, so we always start anew
    feed();
  };
  document.addEventListener("session:restored", () => {
    delay = 1_000;
  });
  open();
}

/** Follow a stream: one tab of the browser holds it and tells the others. */
export function live(url, fragmentsUrl) {
  const channel = new BroadcastChannel(`callcentre-live ${url}`);
  channel.onmessage = ({ data: [name, data, id] }) => {
    lastId = id || lastId;
    failures = 0;
    handle(name, data, fragmentsUrl);
  };
  void navigator.locks.request(`callcentre-live ${url}`, () => {
    stream(url, (name, data) => {
      channel.postMessage([name, data, lastId]);
      handle(name, data, fragmentsUrl);
    });
    return new Promise(() => {}); // held until this tab closes; the next one then takes over
  });
  if (fragmentsUrl) {
    setInterval(() => {
      if (failures >= FAILURES_BEFORE_POLLING && !isPaused) void refetch(fragmentsUrl);
    }, POLL_MS);
  }
}

/** Start the live page, if this is one. */
export function watchLive() {
  const root = $("[data-live]");
  if (!root) return;
  live(root.dataset.live, root.dataset.liveFragments);
  for (const button of $$("[data-live-pause]")) {
    button.addEventListener("click", () => {
      isPaused = !isPaused;
      button.setAttribute("aria-pressed", String(isPaused));
      if (!isPaused && root.dataset.liveFragments) void refetch(root.dataset.liveFragments);
    });
  }
}
