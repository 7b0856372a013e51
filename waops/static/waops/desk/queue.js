// The queue: its selection, what changes while it is open, its keys.
import { keys } from "./keys.js";
import { live } from "./live.js";
import { selection } from "./selection.js";

const rows = [...document.querySelectorAll("tr[data-case]")];
const links = rows.map((row) => row.querySelector(".case__customer a"));
const openedAt = new Map(rows.map((row) => [row, row.querySelector("[data-claimant] bdi")?.textContent ?? ""]));

// A case's page goes through the queue in this order.
sessionStorage.setItem("desk-queue", JSON.stringify({ address: location.href, cases: links.map((link) => link.href) }));

selection();
offer(document.querySelector("[data-choices]"));
live((desk) => {
  for (const row of rows) {
    const id = row.dataset.case;
    showClaim(row, desk.claims[id] ?? "");
    showNames(row.querySelector("[data-viewers]"), desk.viewers[id]);
    const closed = row.querySelector("[data-closed]");
    if (closed && id in desk.closed && row.querySelector(".case__claim [data-claimant]")) {
      closed.hidden = false;
      closed.querySelector("bdi").textContent = desk.closed[id];
      row.classList.add("case--gone");
    }
  }
});

keys({
  KeyJ: () => step(1),
  KeyK: () => step(-1),
  KeyO: () => current()?.querySelector(".case__customer a").click(),
  KeyC: () => current()?.querySelector("[data-claim]:not([hidden])")?.click(),
  KeyR: () => act("resolve"),
  KeyE: () => act("resolve"),
  Slash: () => {
    const search = document.querySelector('.narrow input[type="search"]');
    search.closest("details").open = true;
    search.focus();
  },
});

// What the filters offer is fetched when somebody goes to them; what is chosen by then stays chosen.
function offer(filters) {
  if (!filters) return;
  const comings = ["toggle", "pointerover", "focusin"];
  const fetchChoices = async () => {
    for (const coming of comings) filters.removeEventListener(coming, fetchChoices);
    const response = await fetch(filters.dataset.choices);
    if (!response.ok || response.redirected) return;
    const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const select of fetched.querySelectorAll("select")) {
      const shown = document.getElementById(select.id);
      const chosen = shown.value;
      shown.replaceChildren(...select.children);
      shown.value = chosen;
    }
  };
  for (const coming of comings) filters.addEventListener(coming, fetchChoices);
}

function current() {
  return document.activeElement.closest?.("tr[data-case]") ?? null;
}

function step(by) {
  const next = rows.indexOf(current()) + by;
  links[Math.max(0, Math.min(next, links.length - 1))]?.focus();
}

function act(name) {
  const row = current();
  const button = document.querySelector(`#bulk button[value="${name}"]`);
  const box = row?.querySelector('input[name="case"]');
  if (!box || !button) return;
  for (const other of document.querySelectorAll('input[name="case"]')) other.checked = other === box;
  button.disabled = false;
  button.click();
}

function showClaim(row, name) {
  const person = row.querySelector("[data-claimant]");
  if (!person || openedAt.get(row) === name) return;
  openedAt.set(row, name);
  person.querySelector("bdi").textContent = name;
  person.hidden = !name;
  const button = row.querySelector("[data-claim]");
  if (button) button.hidden = Boolean(name);
}

function showNames(place, names = []) {
  if (!place) return;
  place.hidden = names.length === 0;
  place.querySelector("bdi").textContent = names.join(", ");
}
