// A till that is left alone asks for a PIN. Who is there shows it by typing, scanning or touching, in whichever tab.
const button = document.querySelector("[data-lock-after]");
const SEEN = "till-seen";
const LOOK_EVERY = 5000;
const seen = () => localStorage.setItem(SEEN, Date.now());

seen();
for (const sign of ["keydown", "pointerdown", "wheel"]) addEventListener(sign, seen, { capture: true, passive: true });
setInterval(() => {
  if (Date.now() - localStorage.getItem(SEEN) > button.dataset.lockAfter * 1000) button.click();
}, LOOK_EVERY);
