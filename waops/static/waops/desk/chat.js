// Older messages of a conversation come when its beginning scrolls into view. What is read stays where it is.
export function chat() {
  const frame = document.querySelector("[data-messages]");
  const link = frame?.querySelector(".chat__older a");
  if (!link) return;
  const observer = new IntersectionObserver(load, { root: frame, rootMargin: "200px" });
  observer.observe(link);

  async function load([entry]) {
    if (!entry.isIntersecting) return;
    const older = entry.target;
    observer.unobserve(older);
    const address = new URL(frame.dataset.messages, location);
    address.search = new URL(older.href).search;
    const answer = await fetch(address);
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
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

// The day that both pages begin or end with is named once.
function dropSecondDay(list, messages) {
  const day = (item) => item.querySelector("time")?.getAttribute("datetime");
  const first = list.querySelector(":scope > .chat__day");
  const last = messages.filter((item) => item.matches(".chat__day")).at(-1);
  if (first && last && first === list.firstElementChild && day(first) === day(last)) first.remove();
}
