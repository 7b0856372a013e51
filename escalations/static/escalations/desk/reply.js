// The reply box: what is typed is kept in this browser until it is sent; a reply is sent by a key that means nothing
// else, and what became of it is said beside the box. A form keeps its key until it is sent: sent again it does nothing
// twice.
import { ask, SignedOut, whenSignedIn } from "./ask.js";
import { load, PREFIX, save } from "./drafts.js";
import { number } from "./live.js";
import { visit } from "./visit.js";

const PATIENCE = 60_000;
let watching = null;
// Hides the card of a failed reply whose text is in the box.
let adopt = () => {};

// Of the escalation on the page; `signal` ends it.
export function replies(signal) {
  const form = document.querySelector("form.reply");
  adopt = () => {};
  if (form) box(form, signal);
  listen(signal);
  watch(signal);
  signal.addEventListener("abort", () => clearTimeout(watching));
}

function box(form, signal) {
  const { text, version } = form.elements;
  const key = form.elements.key;
  const said = form.querySelector(".reply__state");
  const count = form.querySelector(".reply__count");
  const buttons = form.querySelectorAll(".reply__actions button");
  const longest = Number(count.dataset.longest);
  const name = `${PREFIX}${document.querySelector("[data-owner]").dataset.owner}:reply`;
  const resolves = form.querySelector("[data-send-resolve]");
  // Not a draft: the key of what is being sent, for a page that is left before the outcome is known.
  const underway = name.replace(PREFIX, "waops-sending:");

  if (resolves) resolves.hidden = false;
  adopt = adopted;
  changed();
  text.addEventListener("input", changed);
  text.addEventListener("restored", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
  });
  resolves?.addEventListener("click", () => send(true));
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
    event.preventDefault();
    send(event.shiftKey && Boolean(resolves));
  });
  canned(form, text);
  resume();

  // As high as what is written, up to a limit of the style sheet.
  function changed() {
    text.style.blockSize = "auto";
    text.style.blockSize = `${text.scrollHeight + 2}px`;
    const left = longest - [...text.value].length;
    count.textContent = left < longest / 8 ? number(left) : "";
    count.toggleAttribute("data-over", left < 0);
    // The browser's own limit would cut off what is pasted without a word.
    text.setCustomValidity(left < 0 ? form.dataset.tooLong : "");
    adopted();
  }

  // One failed reply is shown once: in the box, where it can be changed, or with its button above it.
  function adopted() {
    const { again } = form.elements;
    for (const card of document.querySelectorAll("#reply-states .unsent--failed")) {
      const its = card.querySelector(".outside-block")?.textContent.trim();
      if (!again.value && its && its === text.value.trim()) {
        again.value = card.dataset.reply;
        if (!said.textContent) say(card.dataset.words, "failed");
      }
      card.hidden = again.value === card.dataset.reply && text.value.trim() !== "";
    }
  }

  async function send(thenResolve) {
    if (form.hasAttribute("aria-busy") || !form.reportValidity()) return;
    const sent = text.value;
    busy(true);
    say(form.dataset.sending, "sending");
    save(underway, JSON.stringify({ key: key.value, sent }));
    let answer;
    try {
      answer = await (await post(form.action, new FormData(form))).json();
      if (answer.state === "sending") {
        say(form.dataset.slow, "sending");
        answer = await outcome(answer);
      }
    } catch (error) {
      if (error instanceof SignedOut) {
        busy(false);
        say("", "");
        save(underway, "");
        await whenSignedIn();
        return;
      }
      say(form.dataset.lost, "unknown");
      answer = await outcome({});
    }
    await finish(answer, sent, thenResolve);
  }

  // The page was left while it was being sent.
  async function resume() {
    const { key: before, sent } = JSON.parse(load(underway)?.text ?? "{}");
    if (!before) return;
    key.value = before;
    busy(true);
    say(form.dataset.sending, "sending");
    await finish(await outcome({}), sent, false);
  }

  async function finish(answer, sent, thenResolve) {
    // Without a connection text and key stay: sent again with that key, it is sent once.
    if (answer.state !== "lost") save(underway, "");
    busy(false);
    const isSent = answer.state === "sent" || answer.state === "arrived";
    if (signal.aborted) {
      // Another escalation is on the page by now; only the draft is still this one's.
      if ((isSent || answer.state === "unknown") && load(name)?.text === sent) {
        save(name, "");
        window.dispatchEvent(new StorageEvent("storage", { key: name }));
      }
      return;
    }
    if (!isSent) {
      say(answer.words, answer.state);
      // Failed ones are over: the next try is another one, in place of this.
      if (answer.state === "failed") {
        save(name, text.value);
        renew(answer.reply);
        await show(signal);
      } else if (answer.state === "unknown") {
        clear(sent);
        renew();
        await show(signal);
      } else if (answer.renew || answer.state === "not_sent") {
        renew();
        await show(signal);
      }
      text.focus();
      return;
    }
    clear(sent);
    if (answer.version !== undefined && answer.version !== null) setVersion(answer.version);
    if (thenResolve) {
      const button = document.querySelector('[data-key="resolve-next"]') ?? document.querySelector('[data-key="resolve"]');
      if (button) {
        button.click();
        return;
      }
    }
    if (answer.claimed) {
      text.focus({ preventScroll: true });
      visit(location.href);
      return;
    }
    renew();
    say(answer.words, "sent");
    text.focus();
    await show(signal);
    watch(signal);
  }

  function clear(sent) {
    if (text.value === sent) {
      text.value = "";
      save(name, "");
    }
    changed();
  }

  function busy(is) {
    form.toggleAttribute("aria-busy", is);
    for (const button of buttons) button.disabled = is;
    text.readOnly = is;
  }

  function say(words, state) {
    said.textContent = words;
    said.dataset.state = state;
  }

  // Another reply, or one in place of a reply that failed.
  function renew(again = "") {
    key.value = crypto.randomUUID?.() ?? uuid();
    form.elements.again.value = again;
  }

  function setVersion(value) {
    for (const field of document.querySelectorAll('input[name="version"], button[name="version"]')) field.value = value;
    version.value = value;
  }

  // What became of it, asked for until the app knows.
  async function outcome(first) {
    const address = new URL(form.dataset.replies, location);
    address.searchParams.set("key", key.value);
    for (const begun = Date.now(), pause = { for: 100 }; Date.now() - begun < PATIENCE; pause.for = Math.min(1_000, pause.for * 1.3)) {
      await new Promise((wake) => { setTimeout(wake, pause.for); });
      let answer;
      try {
        answer = await (await fetch(address, { cache: "no-store", redirect: "manual" })).json();
      } catch {
        continue;
      }
      if (answer.state === "") return { state: "refused", words: form.dataset.unsent };
      if (answer.state !== "sending") return { ...first, ...answer, html: undefined };
    }
    return { state: "lost", words: form.dataset.offline };
  }
}

