// The page Operate: it keeps itself true while somebody looks at it, and its table is filtered and sorted here.
// The functions of fabricOperate decide and know no page; tests/unit/hub/test_operate_script.py runs them.
const fabricOperate = (() => {
  /** Whether a row has all the words that were typed, in any order, whatever their case. */
  function matches(text, typed) {
    const there = text.toLowerCase();
    return typed
      .toLowerCase()
      .split(/\s+/)
      .every((word) => there.includes(word));
  }

  /** Which of two values stands first: numbers by size, words by the reader's alphabet, what is missing last. */
  function compare(one, other, descending = false, language = "en") {
    if (!one || !other) return (one ? 0 : 1) - (other ? 0 : 1);
    const [left, right] = [Number(one), Number(other)];
    const order =
      Number.isNaN(left) || Number.isNaN(right)
        ? one.localeCompare(other, language, { numeric: true, sensitivity: "base" })
        : left - right;
    return descending ? -order : order;
  }

  return { matches, compare };
})();
if (typeof module !== "undefined") module.exports = fabricOperate;

(() => {
  const root = typeof document === "undefined" ? null : document.getElementById("fabric-operate");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const now = document.getElementById("operate-now");
  const health = document.getElementById("operate-health");
  const rows = document.getElementById("operate-rows");
  const filter = document.getElementById("operate-filter");
  const sorted = document.getElementById("operate-sort");
  const count = document.getElementById("operate-count");
  const message = document.getElementById("operate-message");
  const heading = document.getElementById("operate-heading");
  const by = { column: "user", descending: false };

  const fill = (sentence, parts) => sentence.replace(/\{(\w+)\}/g, (_, part) => parts[part]);

  /** Put the rows of a table's body in order, and hide those that are not looked for. */
  function arrange(body) {
    const all = [...body.children];
    for (const row of all) row.hidden = !fabricOperate.matches(row.textContent, filter.value.trim());
    const order = (one, other) =>
      fabricOperate.compare(one.dataset[by.column], other.dataset[by.column], by.descending, language) ||
      fabricOperate.compare(one.dataset.user, other.dataset.user, false, language);
    all.sort(order).forEach((row, place) => {
      if (body.children[place] !== row) body.insertBefore(row, body.children[place]);
    });
  }

  function tell() {
    const all = rows.children.length;
    const shown = [...rows.children].filter((row) => !row.hidden).length;
    const typed = filter.value.trim();
    const told = !typed ? words.all : shown || !all ? words.some : words.none;
    const sentence = fill(told, { all, shown, typed });
    if (count.textContent !== sentence) count.textContent = sentence;
  }

  /** Arrange what is there; the row that has the focus keeps it. */
  function rearrange() {
    const focused = document.activeElement;
    arrange(rows);
    if (rows.contains(focused) && focused !== document.activeElement) focused.focus();
    tell();
  }

  function sortBy(column) {
    by.descending = by.column === column && !by.descending;
    by.column = sorted.value = column;
    for (const cell of root.querySelectorAll("th[data-column]")) {
      if (cell.dataset.column === column) cell.ariaSort = by.descending ? "descending" : "ascending";
      else cell.removeAttribute("aria-sort");
    }
    rearrange();
  }

  function parsed(html) {
    return document.importNode(new DOMParser().parseFromString(html, "text/html").body.firstElementChild, true);
  }

  function put(body) {
    const focused = document.activeElement;
    const row = focused && rows.contains(focused) ? focused.closest("tr").dataset.key : null;
    fabricMerge(now, parsed(`<div>${body.now}</div>`));
    fabricMerge(health, parsed(`<div>${body.health}</div>`));
    const fresh = parsed(`<table><tbody>${body.rows}</tbody></table>`).tBodies[0];
    arrange(fresh);
    fabricMerge(rows, fresh);
    if (row && !document.contains(focused)) {
      (rows.querySelector(`[data-stop-session="${CSS.escape(row)}"]`) || heading).focus();
    }
    tell();
  }

  const look = fabricFollow({
    url: root.dataset.url,
    version: root.dataset.version,
    message,
    silent: words.silent,
    put: (body) => body.rows !== undefined && put(body),
  });

  filter.addEventListener("input", rearrange);
  sorted.addEventListener("change", () => sortBy(sorted.value));
  root.querySelector("thead").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sort]");
    if (button) sortBy(button.dataset.sort);
  });

  // operate_stop.js: an operator ends a session, or lets it go on
  document.addEventListener("fabric:stopped", () => look());
  rearrange();
})();
