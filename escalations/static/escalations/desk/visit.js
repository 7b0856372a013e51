// From one escalation to another without loading the page: what differs is fetched and replaced, and the queue next to
// it stays. Whatever leads elsewhere or fails is left to the browser, which then does the same as without this script.
import { reopened, resolved } from "./walk.js";

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const PAGE = new RegExp(`/escalation/${ID}/change/$`);
const ACTION = new RegExp(`/escalation/(${ID})/([a-z-]+)/$`);
const PARTS = ["#act", ".escalation-head", ".escalation-main", ".escalation-side"];

let begin = () => {};
let running = new AbortController();
let asking = new AbortController();
let shown = here();
let leftToBrowser = null;

// `start(signal, isDone)` is called for this page and for each one that is shown in its place; `signal` ends what it
// began, and `isDone` says that an action led here.
export function visits(start) {
  begin = start;
  begin(running.signal, false);
  document.addEventListener("click", follow);
  document.addEventListener("submit", send);
  addEventListener("popstate", () => {
    // Not for a place within the page.
    if (here() !== shown) visit(location.href, { isBack: true });
  });
}

export async function visit(address, { isBack = false } = {}) {
  const answer = await load(address);
  if (answer && assets(answer.page) === assets(document)) show(answer, { isBack });
  else if (answer !== undefined && isBack) location.reload();
  else if (answer !== undefined) location.href = address;
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download") || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  // Places within a conversation have a fragment.
  if (url.origin !== location.origin || !PAGE.test(url.pathname) || url.hash) return;
  event.preventDefault();
  visit(url.href);
}

async function send(event) {
  const { target: form, submitter } = event;
  if (form === leftToBrowser || event.defaultPrevented || form.method !== "post") return;
  const address = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location);
  const [, id, action] = address.origin === location.origin ? ACTION.exec(address.pathname) ?? [] : [];
  if (!id) return;
  event.preventDefault();
  if (form.ariaBusy) return;
  form.ariaBusy = "true";
  const answer = await load(address, { method: "POST", body: new FormData(form, submitter) });
  form.ariaBusy = null;
  if (answer) {
    const { escalation, open } = answer.page.querySelector("[data-looking]").dataset;
    if (action === "resolve" && (escalation !== id || !open)) resolved(id);
    if (action === "reopen") reopened(id);
    show(answer, { isDone: true });
  } else if (answer === null && form.isConnected) {
    // An error, a login page or no answer. Its key and version make sure that nothing is done twice.
    leftToBrowser = form;
    form.requestSubmit(submitter);
    leftToBrowser = null;
  }
}

// The page of an escalation with its address; null if there is another answer or none, undefined if something else was
// asked for in the meantime.
async function load(address, options = {}) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const grid = document.querySelector(".escalation-grid");
  grid.ariaBusy = "true";
  try {
    const answer = await fetch(address, { ...options, signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // With status 409 the page shows what was refused, at the address of the action.
    const isExpected = (answer.ok || answer.status === 409) && PARTS.every((part) => page.querySelector(part));
    return isExpected ? { page, url: answer.ok ? answer.url : location.href } : null;
  } catch {
    return signal.aborted ? undefined : null;
  } finally {
    if (!signal.aborted) grid.ariaBusy = null;
  }
}

function show({ page, url }, { isBack = false, isDone = false }) {
  const isSame = escalationOf(document) === escalationOf(page);
  const { id = "", selectionStart, selectionEnd } = document.activeElement;
  const scrolled = document.querySelector(".talk__scroll:not([data-older])")?.scrollTop ?? 0;
  running.abort();
  running = new AbortController();

  document.title = page.title;
  document.querySelector(".messagelist")?.remove();
  const messages = page.querySelector(".messagelist");
  if (messages) document.getElementById("signed-out").before(messages);
  for (const part of PARTS) document.querySelector(part).replaceWith(page.querySelector(part));
  const { pathname, search } = new URL(url);
  if (!isBack && pathname + search !== shown) history.pushState(null, "", url);
  shown = here();
  document.querySelector('.language-switch [name="next"]').value = shown;
  document.dispatchEvent(new Event("parts-replaced"));
  begin(running.signal, isDone);

  const heading = document.querySelector(".escalation-head h1");
  const focused = isSame && id ? document.getElementById(id) ?? heading : heading;
  focused.focus({ preventScroll: true });
  if (isSame && selectionStart !== undefined) focused.setSelectionRange?.(selectionStart, selectionEnd);
  if (isSame) document.querySelector(".talk__scroll")?.scrollTo(0, scrolled);
  else if (!isBack) scrollTo(0, 0);
  const said = [...(messages?.children ?? []), heading].map((one) => one.textContent.trim());
  document.querySelector("[data-announced]").textContent = said.join(" · ");
}

function escalationOf(page) {
  return page.querySelector("[data-looking]").dataset.escalation;
}

function here() {
  return location.pathname + location.search;
}

// A new version of the app brings other ones: then the page is loaded.
function assets(page) {
  const found = page.querySelectorAll('head :is(script[src], link[rel="stylesheet"])');
  return [...found].map((one) => one.getAttribute("src") ?? one.getAttribute("href")).join(" ");
}
