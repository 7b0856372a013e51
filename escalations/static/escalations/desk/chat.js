// A conversation: older messages come when its beginning scrolls into view, newer ones when there are any. What is read
// stays where it is; a mark leads to what arrived below. What could not be fetched is tried again after a while.
import { askPart, whenSignedIn } from "./ask.js";
import { number } from "./live.js";

const AGAIN = 10_000;

// Gives a function for the live channel, called with the id of the conversation's newest message. `onRead` is called with
// the moment of the newest message that has been in view; `signal` ends it.
export function chat(onRead, signal) {
  const frame = document.querySelector("[data-messages]");
  // The first message of a conversation: the page has no place for it.
  if (!frame) return (id) => { if (id) document.querySelector("[data-new-messages]").hidden = false; };
  wholeTexts(frame);
  toDay(frame);
  const link = frame.querySelector(".chat__older a");
  if (link) olderMessages(frame, link);
  return newMessages(frame, onRead, signal);
}

function olderMessages(frame, link) {
  const observer = new IntersectionObserver(load, { root: frame, rootMargin: "200px" });
  observer.observe(link);

  async function load([entry]) {
    if (!entry.isIntersecting) return;
    const older = entry.target;
    observer.unobserve(older);
    const address = new URL(frame.dataset.messages, location);
    address.search = new URL(older.href).search;
    let part;
    try {
      part = await askPart(address, "ol.chat");
    } catch {
      await whenSignedIn();
      setTimeout(() => observer.observe(older), AGAIN);
      return;
    }
    const list = frame.querySelector("ol.chat");
    const messages = [...part.querySelectorAll("ol.chat > li")];
    dropSecondDay(list, messages);
    list.prepend(...messages);
    const next = part.querySelector(".chat__older a");
    if (next) {
      older.href = next.getAttribute("href");
      observer.observe(older);
    } else {
      older.parentElement.remove();
    }
  }
}

// The day that the address asks for, or the first one after it. What has a name in the page the browser finds by itself.
function toDay(frame) {
  const day = new URL(location.href).searchParams.get("at");
  if (!day || location.hash) return;
  const days = [...frame.querySelectorAll(".chat__day time")];
  const place = days.find((time) => time.getAttribute("datetime") >= day) ?? days.at(-1);
  if (place) frame.scrollTop += place.getBoundingClientRect().top - frame.getBoundingClientRect().top;
}

// The day that both pages begin or end with is named once.
function dropSecondDay(list, messages) {
  const day = (item) => item.querySelector("time")?.getAttribute("datetime");
  const first = list.querySelector(":scope > .chat__day");
  const last = messages.filter((item) => item.matches(".chat__day")).at(-1);
  if (first && last && first === list.firstElementChild && day(first) === day(last)) first.remove();
}

function newMessages(frame, onRead, signal) {
  const mark = document.querySelector("[data-new-messages]");
  // An older part of the conversation is on the page: the mark leads to the newest.
  const isOlder = "older" in frame.dataset;
  const list = frame.querySelector("ol.chat");
  const unread = new Set();
  let newest = lastId(list);
  let isBusy = false;
  let isLost = false;

  const inView = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting || document.hidden) continue;
      inView.unobserve(target);
      unread.delete(target);
      onRead(target.querySelector("time").getAttribute("datetime"));
    }
    show();
  }, { root: frame, threshold: 0.1 });
  document.addEventListener("visibilitychange", () => {
    for (const item of unread) {
      inView.unobserve(item);
      inView.observe(item);
    }
  }, { signal });
  signal.addEventListener("abort", () => inView.disconnect());
  mark?.addEventListener("click", (event) => {
    if (isOlder) return;
    event.preventDefault();
    [...unread][0]?.scrollIntoView({ block: "nearest" });
    frame.focus({ preventScroll: true });
  });

  function show() {
    if (!mark) return;
    mark.hidden = !isLost && unread.size === 0;
    mark.querySelector("[data-mark-count]").textContent = unread.size ? number(unread.size) : "";
  }

  return async (id) => {
    if (!id || id === newest || isBusy) return;
    if (isOlder) {
      isLost = true;
      show();
      return;
    }
    isBusy = true;
    try {
      const part = await askPart(frame.dataset.messages, "ol.chat");
      add(part);
      newest = id;
    } catch {
      // Asked for again with the next answer of the live channel.
    }
    isBusy = false;
  };

  function add(part) {
    const known = new Set([...list.querySelectorAll("[data-id]")].map((item) => item.dataset.id));
    const days = new Set([...list.querySelectorAll(".chat__day time")].map((day) => day.getAttribute("datetime")));
    const isNew = (item) => item.dataset.id && !known.has(item.dataset.id);
    const items = [...part.querySelectorAll("ol.chat > li")];
    const first = items.findIndex(isNew);
    if (first < 0) return;
    const anchor = topItem(frame);
    const before = anchor?.getBoundingClientRect().top;
    const wasAtEnd = Math.abs(frame.scrollTop) < 2;
    for (const item of items.slice(Math.max(0, first - 1))) {
      const day = item.matches(".chat__day") ? item.querySelector("time").getAttribute("datetime") : null;
      if (day === null ? !isNew(item) : days.has(day)) continue;
      if (day) days.add(day);
      // A run of automatic texts goes on: the longer one takes its place.
      if (item.matches(".chat__message--hold") && list.lastElementChild?.matches(".chat__message--hold")) {
        list.lastElementChild.remove();
      }
      list.append(item);
      if (item.matches(".chat__message--customer")) {
        unread.add(item);
        inView.observe(item);
      }
    }
    wholeTexts(frame);
    // People who read further up stay there.
    if (anchor && !wasAtEnd) frame.scrollTop += anchor.getBoundingClientRect().top - before;
    show();
  }
}

function lastId(list) {
  return [...(list?.querySelectorAll("[data-id]") ?? [])].at(-1)?.dataset.id ?? "";
}

function topItem(frame) {
  const top = frame.getBoundingClientRect().top;
  return [...frame.querySelectorAll("ol.chat > li")].find((item) => item.getBoundingClientRect().bottom > top);
}

// The rest of a text that is too long for a page is loaded on request.
function wholeTexts(frame) {
  for (const link of frame.querySelectorAll("[data-whole]:not([data-ready])")) {
    link.dataset.ready = "";
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      try {
        const part = await askPart(link.href, ".outside-block");
        const shown = link.closest("li").querySelector(".outside-block");
        shown.replaceWith(part.querySelector(".outside-block"));
        link.parentElement.remove();
      } catch {
        location.href = link.href;
      }
    });
  }
}
