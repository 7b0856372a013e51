// A count beside a link that the page did not wait for.
for (const place of document.querySelectorAll("[data-count-from]")) {
  const response = await fetch(place.dataset.countFrom);
  const text = response.ok && !response.redirected ? await response.text() : "";
  place.textContent = text;
  place.hidden = !text;
}
