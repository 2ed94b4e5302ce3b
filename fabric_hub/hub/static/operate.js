// The page Operate: it keeps itself true while somebody looks at it; table.js filters and sorts its sessions.
(() => {
  const root = document.getElementById("fabric-operate");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const now = document.getElementById("operate-now");
  const health = document.getElementById("operate-health");
  const rows = document.getElementById("operate-rows");
  const message = document.getElementById("operate-message");
  const heading = document.getElementById("operate-heading");
  const table = fabricTable.tie({
    filter: document.getElementById("operate-filter"),
    sorted: document.getElementById("operate-sort"),
    count: document.getElementById("operate-count"),
    head: root.querySelector("thead"),
    rows,
    first: "user",
    words,
  });

  function parsed(html) {
    return document.importNode(new DOMParser().parseFromString(html, "text/html").body.firstElementChild, true);
  }

  function put(body) {
    const focused = document.activeElement;
    const row = focused && rows.contains(focused) ? focused.closest("tr").dataset.key : null;
    fabricMerge(now, parsed(`<div>${body.now}</div>`));
    fabricMerge(health, parsed(`<div>${body.health}</div>`));
    const fresh = parsed(`<table><tbody>${body.rows}</tbody></table>`).tBodies[0];
    table.arrange(fresh);
    fabricMerge(rows, fresh);
    if (row && !document.contains(focused)) {
      (rows.querySelector(`[data-stop-session="${CSS.escape(row)}"]`) || heading).focus();
    }
    table.tell();
  }

  const look = fabricFollow({
    url: root.dataset.url,
    version: root.dataset.version,
    message,
    silent: words.silent,
    put: (body) => body.rows !== undefined && put(body),
  });

  // operate_stop.js: an operator ends a session, or lets it go on
  document.addEventListener("fabric:stopped", () => look());
})();
