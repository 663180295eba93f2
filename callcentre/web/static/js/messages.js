// What a text would cost, as it is typed; a quick answer fills the box.

import { $, $$, send } from "./util.js";

const WAIT = 350;

/** Measure the texts that are being written. */
export function watchMessages(root = document) {
  for (const box of $$("textarea[data-measures]", root)) {
    let timer = 0;
    const measure = async () => {
      try {
        const answer = await send("/inbox/measure", { fields: [["body", box.value]] });
        if (answer.ok) document.getElementById(box.dataset.measures).textContent = answer.data.words;
      } catch {
        // without a connection the cost is not shown; the text stays
      }
    };
    box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(measure, WAIT);
    });
    if (box.value) void measure();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fills]");
    if (!button) return;
    const box = document.getElementById(button.dataset.fills);
    box.value = button.dataset.text ?? button.textContent;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  });
}

if ($("[data-measures]")) watchMessages();
