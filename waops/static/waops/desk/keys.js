// Keys of the desk, by their place on the keyboard, so that they are the same on an Arabic layout.
// `bindings`: function by KeyboardEvent.code. Never while somebody types, nor with a modifier.
export function keys(bindings) {
  const help = document.getElementById("keys");
  const button = document.querySelector("[data-keys]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const act = event.code === "Slash" && event.shiftKey ? () => help.showModal() : bindings[event.code];
    if (!act || (event.shiftKey && event.code !== "Slash")) return;
    event.preventDefault();
    act();
  });
}

function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !["checkbox", "radio", "button", "submit"].includes(target.type);
}
