// The operators' table of projects: table.js filters and sorts it.
(() => {
  const root = document.getElementById("operate-projects");
  if (!root) return;
  fabricTable.tie({
    filter: document.getElementById("projects-filter"),
    sorted: document.getElementById("operate-sort"),
    count: document.getElementById("projects-count"),
    head: root.querySelector("thead"),
    rows: document.getElementById("projects-rows"),
    first: "title",
    words: JSON.parse(root.dataset.words),
  });
})();
