// The list of businesses: how many are ticked, and all of the page at once. Without this, ticking one by one works.
const form = document.getElementById("changelist-form");
const all = form?.querySelector("[data-tick-all]");
if (all) {
  const boxes = [...form.querySelectorAll('input[name="id"]')];
  const count = document.querySelector("[data-ticked]");

  const update = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    count.textContent = ticked || "";
  };

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    update();
  });
  for (const box of boxes) box.addEventListener("change", update);
  // A page that comes back from the history keeps its ticks.
  window.addEventListener("pageshow", update);
}
