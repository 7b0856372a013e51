// The queue: its selection, what changes while it is open, its keys.
import { askPart } from "./ask.js";
import { forgetSent } from "./drafts.js";
import { keys } from "./keys.js";
import { live } from "./live.js";
import { selection } from "./selection.js";
import { closedIn, remember } from "./walk.js";

const rows = [...document.querySelectorAll("tr[data-escalation]")];
const links = rows.map((row) => row.querySelector(".escalation__customer a"));
const me = Number(document.querySelector("[data-live]").dataset.me);
const openedAt = new Map(rows.map((row) => [row, row.querySelector("[data-claimant] bdi")?.textContent ?? ""]));

// An escalation's page goes through the queue in this order.
remember(rows.map((row, place) => ({ id: row.dataset.escalation, address: links[place].href })));

forgetSent();
selection();
backToPlace();
offer(document.querySelector("[data-choices]"));
live((desk) => {
  closedIn(desk);
  for (const row of rows) {
    const id = row.dataset.escalation;
    showClaim(row, desk.claims[id] ?? [null, ""]);
    // What was written once stays marked until the page is loaded again.
    if (id in desk.written) row.querySelector("[data-wrote]").hidden = false;
    showNames(row.querySelector("[data-viewers]"), desk.viewers[id]);
    const closed = row.querySelector("[data-closed]");
    if (closed && id in desk.closed && row.querySelector(".escalation__claim [data-claimant]")) {
      closed.hidden = false;
      closed.querySelector("bdi").textContent = desk.closed[id];
      row.classList.add("escalation--gone");
    }
  }
}, { filters: location.search });

keys({
  KeyJ: () => step(1),
  KeyK: () => step(-1),
  KeyO: () => current()?.querySelector(".escalation__customer a").click(),
  KeyC: () => current()?.querySelector("[data-claim]:not([hidden])")?.click(),
  KeyR: () => act("resolve"),
  KeyE: () => act("resolve"),
  Slash: () => {
    const search = document.querySelector('.narrow input[type="search"]');
    search.closest("details").open = true;
    search.focus();
  },
});

// The filters' choices are loaded when someone opens them, and again after a failure; what is chosen by then stays
// chosen.
function offer(filters) {
  if (!filters) return;
  const comings = ["toggle", "pointerover", "focusin"];
  const fetchChoices = async () => {
    for (const coming of comings) filters.removeEventListener(coming, fetchChoices);
    let fetched;
    try {
      fetched = await askPart(filters.dataset.choices, "select");
    } catch {
      listen();
      return;
    }
    for (const select of fetched.querySelectorAll("select")) {
      const shown = document.getElementById(select.id);
      const chosen = shown.value;
      shown.replaceChildren(...select.children);
      shown.value = chosen;
    }
  };
  const listen = () => {
    for (const coming of comings) filters.addEventListener(coming, fetchChoices);
  };
  listen();
}

// After a claim the queue keeps its scroll position, with the focus on the row that was pressed or has taken its place.
function backToPlace() {
  const place = JSON.parse(sessionStorage.getItem("desk-place") ?? "null");
  sessionStorage.removeItem("desk-place");
  if (place?.address === location.href && links.length) {
    const row = rows.find((one) => one.id === place.id) ?? rows[Math.min(place.index, rows.length - 1)];
    row.querySelector(".escalation__customer a").focus({ preventScroll: true });
    scrollBy({ top: row.getBoundingClientRect().top - place.top, behavior: "instant" });
  }
  document.getElementById("act").addEventListener("submit", (event) => {
    const row = event.submitter?.closest("tr[data-escalation]");
    if (!row) return;
    const seen = { address: location.href, id: row.id, index: rows.indexOf(row), top: row.getBoundingClientRect().top };
    sessionStorage.setItem("desk-place", JSON.stringify(seen));
  });
}

function current() {
  return document.activeElement.closest?.("tr[data-escalation]") ?? null;
}

function step(by) {
  let next = rows.indexOf(current()) + by;
  while (rows[next]?.matches(".escalation--gone")) next += by;
  links[Math.max(0, Math.min(next, links.length - 1))]?.focus();
}

function act(name) {
  const row = current();
  const button = document.querySelector(`#bulk button[value="${name}"]`);
  const box = row?.querySelector('input[name="escalation"]');
  if (!box || !button) return;
  for (const other of document.querySelectorAll('input[name="escalation"]')) other.checked = other === box;
  button.disabled = false;
  button.click();
}

function showClaim(row, [holder, name]) {
  const person = row.querySelector("[data-claimant]");
  if (!person || openedAt.get(row) === name) return;
  openedAt.set(row, name);
  person.querySelector("bdi").textContent = name;
  person.classList.toggle("person--me", holder === me);
  person.hidden = !name;
  const button = row.querySelector("[data-claim]");
  if (button) button.hidden = Boolean(name);
}

function showNames(place, names = []) {
  if (!place) return;
  place.hidden = names.length === 0;
  place.querySelector("bdi").textContent = names.join(", ");
}
