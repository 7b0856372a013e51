// The queue's selection: how many rows are ticked, all of a page at once, and no button without any.
const form = document.getElementById("resolve-selected");

if (form) {
  const boxes = [...document.querySelectorAll('input[type="checkbox"][form="resolve-selected"]')];
  const all = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-selected-count]");
  const button = form.querySelector("button");

  const update = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    button.disabled = ticked === 0;
    count.textContent = ticked ? `(${ticked.toLocaleString(document.documentElement.lang)})` : "";
  };

  all.closest("[hidden]").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    update();
  });
  for (const box of boxes) box.addEventListener("change", update);
  // A page that comes back from the history keeps its ticks.
  window.addEventListener("pageshow", update);
}
