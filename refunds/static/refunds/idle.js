// A till that is left alone asks for a PIN. Who is there shows it by typing, scanning or touching, in whichever tab.
const button = document.querySelector("[data-lock-after]");
const warning = document.getElementById("locking");
const SEEN = "till-seen";
const TELL_EVERY = 60_000;
const WARN_BEFORE = 20_000;
let told = Date.now();

// The hub is told too, so that what was typed for long is not refused by a hub that saw nobody.
function seen() {
  localStorage.setItem(SEEN, Date.now());
  warning.hidden = true;
  if (Date.now() - told < TELL_EVERY) return;
  told = Date.now();
  fetch(button.dataset.here, { cache: "no-store" }).catch(() => { /* told again with the next sign */ });
}

seen();
for (const sign of ["keydown", "pointerdown", "wheel"]) addEventListener(sign, seen, { capture: true, passive: true });
setInterval(() => {
  const left = button.dataset.lockAfter * 1000 - (Date.now() - localStorage.getItem(SEEN));
  warning.hidden = left > WARN_BEFORE;
  if (left <= 0) button.click();
}, 1000);
