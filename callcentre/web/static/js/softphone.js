// The telephone in the browser: the provider's own script, fetched from our server when a call is made.

import { $, send, t } from "./util.js";

const SILENCE = new URL("../silence.wav", import.meta.url).href;
const RINGS_WITHIN = 8000;
const SOUNDS = ["incoming", "outgoing", "disconnect", "dtmfh", "dtmfs", ...Array.from({ length: 10 }, (_, n) => `dtmf${n}`)];
let device = null;

/** Load a script of our own server once. */
function load(address) {
  if (globalThis.Twilio?.Device) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

/** Fail when something takes too long: the provider's script tries for ever when nobody answers. */
function soon(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("late")), RINGS_WITHIN));
  return Promise.race([promise, late]);
}

/** Fail as soon as the provider's script says that it cannot; unheard, it would say so to nobody but the console. */
function fails(source) {
  return new Promise((_, reject) => source.on("error", reject));
}

function rings(call) {
  return new Promise((resolve, reject) => {
    for (const event of ["ringing", "accept"]) call.on(event, resolve);
    for (const event of ["error", "cancel", "reject", "disconnect"]) call.on(event, () => reject(new Error(event)));
  });
}

/** End what is left of a call, so that two telephones never ring at once. */
function close() {
  device?.destroy();
  device = null;
  const button = $("#hang-up");
  if (button) button.hidden = true;
}

/** Call through the browser; true once it rings, false when another way has to be taken. */
export async function callFromBrowser(url) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) return false;
  try {
    const answer = await send(`${url}/softphone`);
    if (!answer.ok) return false;
    await soon(load(answer.data.script));
    close();
    device = new globalThis.Twilio.Device(answer.data.token, {
      closeProtection: t("L’appel passe par ce navigateur : quitter la page le couperait."),
      disableAudioContextSounds: true,
      logLevel: "silent",
      sounds: Object.fromEntries(SOUNDS.map((name) => [name, SILENCE])),
    });
    const broken = fails(device);
    broken.catch(() => {}); // later, when the call rings, its end says enough
    const call = await soon(Promise.race([device.connect({ params: { attempt: answer.data.attempt } }), broken]));
    await soon(Promise.race([rings(call), broken]));
    const button = $("#hang-up");
    button.hidden = false;
    button.onclick = () => call.disconnect();
    call.on("disconnect", close);
    return true;
  } catch {
    close();
    return false;
  }
}
