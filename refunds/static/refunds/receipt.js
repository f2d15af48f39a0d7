// The paper goes to the printer by itself; every page works without it.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (pressed) { event.preventDefault(); pressed.click(); }
});

// Come back to from another page it would be printed once more, uncounted.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted && "print" in document.body.dataset) window.print();
});
