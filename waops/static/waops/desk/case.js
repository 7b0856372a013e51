// A case's page: who else looks at it, what changed meanwhile, older messages on scroll, ready-made notes, keys.
import { chat } from "./chat.js";
import { keys } from "./keys.js";
import { live } from "./live.js";

const HEARTBEAT = 10_000;
const page = document.querySelector("[data-looking]");
const id = page.dataset.case;
const holder = document.querySelector(".holder");
let isActive = true;

chat();
cannedNotes();
live((desk) => {
  const names = desk.viewers[id] ?? [];
  const place = holder.querySelector("[data-viewers]");
  place.hidden = names.length === 0;
  place.querySelector("bdi").textContent = names.join(", ");
  const changed = holder.querySelector("[data-changed]");
  const claimant = desk.claims[id] ?? "";
  if (id in desk.closed) tell(changed, changed.dataset.closed, desk.closed[id]);
  else if (claimant !== changed.dataset.claimant) tell(changed, changed.dataset.claimed, claimant);
  else changed.hidden = true;
});

for (const kind of ["keydown", "pointerdown", "scroll"]) {
  document.addEventListener(kind, () => { isActive = true; }, { capture: true, passive: true });
}
look();
setInterval(look, HEARTBEAT);

keys({
  KeyJ: () => go(1),
  KeyK: () => go(-1),
  KeyU: () => { location.href = queue().address ?? document.querySelector("[data-queue]").href; },
  KeyC: () => press("claim"),
  KeyR: () => press("resolve"),
  KeyE: () => press("resolve-next"),
  Slash: () => { location.href = document.querySelector("[data-queue]").href; },
});

function look() {
  if (document.hidden) return;
  const body = new FormData(document.getElementById("act"));
  if (isActive) body.set("active", "1");
  isActive = false;
  fetch(page.dataset.looking, { method: "POST", body }).catch(() => {});
}

function tell(place, words, name) {
  place.hidden = false;
  place.querySelector("span").textContent = words.replace("{name}", name ? `\u2068${name}\u2069` : "—");
}

function press(name) {
  document.querySelector(`[data-key="${name}"]`)?.click();
}

function queue() {
  return JSON.parse(sessionStorage.getItem("desk-queue") ?? "{}");
}

// Through the queue as it was last seen; from a case that was not in it, to the next one that waits.
function go(by) {
  const cases = queue().cases ?? [];
  const place = cases.findIndex((address) => address.includes(id));
  const address = place < 0 ? undefined : cases[place + by];
  if (address) location.href = address;
  else if (by > 0) document.querySelector("[data-next]")?.click();
}

function cannedNotes() {
  const choice = document.querySelector("[data-canned]");
  if (!choice) return;
  choice.closest("[hidden]").hidden = false;
  choice.addEventListener("change", () => {
    const note = choice.form.elements.note;
    note.value = [note.value.trim(), choice.value].filter(Boolean).join("\n");
    choice.selectedIndex = 0;
    note.focus();
  });
}
