// A count beside a link that the page did not wait for. Without it the link stands alone.
import { ask } from "./ask.js";

for (const place of document.querySelectorAll("[data-count-from]")) {
  ask(place.dataset.countFrom, { type: "text/plain" }).then(async (answer) => {
    place.textContent = await answer.text();
    place.hidden = !place.textContent;
  }).catch(() => {});
}
