// The queue's selection: how many rows are ticked, all of a page at once, and no button without any.
export function selection() {
  const form = document.getElementById("bulk");
  if (!form) return;
  const boxes = [...document.querySelectorAll('input[type="checkbox"][form="bulk"]')];
  const all = document.querySelector("[data-select-all]");
  const matching = form.querySelector("[data-all-matching]");
  const count = form.querySelector("[data-selected-count]");
  const buttons = form.querySelectorAll('button[name="action"]');

  const update = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    for (const button of buttons) button.disabled = ticked === 0 && !matching?.checked;
    count.textContent = ticked && !matching?.checked ? ticked.toLocaleString(document.documentElement.lang) : "";
  };

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    update();
  });
  for (const box of [...boxes, matching]) box?.addEventListener("change", update);
  // A page that comes back from the history keeps its ticks.
  window.addEventListener("pageshow", update);
}