function canned(form, text) {
  const choice = form.querySelector("[data-canned-reply]");
  if (!choice) return;
  choice.hidden = false;
  choice.addEventListener("change", () => {
    const before = text.value.slice(0, text.selectionStart);
    const gap = before && !/\s$/.test(before) ? "\n" : "";
    text.setRangeText(gap + choice.value, text.selectionStart, text.selectionEnd, "end");
    choice.selectedIndex = 0;
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  });
}

// The buttons of replies that failed or are unknown.
function listen(signal) {
  document.getElementById("reply-states").addEventListener("submit", async (event) => {
    event.preventDefault();
    const part = event.target;
    if (part.hasAttribute("aria-busy")) return;
    part.toggleAttribute("aria-busy", true);
    const body = new FormData(part, event.submitter);
    event.submitter?.blur();
    const place = document.querySelector(".reply__state");
    try {
      const answer = await (await post(part.action, body)).json();
      if (place) {
        // While it is being sent, its card says so.
        place.textContent = answer.state === "sending" ? "" : answer.words;
        place.dataset.state = answer.state;
      }
      if (answer.claimed && !signal.aborted) visit(location.href);
    } catch (error) {
      if (error instanceof SignedOut) await whenSignedIn();
    }
    await show(signal);
    watch(signal);
  });
}

function post(address, body) {
  return ask(address, { method: "POST", body, type: "application/json", headers: { Accept: "application/json" } });
}

// While something is being sent, or not read yet, look again.
async function watch(signal) {
  clearTimeout(watching);
  const news = document.querySelector(".unsent, .chat__message--reply") && !document.hidden ? await show(signal) : "later";
  if (news === "none" || signal.aborted) return;
  clearTimeout(watching);
  watching = setTimeout(() => watch(signal), news === "soon" ? 1_000 : 10_000);
}

async function show(signal) {
  let answer;
  const states = document.getElementById("reply-states");
  try {
    answer = await (await ask(states.dataset.replies, { type: "application/json", cache: "no-store" })).json();
  } catch {
    return "later";
  }
  if (signal.aborted) return "none";
  // A button that is about to be pressed stays.
  if (!states.contains(document.activeElement) || answer.html.trim() === "") states.innerHTML = answer.html;
  adopt();
  for (const [message, words] of Object.entries(answer.delivery)) {
    const place = document.querySelector(`[data-message="${CSS.escape(message)}"] .chat__delivery`);
    if (place && place.textContent !== words) place.textContent = words;
  }
  return answer.news;
}

// Where the page has no secure origin, such as a name of the local network.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
