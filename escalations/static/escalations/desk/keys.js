// Keys of the desk, by their place on the keyboard, so that they are the same on an Arabic layout.
// `bindings`: function by KeyboardEvent.code. Never while typing, nor with a modifier, nor for a person who has
// switched them off: who speaks to the computer, or misses keys, would press them without meaning to. `signal` ends them.
const help = document.getElementById("keys");

export function keys(bindings, signal) {
  const button = document.querySelector("[data-keys]");
  const isOn = help.querySelector("[data-keys-on]");
  const remembered = `desk-keys-${help.dataset.person}`;
  isOn.checked = localStorage.getItem(remembered) !== "off";
  isOn.addEventListener("change", () => localStorage.setItem(remembered, isOn.checked ? "on" : "off"), { signal });
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (!isOn.checked || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    // The question mark, wherever the layout has it; Arabic's is at the same place as the English one.
    const isHelp = event.key === "?" || (event.code === "Slash" && event.shiftKey);
    const act = isHelp ? () => help.showModal() : !event.shiftKey && bindings[event.code];
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal });
}

// A key that closes something asks first; Enter confirms, Escape does not.
export function confirm(button) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("h2").textContent = button.textContent.trim();
  dialog.onclose = () => {
    if (dialog.returnValue === "yes") button.click();
  };
  dialog.returnValue = "";
  dialog.showModal();
}

function isTyping(target) {
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !["checkbox", "radio", "button", "submit"].includes(target.type);
}
