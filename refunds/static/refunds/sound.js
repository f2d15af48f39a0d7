// A refund that comes to its end is heard as well as read: up for done, down for no, one low note for what is not known yet.
const OFF = "desk-sound-off";
const NOTES = { done: [660, 880], no: [440, 311], unsure: [330] };
const SECONDS = 0.16;
const known = new Map();
let audio = null;

function play(tone) {
  if (localStorage.getItem(OFF) || !(tone in NOTES)) return;
  document.documentElement.dataset.heard = tone;  // for whoever looks whether something was to be heard
  try { audio ??= new AudioContext(); } catch { return; }
  audio.resume();
  NOTES[tone].forEach((hertz, at) => {
    const note = audio.createOscillator();
    const loudness = audio.createGain();
    const starts = audio.currentTime + at * SECONDS;
    note.frequency.value = hertz;
    loudness.gain.setValueAtTime(0.0001, starts);
    loudness.gain.exponentialRampToValueAtTime(0.2, starts + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, starts + SECONDS);
    note.connect(loudness).connect(audio.destination);
    note.start(starts);
    note.stop(starts + SECONDS);
  });
}

function listen() {
  for (const { dataset } of document.querySelectorAll("[data-refund]")) {
    const before = known.get(dataset.refund) ?? ("news" in dataset && !sessionStorage.getItem(dataset.refund) ? "" : dataset.tone);
    known.set(dataset.refund, dataset.tone);
    if (before === dataset.tone) continue;
    sessionStorage.setItem(dataset.refund, "heard");
    play(dataset.tone);
  }
}

document.addEventListener("htmx:afterSettle", listen);
listen();

const button = document.querySelector("[data-sound]");
const show = () => {
  const isOff = Boolean(localStorage.getItem(OFF));
  button.setAttribute("aria-pressed", String(!isOff));
  button.querySelector("[data-on]").hidden = isOff;
  button.querySelector("[data-off]").hidden = !isOff;
};
button?.addEventListener("click", () => {
  if (localStorage.getItem(OFF)) { localStorage.removeItem(OFF); play("done"); } else localStorage.setItem(OFF, "yes");
  show();
});
if (button) { button.hidden = false; show(); }
