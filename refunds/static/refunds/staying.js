// A network that comes and goes: the page says so, waits, and goes on by itself. No press is lost, and none counts twice.
const lost = document.getElementById("lost");
const pressing = document.getElementById("pressing");
const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
const LOOK_AGAIN = 2000;
const PATIENCE = 8000;
const ERRORS_BEFORE_GIVING_UP = 5;
let waiting = null;

async function isThere() {
  try { return (await fetch(lost.dataset.alive, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })).ok; } catch { return false; }
}

async function waitForIt() {
  if (!lost.hidden) return;
  lost.hidden = false;
  while (!(await isThere())) await pause(LOOK_AGAIN);
  lost.hidden = true;
  const todo = waiting;
  waiting = null;
  todo?.();
}

addEventListener("offline", waitForIt);
const lookWhetherItIsThere = async () => { if (!(await isThere())) waitForIt(); };
document.addEventListener("htmx:sendError", lookWhetherItIsThere);
document.addEventListener("htmx:timeout", lookWhetherItIsThere);
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status >= 500) lookWhetherItIsThere(); });

// What is clicked or sent while there is no connection would end on the browser's own error page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (lost.hidden || !link) return;
  event.preventDefault();
  waiting = () => link.click();
}, true);
document.addEventListener("submit", (event) => {
  if (lost.hidden || event.target.matches("[data-press]")) return;
  event.preventDefault();
  event.stopPropagation();
  const { target, submitter } = event;
  waiting = () => target.requestSubmit(submitter);
}, true);

// The press that asks for money: sent again, under the page's own key, until the hub has answered.
async function press(form) {
  const body = new URLSearchParams(new FormData(form));
  for (let errors = 0; errors < ERRORS_BEFORE_GIVING_UP;) {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, signal });
      const next = answer.headers.get("HX-Redirect");
      if (next) return location.replace(next);  // so that Back leads to the order, and asks for nothing
      if (answer.status < 500) break;
      errors += 1;
    } catch { /* no answer: nobody knows yet whether it arrived */ }
    pressing.hidden = false;
    await pause(LOOK_AGAIN);
  }
  return form.submit();  // a question or a refusal is a page of its own, and so is what is wrong with the hub
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-press]") || event.submitter?.hasAttribute("formaction")) return;
  if (event.defaultPrevented) return;
  event.preventDefault();
  press(event.target);
});
