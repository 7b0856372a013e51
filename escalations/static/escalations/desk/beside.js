// The queue beside a conversation: a column on a wide screen, a drawer on a smaller one. It is fetched when it is first
// seen, and again once it is old or something was done; it stays where it was scrolled to.
import { askPart } from "./ask.js";
import { queueAddress } from "./walk.js";

const OLD = 60_000;
const WIDE = matchMedia("(min-width: 1280px) and (min-height: 600px)");
const place = document.querySelector("[data-queue-part]");
const list = place.querySelector("[data-rows]");
let shown = "";
let fetchedAt = 0;
let latest = 0;

place.addEventListener("toggle", async ({ newState }) => {
  if (newState !== "open") return;
  place.hidden = false;
  place.focus();
  await refresh();
  if (place.matches(":popover-open") && document.activeElement === place) (current() ?? rows()[0])?.focus();
});
place.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = rows();
  all[Math.max(0, Math.min(all.indexOf(document.activeElement) + by, all.length - 1))]?.focus();
});
WIDE.addEventListener("change", () => {
  if (place.matches(":popover-open")) place.hidePopover();
  if (WIDE.matches) refresh();
});

// The escalation with this id is on the page now; `isChanged` if something was done.
export function besides(id, isChanged) {
  shown = id;
  if (isChanged) fetchedAt = 0;
  if (place.matches(":popover-open")) place.hidePopover();
  for (const button of document.querySelectorAll(`[popovertarget="${place.id}"]`)) button.hidden = false;
  mark();
  if (WIDE.matches) refresh();
}

// With its key: to the column, or open the drawer.
export function openQueue() {
  const button = document.querySelector(`.escalation-head [popovertarget="${place.id}"]`);
  if (WIDE.matches) (current() ?? rows()[0])?.focus();
  else if (button?.checkVisibility()) place.showPopover({ source: button });
}

// What the live channel tells of it. New rows come when another escalation is opened, so that nothing moves before.
export function follow(desk) {
  if (Object.keys(desk.arrived).length) fetchedAt = 0;
  for (const row of rows()) row.classList.toggle("escalation--gone", row.dataset.escalation in desk.closed);
}

async function refresh() {
  if (Date.now() - fetchedAt < OLD) return;
  const begun = fetchedAt = Date.now();
  let part;
  try {
    part = await askPart(queueAddress() ?? document.querySelector("[data-queue]").href, ".chips");
  } catch {
    fetchedAt = 0;
    return;
  }
  // Something was done in the meantime, and a later answer shows it.
  if (begun < latest) return;
  latest = begun;
  const focused = rows().includes(document.activeElement) ? document.activeElement.dataset.escalation : "";
  list.replaceChildren(...[...part.querySelectorAll("tr[data-escalation]")].map(rowOf));
  place.hidden = false;
  mark();
  if (focused) rows().find((row) => row.dataset.escalation === focused)?.focus({ preventScroll: true });
}

function rowOf(row) {
  const link = document.createElement("a");
  link.href = row.querySelector(".escalation__customer a").getAttribute("href");
  link.dataset.escalation = row.dataset.escalation;
  for (const [kind, from] of [["strong", ".escalation__customer a"], ["span", ".escalation__wait .wait"], ["span", ".escalation__message > :first-child"]]) {
    const text = document.createElement(kind);
    text.replaceChildren(...(row.querySelector(from)?.cloneNode(true).childNodes ?? []));
    text.className = row.querySelector(from)?.className ?? "";
    link.append(text);
  }
  return link;
}

function mark() {
  for (const row of rows()) {
    if (row.dataset.escalation === shown) row.setAttribute("aria-current", "page");
    else row.removeAttribute("aria-current");
  }
  const row = current();
  if (!row || !row.checkVisibility()) return;
  // By hand: scrollIntoView would also move the page.
  const [box, frame] = [row.getBoundingClientRect(), place.getBoundingClientRect()];
  if (box.top < frame.top) place.scrollTop += box.top - frame.top;
  else if (box.bottom > frame.bottom) place.scrollTop += box.bottom - frame.bottom;
}

function rows() {
  return [...list.children];
}

function current() {
  return list.querySelector("[aria-current]");
}
