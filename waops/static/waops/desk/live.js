// One request every ten seconds tells what changed: counts, claims, who looks at what, what is resolved, what is new.
// Nothing on the page moves: new cases are only announced.
import { alerts } from "./alerts.js";

const INTERVAL = 10_000;
const title = document.title;

export function live(onChange = () => {}) {
  const panel = document.querySelector("[data-live]");
  if (!panel) return;
  const address = new URL(panel.dataset.live, location);
  address.searchParams.set("since", panel.dataset.since);
  const state = panel.querySelector(".live__state");
  const announce = alerts(panel);
  let etag = "";
  let arrived = 0;

  const show = (desk) => {
    for (const place of document.querySelectorAll("[data-count]")) {
      place.textContent = number(desk.counts[place.dataset.count] ?? 0);
    }
    document.title = desk.counts.unclaimed ? `(${number(desk.counts.unclaimed)}) ${title}` : title;
    if (desk.arrived > arrived) announce(desk.arrived - arrived);
    arrived = desk.arrived;
    const link = panel.querySelector(".live__new");
    link.hidden = arrived === 0;
    link.querySelector("[data-new-count]").textContent = number(arrived);
    onChange(desk);
  };

  const ask = async () => {
    try {
      const answer = await fetch(address, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") ?? "";
        show(await answer.json());
      } else if (answer.status === 403) {
        state.textContent = panel.dataset.signedOut;
        return;
      } else if (answer.status !== 304) {
        throw new Error(answer.statusText);
      }
      state.textContent = "";
    } catch {
      state.textContent = panel.dataset.lost;
    }
    setTimeout(ask, INTERVAL);
  };
  ask();
}

export function number(value) {
  return value.toLocaleString(document.documentElement.lang === "ar" ? "ar-EG-u-nu-latn" : "en");
}
