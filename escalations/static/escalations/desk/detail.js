// An escalation's page: who else is viewing it, what changed in the meantime, messages as they come, what is typed, keys.
import { ask } from "./ask.js";
import { besides, follow, openQueue } from "./beside.js";
import { chat } from "./chat.js";
import { forgetSent, keep } from "./drafts.js";
import { confirm, keys } from "./keys.js";
import { live } from "./live.js";
import { replies } from "./reply.js";
import { visit, visits } from "./visit.js";
import { closedIn, neighbour, queueAddress } from "./walk.js";

const HEARTBEAT = 10_000;
const AT_WORK = 20 * 60_000;
let activeAt = Date.now();
let shown = "";

for (const kind of ["keydown", "input", "pointerdown", "scroll"]) {
  document.addEventListener(kind, () => { activeAt = Date.now(); }, { capture: true, passive: true });
}
visits(start);

// For the escalation on the page, until `signal` ends it; `isDone` says that an action led here.
function start(signal, isDone) {
  const page = document.querySelector("[data-looking]");
  const { escalation: id, owner, filters, looking } = page.dataset;
  const note = document.querySelector('#close [name="note"]');

  if (id !== shown) document.querySelector('.escalation-tabs [value="talk"]').checked = true;
  shown = id;
  forgetSent();
  for (const form of document.querySelectorAll("form:has([data-draft])")) keep(form, owner, signal);
  replies(signal);
  cannedNotes(note);
  besides(id, isDone);
  const arrive = chat((moment) => {
    for (const field of document.getElementsByName("seen")) field.value = moment;
  }, signal);
  live((desk) => {
    showViewers(desk.viewers[id] ?? []);
    closedIn(desk);
    follow(desk);
    showHolder(desk, page.dataset);
    arrive(desk.newest);
  }, { filters, shown: id, signal });

  const look = () => sayLooking(looking);
  document.addEventListener("visibilitychange", () => {
    activeAt = Date.now();
    if (!document.hidden) look();
  }, { signal });
  look();
  const heartbeat = setInterval(look, HEARTBEAT);
  signal.addEventListener("abort", () => clearInterval(heartbeat));

  keys({
    KeyJ: () => go(id, 1),
    KeyK: () => go(id, -1),
    KeyQ: openQueue,
    KeyU: () => { location.href = queueAddress() ?? document.querySelector("[data-queue]").href; },
    KeyC: () => press("claim"),
    KeyR: () => press("resolve", confirm),
    KeyE: () => press("resolve-next", confirm),
    KeyG: () => press("whatsapp"),
    KeyN: () => focusIn("customer", note),
    KeyW: () => focusIn("talk", document.getElementById("reply-text")),
    KeyS: () => open("snooze"),
    KeyH: () => open("hand-over"),
    Slash: () => { location.href = document.querySelector("[data-queue]").href; },
  }, signal);
  note?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
    event.preventDefault();
    document.querySelector("[data-send-note]")?.click();
  });
}

// Answering in another tab is work on it too, so the claim is extended for a while.
function sayLooking(address) {
  const isActive = Date.now() - activeAt < AT_WORK;
  if (document.hidden && !isActive) return;
  const body = new FormData(document.getElementById("act"));
  if (isActive) body.set("active", "1");
  if (document.hidden) body.set("away", "1");
  ask(address, { method: "POST", body }).catch(() => {});
}

function showViewers(names) {
  const place = document.querySelector(".holder [data-viewers]");
  place.hidden = names.length === 0;
  place.querySelector("bdi").textContent = names.join(", ");
}

// One sentence says how it stands: what the page said of the claim when it was made gives way to it.
function showHolder(desk, { escalation: id, open: isOpen }) {
  const holder = document.querySelector(".holder");
  const changed = holder.querySelector("[data-changed]");
  const { claimant, me } = changed.dataset;
  const [holderId, name] = desk.claims[id] ?? [null, ""];
  const now = holderId === null ? "" : String(holderId);
  let words = "";
  if (id in desk.closed) {
    words = desk.closed[id] ? named(changed.dataset.closed, desk.closed[id]) : changed.dataset.closedOutside;
  } else if (now !== claimant && isOpen) {
    if (now === me) words = id in desk.handed ? named(changed.dataset.handed, desk.handed[id][0]) : changed.dataset.yours;
    else if (now) words = named(changed.dataset.claimed, name);
    else words = claimant === me ? changed.dataset.lapsed : changed.dataset.freed;
  }
  changed.hidden = !words;
  if (words) changed.querySelector("span").textContent = words;
  for (const said of holder.querySelectorAll(".holder__who")) said.hidden = Boolean(words);
}

function named(words, name) {
  return words.replace("{name}", `\u2068${name}\u2069`);
}

function press(name, act = (button) => button.click()) {
  const button = document.querySelector(`[data-key="${name}"]`);
  if (button) act(button);
}

function open(name) {
  const menu = document.querySelector(`[data-key="${name}"]`);
  if (!menu) return;
  const form = menu.popoverTargetElement;
  form.showPopover({ source: menu });
  form.querySelector("button[name], select")?.focus();
}

// Through the queue as it was last seen, past what is closed. From an escalation that was not in it: to the next that
// waits.
function go(id, by) {
  const address = neighbour(id, by);
  if (address) visit(address);
  else if (by > 0) document.querySelector("[data-next]")?.click();
}

// Where conversation and customer are tabs, on the one that has the field.
function focusIn(part, field) {
  if (!field) return;
  document.querySelector(`.escalation-tabs [value="${part}"]`).checked = true;
  field.focus();
}

function cannedNotes(note) {
  const choice = document.querySelector("[data-canned]");
  if (!choice) return;
  choice.closest("[hidden]").hidden = false;
  choice.addEventListener("change", () => {
    note.value = [note.value.trim(), choice.value].filter(Boolean).join("\n");
    note.dispatchEvent(new Event("input", { bubbles: true }));
    choice.selectedIndex = 0;
    note.focus();
  });
}
