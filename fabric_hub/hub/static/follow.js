// A page that keeps itself true: while somebody sees it, it asks the hub every few seconds what is so now.
// url: what is asked; version: what the page shows; message: the element that says, in the words `silent`, that the hub
// does not answer; put: takes each answer. What comes back asks now (whole: also for what has not changed).
function fabricFollow({ url, version, message, silent, put }) {
  const EVERY_MS = 2500; // with the way there and back a change is on the page within three seconds
  const SILENT_MS = 15_000;
  let answeredAt = Date.now();
  let timer = null;

  async function look(whole = false) {
    clearTimeout(timer);
    try {
      const known = whole ? "" : `?version=${encodeURIComponent(version)}`;
      const answer = await fetch(`${url}${known}`, { headers: { Accept: "application/json" } });
      if (answer.status === 403) {
        location.reload(); // to the login, or to why this page is not theirs any more
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const body = await answer.json();
      if (Date.now() - answeredAt > SILENT_MS && message.textContent === silent) message.textContent = "";
      answeredAt = Date.now();
      version = body.version;
      put(body);
    } catch {
      if (Date.now() - answeredAt > SILENT_MS) message.textContent = silent;
    }
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) look();
  });
  timer = setTimeout(look, EVERY_MS);
  return look;
}
