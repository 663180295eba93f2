// Stands for the provider's script for the browser: a Device whose calls the test carries (`carry`, exposed to the page).

class Call {
  handlers = {};
  on(event, handler) {
    (this.handlers[event] ??= []).push(handler);
  }
  tell(event) {
    for (const handler of this.handlers[event] ?? []) handler();
  }
  disconnect() {
    this.tell("disconnect");
  }
}

class Device {
  constructor(token) {
    this.token = token;
  }
  async connect({ params }) {
    const call = new Call();
    const rings = await globalThis.carry(this.token, params.attempt);
    setTimeout(() => call.tell(rings ? "ringing" : "error"));
    return call;
  }
  on() {}
  destroy() {}
}

globalThis.Twilio = { Device };
