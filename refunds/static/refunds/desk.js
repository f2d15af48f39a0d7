// What makes the desk pleasant at a till; every page works without it.
"use strict";

const byKey = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);
const lists = () => [...document.querySelectorAll("[data-arrows] :is(a, button)")];

// A miss keeps the text selected, so that the next scan replaces it.
document.querySelector("[data-select]")?.select();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const typing = event.target.matches?.("select, textarea, input:not(#q)");
    const choices = lists();
    if (typing || !choices.length) return;
    const at = choices.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    (choices[next] ?? (next < 0 ? document.querySelector("#q") : null))?.focus();
    event.preventDefault();
    return;
  }
  if (event.key === "Escape") {
    const menu = document.querySelector(".me[open]");
    const field = document.querySelector("#q");
    if (menu) menu.open = false;
    else if (field) { field.focus(); field.select(); }
    else byKey("Escape")?.click();
    return;
  }
  const pressed = event.repeat ? null : byKey(event.key);
  if (pressed) { event.preventDefault(); pressed.click(); }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.fill) {
    const field = document.getElementById(button.dataset.fill);
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  }
  if (button && "print" in button.dataset) window.print();
});

// "Go on" waits for an amount and a reason; the words for "other" are asked for only then.
for (const form of document.querySelectorAll("[data-complete]")) {
  const check = () => {
    const reason = form.elements.reason.value;
    form.elements.reason_text.required = reason === "other";
    form.querySelector("button.primary").disabled = !form.elements.amount.value.trim() || !reason;
  };
  form.addEventListener("input", check);
  check();
}

// The first press counts; the page's key makes sure of it where there is no script.
document.addEventListener("submit", (event) => {
  if (!("once" in event.target.dataset)) return;
  if (event.target.dataset.pressed) { event.preventDefault(); return; }
  event.target.dataset.pressed = "yes";
  setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
