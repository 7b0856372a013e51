// What is typed into an escalation's forms is kept in this browser, per person, escalation and field, until it is sent or
// emptied: whatever page comes in between, also after signing out and in again. A page that says what was done names the
// escalation; only then is what was sent forgotten.
export const PREFIX = "waops-draft:";
const KEPT = 14 * 24 * 3_600_000;

// Fields of the form that have `data-draft`; `owner` is the person and the escalation, `signal` ends it.
export function keep(form, owner, signal) {
  for (const field of form.querySelectorAll("[data-draft]")) {
    const name = `${PREFIX}${owner}:${field.dataset.draft}`;
    const kept = load(name);
    // Sent, but nothing says that it was done: still a draft.
    if (kept?.sent) save(name, kept.text);
    // What the server gave back after a refusal is newer.
    if (kept && !field.value) restore(field, kept.text);
    field.addEventListener("input", () => save(name, field.value));
    window.addEventListener("storage", (event) => {
      // Sent, or written on, in another tab.
      if (event.key === name && document.activeElement !== field) restore(field, load(name)?.text ?? "");
    }, { signal });
    form.addEventListener("submit", () => {
      if (field.value) save(name, field.value, true);
    });
  }
}

// For listeners that lay out the field by its content.
function restore(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("restored"));
}

// At the beginning of every page of the desk.
export function forgetSent() {
  const done = [...document.querySelectorAll(".messagelist [class*='did-']")].flatMap((message) =>
    [...message.classList].filter((name) => name.startsWith("did-")).map((name) => name.slice(4)),
  );
  for (const name of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const draft = load(name);
    const isSent = draft?.sent && done.some((id) => name.includes(id));
    if (isSent || !(draft?.at > Date.now() - KEPT)) localStorage.removeItem(name);
  }
}

export function load(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

export function save(name, text, sent = false) {
  try {
    if (text) localStorage.setItem(name, JSON.stringify({ text, at: Date.now(), sent }));
    else localStorage.removeItem(name);
  } catch {
    // A full or closed store: the text stays on the page.
  }
}
