// What is wrong with the layout of the page as it stands, in words; an empty list if nothing is.
() => {
  const faults = [];
  const named = (element) =>
    `<${element.localName}${element.className && element.className.baseVal === undefined ? ` class="${element.className}"` : ""}> “${(element.innerText ?? "").trim().slice(0, 30)}”`;
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const isReadAloudOnly = (element) => {
    const hidden = element.closest(".visually-hidden, th");
    return Boolean(hidden) && getComputedStyle(hidden).clipPath.startsWith("inset");
  };
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) faults.push(`${page.scrollWidth - page.clientWidth} pixels too wide`);

  // An ordinary word stands on one line: no column is a column of letters.
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.data.trim() || !isShown(text.parentElement) || isReadAloudOnly(text.parentElement)) continue;
    for (const word of text.data.matchAll(/(?<![\p{L}\p{N}_@.,/-])\p{L}{2,18}(?![\p{L}\p{N}_@/-]|[.,]\p{L})/gu)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].filter((box) => box.width > 1).map((box) => Math.round(box.top / 4)));
      if (lines.size > 1 && [...lines].some((line, _, all) => Math.abs(line - [...all][0]) > 1)) {
        faults.push(`“${word[0]}” is broken in ${named(text.parentElement)}`);
      }
    }
  }

  // Nothing lies over its neighbour.
  const overlap = (one, other) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;
  // What a frame that scrolls by itself shows of it.
  const seen = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const frame = element.closest(".tabs, .chips, .frame, .talk__scroll, .escalation-side, .escalation-queue")?.getBoundingClientRect();
    if (!frame) return { left, right, top, bottom };
    return {
      left: Math.max(left, frame.left), right: Math.min(right, frame.right),
      top: Math.max(top, frame.top), bottom: Math.min(bottom, frame.bottom),
    };
  };
  const neighbours = (elements, what) => {
    const boxes = elements.filter((element) => isShown(element) && !isReadAloudOnly(element))
      .map((element) => [element, seen(element)]).filter(([, box]) => box.right - box.left > 1);
    boxes.forEach(([one, box], index) => {
      for (const [other, second] of boxes.slice(index + 1)) {
        if (overlap(box, second) && !one.contains(other) && !other.contains(one)) {
          faults.push(`${what}: ${named(one)} and ${named(other)} overlap`);
        }
      }
    });
  };
  neighbours([...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
    .filter((element) => !element.closest("[popover], .escalation-head__actions, .reply-dock") && !element.matches(".visually-hidden")), "controls");
  for (const row of document.querySelectorAll("main tr")) neighbours([...row.cells], "cells");

  // Whatever has the focus is in sight, on the way there and on the way back.
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((element) => !element.disabled && element.type !== "hidden" && isShown(element) && !element.closest(":popover-open"));
  const isInSight = (element) => {
    const whole = element.getBoundingClientRect();
    const box = { left: whole.left, width: whole.width, top: Math.max(whole.top, 0) };
    box.height = Math.min(whole.bottom, innerHeight) - box.top;
    const points = [[.5, .5], [.03, .5], [.97, .5], [.5, .1], [.5, .9], [.1, .1], [.9, .9]];
    return points.some(([x, y]) => {
      const hit = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
      return hit && (element.contains(hit) || hit.contains(element) && hit !== document.body && hit !== document.documentElement && !hit.matches("main, #content, #container, .main") || element.labels?.[0]?.contains(hit));
    });
  };
  scrollTo(0, 0);
  for (const [way, order] of [["forwards", stops], ["backwards", [...stops].reverse()]]) {
    for (const element of order) {
      element.focus();
      if (document.activeElement === element && !isInSight(element)) faults.push(`hidden when focused ${way}: ${named(element)}`);
    }
  }
  document.activeElement?.blur();
  scrollTo(0, 0);
  return faults;
}
