// Names the boxes that select2 puts in the place of a field after the field's label.

window.django.jQuery(() => {
  for (const field of document.querySelectorAll("select.admin-autocomplete")) {
    const label = field.labels[0]?.textContent.trim().replace(/:$/, "");
    if (!label) continue;
    for (const box of field.parentElement.querySelectorAll(".select2-selection, .select2-selection__rendered, .select2-search__field")) {
      box.setAttribute("aria-label", label);
      box.removeAttribute("aria-labelledby");
    }
  }
});
