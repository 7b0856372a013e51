// Buttons that copy the text in their data-copy; without script they stay hidden.
function reveal() {
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
}

if (navigator.clipboard) {
  reveal();
  // A page whose parts are replaced has new ones.
  document.addEventListener("parts-replaced", reveal);
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button[data-copy]");
    if (!button) return;
    button.dataset.label ??= button.textContent;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
  });
}
