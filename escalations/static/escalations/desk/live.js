// Every page of the desk asks every two seconds what changed: counts, claims, who looks at what, what is closed, what is
// new. A hidden page asks every ten. Nothing on the page moves: what is new is announced, and a mark leads to it.
import { alerts } from "./alerts.js";
import { ask, renewForms, SignedOut, whenSignedIn } from "./ask.js";

const INTERVAL = 2_000;
const UNSEEN = 10_000;

// `filters`: the part of an address that holds the page's filters; `shown`: the id of the escalation that it shows;
// `signal` ends it.
export function live(onChange = () => {}, { filters = "", shown = "", signal } = {}) {
  const title = document.title;
  const panel = document.querySelector("[data-live]");
  if (!panel) return;
  const address = new URL(panel.dataset.live, location);
  address.search = filters;
  if (panel.dataset.since) address.searchParams.set("since", panel.dataset.since);
  if (shown) address.searchParams.set("escalation", shown);
  const state = panel.querySelector(".live__state");
  const tell = alerts(panel, shown);
  let etag = "";
  let session = "";
  let timer;

  const show = (desk) => {
    if (session && session !== desk.session) renewForms();
    session = desk.session;
    address.searchParams.set("since", desk.since);
    for (const place of document.querySelectorAll("[data-count]")) {
      place.textContent = number(desk.counts[place.dataset.count] ?? 0);
    }
    const notices = tell(desk);
    const count = desk.counts.unclaimed ? `(${number(desk.counts.unclaimed)}) ` : "";
    document.title = count + notices.map((words) => `${words} · `).join("") + title;
    onChange(desk);
  };

  const listen = async () => {
    clearTimeout(timer);
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await ask(address, { type: "application/json", cache: "no-store", headers });
      if (answer.status === 200) {
        const desk = await answer.json();
        if (signal?.aborted) return;
        show(desk);
        // Only now: what could not be shown is asked for again.
        etag = answer.headers.get("ETag") ?? "";
      }
      state.textContent = "";
    } catch (error) {
      state.textContent = error instanceof SignedOut ? "" : panel.dataset.lost;
      await whenSignedIn();
    }
    if (signal?.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(listen, document.hidden ? UNSEEN : INTERVAL);
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !timer) return;
    clearTimeout(timer);
    timer = setTimeout(listen, 0);
  }, { signal });
  signal?.addEventListener("abort", () => clearTimeout(timer));
  listen();
}

export function number(value) {
  return value.toLocaleString(document.documentElement.lang === "ar" ? "ar-EG-u-nu-latn" : "en");
}
