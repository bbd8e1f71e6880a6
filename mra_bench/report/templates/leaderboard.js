// Sorts boards by their columns and hides rows that do not match. Without it the boards stand as they were ranked.

const rows = [...document.querySelectorAll(".board tbody tr")];
const byId = (id) => document.getElementById(id);
for (const row of rows) {
  row.keys = JSON.parse(row.dataset.keys);
  row.words = (row.cells[1].textContent + " " + row.cells[9].textContent).toLowerCase();
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0;
}

function sort(table, key, down) {
  const body = table.tBodies[0];
  const sorted = [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(a.keys[key], b.keys[key]) || b.keys.accuracy - a.keys.accuracy);
  body.append(...sorted);
  for (const head of table.tHead.rows[0].cells) {
    if (head.dataset.sort === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function filter() {
  const wanted = byId("search").value.trim().toLowerCase();
  const mark = byId("mark").value;
  const clean = byId("clean").value;
  let shown = 0;
  for (const row of rows) {
    const matches = row.words.includes(wanted) && (!mark || row.dataset.mark === mark) && (!clean || row.keys.contamination <= 0);
    row.hidden = !matches;
    shown += matches;
  }
  for (const section of document.querySelectorAll("main > section:has(.board)")) section.hidden = !section.querySelector("tbody tr:not([hidden])");
  byId("count").textContent = wanted || mark || clean ? shown + " of " + rows.length + " rows" : "";
}

for (const table of document.querySelectorAll(".board")) {
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(table, head.dataset.sort, head.getAttribute("aria-sort") === "ascending"));
    head.replaceChildren(button);
  }
  table.querySelector('[data-sort="accuracy"]').setAttribute("aria-sort", "descending"); // as they were ranked
}

function sortAll() {
  for (const table of document.querySelectorAll(".board")) sort(table, byId("sort").value, byId("down").checked);
}

const form = document.querySelector("form.filters");
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", filter);
byId("sort").addEventListener("change", sortAll);
byId("down").addEventListener("change", sortAll);
