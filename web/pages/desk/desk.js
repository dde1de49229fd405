// The desk works without this file; it only spares clicks and page loads.
"use strict";

// A list is filtered as soon as its filter changes.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// One popover is open at a time, Escape closes it, and its first field has the focus.
document.addEventListener("toggle", (e) => {
  const box = e.target;
  if (!(box instanceof HTMLDetailsElement) || !box.classList.contains("pop") || !box.open) return;
  for (const other of document.querySelectorAll("details.pop[open]")) {
    if (other !== box && !other.contains(box)) other.open = false;
  }
  const first = box.querySelector("select, input:not([type=hidden]), textarea");
  if (first) first.focus();
}, true);
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  const box = e.target instanceof Element ? e.target.closest("details.pop[open]") : null;
  if (box) {
    box.open = false;
    box.querySelector("summary").focus();
  }
});

// The heat map is one stop of the Tab key; the arrow keys move in it.
for (const grid of document.querySelectorAll("table.heat")) {
  const rows = [...grid.tBodies[0].rows].map((r) => [...r.querySelectorAll("a")]);
  const all = rows.flat();
  all.forEach((a, i) => { a.tabIndex = i === 0 ? 0 : -1; });
  grid.addEventListener("keydown", (e) => {
    const y = rows.findIndex((r) => r.includes(document.activeElement));
    if (y < 0) return;
    const x = rows[y].indexOf(document.activeElement);
    const to = {
      ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1], ArrowDown: [y + 1, x], ArrowUp: [y - 1, x],
      Home: [y, 0], End: [y, rows[y].length - 1], PageUp: [Math.max(y - 10, 0), x], PageDown: [Math.min(y + 10, rows.length - 1), x],
    }[e.key];
    const next = to && rows[to[0]] && rows[to[0]][to[1]];
    if (!to) return;
    e.preventDefault();
    if (!next) return;
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// Paper is typed in without a mouse: a digit goes on to the next item.
const items = [...document.querySelectorAll("ol.items input[type=text]")];
items.forEach((box, i) => box.addEventListener("input", () => {
  if (/^[0-9xX]$/.test(box.value) && items[i + 1]) items[i + 1].focus();
}));

// The code of a letter's picture stands behind the # and goes to nobody.
for (const box of document.querySelectorAll("input[data-fragment]")) {
  if (!box.value && location.hash.length > 1) {
    box.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
}

for (const b of document.querySelectorAll("[data-print]")) {
  b.hidden = false;
  b.addEventListener("click", () => window.print());
}

// How old the data on the page are.
for (const t of document.querySelectorAll("time[data-age]")) {
  const read = Date.parse(t.dateTime);
  const skew = Date.now() - read;
  setInterval(() => {
    const minutes = Math.floor((Date.now() - read - skew) / 60000);
    if (minutes > 0) t.nextElementSibling.textContent = `(${minutes} min old; reload)`;
  }, 15000);
}
