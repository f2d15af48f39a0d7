// What makes the desk pleasant at a till; every page works without it.
"use strict";

const byKey = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);
const choicesOf = (list) => [...list.querySelectorAll("a, button:not(.inline), [type=checkbox]")];
const isText = (element) => element.matches?.("select, textarea, input:not([type=radio], [type=checkbox])");

// A miss keeps the text selected, so that the next scan replaces it.
document.querySelector("[data-select]")?.select();

function move(event) {
  if (isText(event.target) && event.target.id !== "q") return;
  const list = event.target.closest("[data-arrows]") ?? document.querySelector("main [data-arrows]");
  if (!list || event.target.matches("[type=radio]")) return;
  const choices = choicesOf(list);
  const at = choices.indexOf(document.activeElement);
  const next = event.key === "ArrowDown" ? at + 1 : at - 1;
  (choices[next] ?? (next < 0 ? document.querySelector("#q") : null))?.focus();
  event.preventDefault();
}

function leave(from) {
  const menu = document.querySelector(".me[open]");
  const field = document.querySelector("#q");
  if (isText(from) && from.value && !["q", "amount"].includes(from.id)) from.blur();  // what is written there is not thrown away
  else if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  else if (field) { field.focus(); field.select(); }
  else byKey("Escape")?.click();
}

// A digit chooses a reason; on goods of which one may choose fewer it says how many.
function digit(key, target) {
  const howMany = target.matches("[type=checkbox]") && target.closest("li").querySelector("[type=number]");
  if (howMany) {
    const wanted = Number(key);
    if (wanted < 1 || wanted > Number(howMany.max)) return;
    howMany.value = wanted;
    target.checked = true;
    howMany.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  const reason = target.closest("[data-complete]")?.querySelector(`[data-digit="${key}"]`);
  if (!reason) return;
  reason.focus();
  reason.click();
}

// Enter in a form that lacks something goes to what it lacks; where nothing is lacking it goes on.
function goOn({ form, type }) {
  if (type === "button" || !form || !("complete" in form.dataset) || !form.querySelector("button.primary").disabled) return false;
  const { amount, reason } = form.elements;
  (amount.value.trim() ? reason[0] : amount).focus();
  return true;
}

// A scanner types faster than anybody, and ends with Enter. Outside a text field that presses nothing and chooses nothing: a
// digit waits for a moment whether more come. Where nothing is unfinished what was scanned is searched for.
const BETWEEN_KEYS = 80;
const SHORTEST_SCAN = 4;
let scan = { text: "", at: 0 };
let digitWaits = null;

function chooseNow() {
  if (!digitWaits) return;
  clearTimeout(digitWaits.timer);
  const { key, target } = digitWaits;
  digitWaits = null;
  digit(key, target);
}

function chooseSoon(key, target) {
  digitWaits = { key, target, timer: setTimeout(chooseNow, BETWEEN_KEYS) };
}

// What the key adds to, or ends: the text that came without a pause before it.
function scanned(event) {
  const isNext = event.timeStamp - scan.at < BETWEEN_KEYS;
  scan = { text: isNext ? scan.text : "", at: event.timeStamp };
  if (event.key === "Enter") { const { text } = scan; scan.text = ""; return text; }
  if (event.key.length !== 1) return "";
  if (isNext && digitWaits) { clearTimeout(digitWaits.timer); digitWaits = null; }
  scan.text += event.key;
  return "";
}

function search(text) {
  const field = document.querySelector("#q");
  const texts = [...document.querySelectorAll("textarea, input:not([type=hidden])")].filter(isText);
  if (field) { field.value = text; field.form.requestSubmit(); }
  else if (!document.querySelector("[data-complete], [data-press]") && !texts.some((each) => each.value)) {
    const find = document.querySelector("a[data-find]");
    if (find) location.assign(`${find.href}?q=${encodeURIComponent(text)}`);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.target.closest("dialog")) return;
  if (event.key === "Enter" && event.repeat) return event.preventDefault();  // held down, it would confirm the next page
  if (!isText(event.target)) {
    const text = scanned(event);
    if (text.length >= SHORTEST_SCAN) { event.preventDefault(); return search(text); }
    if (/^[1-9]$/.test(event.key) && scan.text.length === 1) return chooseSoon(event.key, event.target);
    if (event.key.length > 1) chooseNow();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return move(event);
  if (event.key === "Escape") return leave(event.target);
  if (event.key === "Enter" && goOn(event.target)) return event.preventDefault();
  const pressed = event.repeat ? null : byKey(event.key);
  if (pressed) { event.preventDefault(); pressed.click(); }
});

const fill = (field, value) => {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.fill) {
    fill(document.getElementById(button.dataset.fill), button.dataset.value);
    document.querySelector(`[name="${button.dataset.then}"]`)?.focus();
  }
  if (button.dataset.focus) document.querySelector(button.dataset.focus)?.focus();
  if ("print" in button.dataset) window.print();
});

// What ticked goods come to stands in the amount's field, where it can still be changed.
document.addEventListener("fill-amount", (event) => {
  const field = document.getElementById("amount");
  if (!field) return;
  field.value = event.detail.amount;
  field.form.dispatchEvent(new Event("input"));
});

// To say how many is to choose them.
document.addEventListener("input", (event) => {
  if (!event.target.matches(".goods [type=number]")) return;
  event.target.closest("li").querySelector("[type=checkbox]").checked = true;
});

// Until the sum of other goods is back there is no amount, so that Enter goes on with no older one.
document.addEventListener("change", (event) => {
  if (!event.target.matches(".goods input")) return;
  const field = document.getElementById("amount");
  field.value = "";
  field.form.dispatchEvent(new Event("input"));
});

// "Go on" waits for an amount and a reason; words are asked for only where the reason needs them.
for (const form of document.querySelectorAll("[data-complete]")) {
  const check = () => {
    const reason = form.elements.reason.value;
    form.elements.reason_text.required = form.querySelector("[data-words]:checked") !== null;
    form.querySelector("button.primary").disabled = !form.elements.amount.value.trim() || !reason;
  };
  form.addEventListener("input", check);
  check();
}

// How long ago Vipps confirmed something keeps counting.
setInterval(() => {
  for (const age of document.querySelectorAll("[data-ago]")) {
    age.dataset.since ??= Date.now() - 1000 * parseInt(age.textContent, 10);
    const seconds = Math.round((Date.now() - age.dataset.since) / 1000);
    age.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  }
}, 1000);

// The first press counts; the page's key makes sure of it where there is no script.
document.addEventListener("submit", (event) => {
  if (!("once" in event.target.dataset)) return;
  if (event.target.dataset.pressed) { event.preventDefault(); return; }
  event.target.dataset.pressed = "yes";
  setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
