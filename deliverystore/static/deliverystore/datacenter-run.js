/**
 * Shows how far an import or an export is, without a reload. Without this script the
 * page says the same, and has a link to look again.
 */

const FASTEST = 1_000;
const SLOWEST = 15_000;
const SAY_EVERY = 10_000; // what a screen reader reads is not to be endless

const said = document.getElementById("deliverystore-said");
let wait = FASTEST;
let last = "";
let saidAt = 0;

const work = () => document.getElementById("deliverystore-work");

/** Ask the server, show the answer, and come again, more seldom if nothing happens. */
async function look() {
  const url = work()?.dataset.progress;
  if (!url) return;
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (response.redirected || response.status === 403 || response.status === 404) {
      return offerReload(); // logged out, or deleted meanwhile
    }
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const text = await response.text();
    wait = text === last ? Math.min(SLOWEST, wait * 1.5) : FASTEST;
    last = text;
    const facts = JSON.parse(text);
    if (facts.isOver || facts.state !== work().dataset.state) await showAnew(facts);
    else show(facts);
  } catch {
    wait = Math.min(SLOWEST, wait * 2);
  }
  if (work()?.dataset.progress) setTimeout(whenSeen, wait);
}

/** A page that nobody looks at asks nothing. */
function whenSeen() {
  if (!document.hidden) return void look();
  document.addEventListener("visibilitychange", () => look(), { once: true });
}

function show(facts) {
  const root = work();
  for (const place of root.querySelectorAll("[data-live]")) {
    const text = facts.texts[place.dataset.live] ?? "";
    if (place.textContent !== text) place.textContent = text;
  }
  for (const bar of root.querySelectorAll("[data-live-share]")) {
    if (facts.share === null) bar.removeAttribute("value");
    else bar.value = facts.share;
  }
  for (const [name, start, length] of facts.bar) {
    const part = root.querySelector(`[data-live-bar="${name}"]`);
    part?.setAttribute("x", start);
    part?.setAttribute("width", length);
  }
  root.querySelector(".deliverystore-bar")?.setAttribute("aria-label", facts.texts.bar);
  if (Date.now() - saidAt > SAY_EVERY) say(facts);
}

/** The state has changed, and with it what can be done: take the page's new content. */
async function showAnew(facts) {
  const response = await fetch(location.href, { cache: "no-store" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("deliverystore-work");
  if (!fresh) return offerReload();
  const old = work();
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(document.adoptNode(fresh));
  if (focused) {
    const same = focused.id && document.getElementById(focused.id);
    (same || document.getElementById("deliverystore-state"))?.focus({ preventScroll: true });
  }
  say(facts);
}

function say(facts) {
  saidAt = Date.now();
  if (said) said.textContent = `${facts.texts.state}: ${facts.texts.bar}`;
}

function offerReload() {
  document.documentElement.classList.remove("deliverystore-is-live");
  delete work()?.dataset.progress;
}

if (work()?.dataset.progress) {
  document.documentElement.classList.add("deliverystore-is-live");
  setTimeout(whenSeen, FASTEST);
}
