// The page of a session that is not running: where a site wants it, the form opens by itself, and what went wrong can be copied, to be shown to somebody.
(() => {
  const root = document.getElementById("fabric-not-running");
  const failure = document.getElementById("fabric-failure");
  const copy = document.getElementById("copy-details");
  if (!root) return;
  const winner = document.getElementById("fabric-winner"); // of two starts that waited for one place, the other one
  if (winner && location.pathname.includes("/spawn-pending/")) return location.replace(winner.href);
  const seconds = Number(root.dataset.startS); // a site's c.JupyterHub.implicit_spawn_seconds
  if (seconds) setTimeout(() => location.assign(document.getElementById("start").href), 1000 * seconds);
  for (const log of root.querySelectorAll("pre")) log.scrollTop = log.scrollHeight; // its end says most
  if (!failure || !copy || !navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(failure.innerText);
    copy.textContent = root.dataset.copied;
  });
})();
