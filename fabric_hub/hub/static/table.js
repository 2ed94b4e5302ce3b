// A table that its reader filters and sorts: the sessions and the projects of the operators' pages.
// matches and compare decide and know no page (tests/unit/hub/test_operate.py runs them); tie makes one table do it.
const fabricTable = (() => {
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

  /**
   * Filter and sort a table by what its page has for that: filter (what is typed), sorted (the list of columns), head and
   * rows of the table, and count, which says how many rows are seen, in the page's words. `first` is the column by which
   * rows are in order at first, and where they are equal by another.
   */
  function tie({ filter, sorted, head, rows, count, first, words }) {
    const language = document.documentElement.lang;
    const by = { column: first, descending: false };

    /** Put the rows of a body, the table's or one that is to come, in order, and hide those that are not looked for. */
    function arrange(body) {
      const all = [...body.children];
      for (const row of all) row.hidden = !matches(row.textContent, filter.value.trim());
      const order = (one, other) =>
        compare(one.dataset[by.column], other.dataset[by.column], by.descending, language) ||
        compare(one.dataset[first], other.dataset[first], false, language);
      all.sort(order).forEach((row, place) => {
        if (body.children[place] !== row) body.insertBefore(row, body.children[place]);
      });
    }

    function tell() {
      const all = rows.children.length;
      const shown = [...rows.children].filter((row) => !row.hidden).length;
      const typed = filter.value.trim();
      const told = !typed ? words.all : shown || !all ? words.some : words.none;
      const parts = { all, shown, typed };
      const sentence = told.replace(/\{(\w+)\}/g, (_, part) => parts[part]);
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
      for (const cell of head.querySelectorAll("th[data-column]")) {
        if (cell.dataset.column === column) cell.ariaSort = by.descending ? "descending" : "ascending";
        else cell.removeAttribute("aria-sort");
      }
      rearrange();
    }

    filter.addEventListener("input", rearrange);
    sorted.addEventListener("change", () => sortBy(sorted.value));
    head.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-sort]");
      if (button) sortBy(button.dataset.sort);
    });
    rearrange();
    return { arrange, tell };
  }

  return { matches, compare, tie };
})();
if (typeof module !== "undefined") module.exports = fabricTable;
