// An escalation's page: who else is viewing it, what changed in the meantime, messages as they come, what is typed, keys.
import { ask, askPart } from "./ask.js";
import { chat } from "./chat.js";
import { forgetSent, keep } from "./drafts.js";
import { confirm, keys } from "./keys.js";
import { live } from "./live.js";
import { closedIn, neighbour, queueAddress } from "./walk.js";

const HEARTBEAT = 10_000;
const AT_WORK = 20 * 60_000;
const page = document.querySelector("[data-looking]");
const id = page.dataset.case;
const holder = document.querySelector(".holder");
const note = document.querySelector('#close [name="note"]');
let activeAt = Date.now();

forgetSent();
for (const form of page.querySelectorAll("form:has([data-draft])")) keep(form, page.dataset.owner);
cannedNotes();
queuePart();
const arrive = chat((moment) => {
  for (const field of document.getElementsByName("seen")) field.value = moment;
});
live((desk) => {
  const names = desk.viewers[id] ?? [];
  const place = holder.querySelector("[data-viewers]");
  place.hidden = names.length === 0;
  place.querySelector("bdi").textContent = names.join(", ");
  closedIn(desk);
  showHolder(desk);
  arrive(desk.newest);
}, { filters: page.dataset.filters, shown: id });

for (const kind of ["keydown", "input", "pointerdown", "scroll"]) {
  document.addEventListener(kind, () => { activeAt = Date.now(); }, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => {
  activeAt = Date.now();
  if (!document.hidden) look();
});
look();
setInterval(look, HEARTBEAT);

keys({
  KeyJ: () => go(1),
  KeyK: () => go(-1),
  KeyU: () => { location.href = queueAddress() ?? document.querySelector("[data-queue]").href; },
  KeyC: () => press("claim"),
  KeyR: () => press("resolve", confirm),
  KeyE: () => press("resolve-next", confirm),
  KeyG: () => press("whatsapp"),
  KeyN: () => note?.focus(),
  KeyW: () => document.getElementById("reply-text")?.focus(),
  KeyS: () => open("snooze"),
  KeyH: () => open("hand-over"),
  Slash: () => { location.href = document.querySelector("[data-queue]").href; },
});
note?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
  event.preventDefault();
  document.querySelector("[data-send-note]")?.click();
});

// Answering in another tab is work on it too, so the claim is extended for a while.
function look() {
  const isActive = Date.now() - activeAt < AT_WORK;
  if (document.hidden && !isActive) return;
  const body = new FormData(document.getElementById("act"));
  if (isActive) body.set("active", "1");
  if (document.hidden) body.set("away", "1");
  ask(page.dataset.looking, { method: "POST", body }).catch(() => {});
}

// One sentence says how it stands: what the page said of the claim when it was made gives way to it.
function showHolder(desk) {
  const changed = holder.querySelector("[data-changed]");
  const { claimant, me } = changed.dataset;
  const [holderId, name] = desk.claims[id] ?? [null, ""];
  const now = holderId === null ? "" : String(holderId);
  let words = "";
  if (id in desk.closed) {
    words = desk.closed[id] ? named(changed.dataset.closed, desk.closed[id]) : changed.dataset.closedOutside;
  } else if (now !== claimant && page.dataset.open) {
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

// Through the queue as it was last seen, past what is closed; from a case that was not in it, to the next that waits.
function go(by) {
  const address = neighbour(id, by);
  if (address) location.href = address;
  else if (by > 0) document.querySelector("[data-next]")?.click();
}

// On a wide screen the queue as it was last seen stands beside the conversation.
async function queuePart() {
  const place = document.querySelector("[data-queue-part]");
  if (!matchMedia("(min-width: 1280px)").matches) return;
  let part;
  try {
    part = await askPart(queueAddress() ?? document.querySelector("[data-queue]").href, "tr[data-case]");
  } catch {
    return;
  }
  for (const row of part.querySelectorAll("tr[data-case]")) {
    const link = document.createElement("a");
    link.href = row.querySelector(".case__customer a").getAttribute("href");
    if (row.dataset.case === id) link.setAttribute("aria-current", "page");
    for (const [kind, shown] of [["strong", ".case__customer a"], ["span", ".case__wait .wait"], ["span", ".case__message > :first-child"]]) {
      const text = document.createElement(kind);
      text.replaceChildren(...(row.querySelector(shown)?.cloneNode(true).childNodes ?? []));
      text.className = row.querySelector(shown)?.className ?? "";
      link.append(text);
    }
    place.append(link);
  }
  place.hidden = false;
  place.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

function cannedNotes() {
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
