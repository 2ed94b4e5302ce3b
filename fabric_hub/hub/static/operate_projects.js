// The operators' table of projects is filtered and sorted here, by the functions of operate.js.
(() => {
  const root = document.getElementById("operate-projects");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const rows = document.getElementById("projects-rows");
  const filter = document.getElementById("projects-filter");
  const sorted = document.getElementById("operate-sort");
  const count = document.getElementById("projects-count");
  const by = { column: "title", descending: false };

  function arrange() {
    const all = [...rows.children];
    const typed = filter.value.trim();
    for (const row of all) row.hidden = !fabricOperate.matches(row.textContent, typed);
    const order = (one, other) =>
      fabricOperate.compare(one.dataset[by.column], other.dataset[by.column], by.descending, language) ||
      fabricOperate.compare(one.dataset.title, other.dataset.title, false, language);
    rows.append(...all.sort(order));
    const shown = all.filter((row) => !row.hidden).length;
    const told = !typed ? words.all : shown || !all.length ? words.some : words.none;
    const parts = { all: all.length, shown, typed };
    count.textContent = told.replace(/\{(\w+)\}/g, (_, part) => parts[part]);
  }

  function sortBy(column) {
    by.descending = by.column === column && !by.descending;
    by.column = sorted.value = column;
    for (const cell of root.querySelectorAll("th[data-column]")) {
      if (cell.dataset.column === column) cell.ariaSort = by.descending ? "descending" : "ascending";
      else cell.removeAttribute("aria-sort");
    }
    arrange();
  }

  filter.addEventListener("input", arrange);
  sorted.addEventListener("change", () => sortBy(sorted.value));
  root.querySelector("thead").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sort]");
    if (button) sortBy(button.dataset.sort);
  });
  arrange();
})();
