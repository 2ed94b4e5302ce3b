// The dialog with which an operator ends a session (operate_stop.html). What became of it stands in #operate-message, and
// the document has the event "fabric:stopped", after which the page asks for its sessions anew.
(() => {
  const dialog = document.getElementById("operate-stop");
  if (!dialog) return;
  const words = JSON.parse(dialog.dataset.words);
  const form = dialog.querySelector("form");
  const problem = document.getElementById("operate-stop-problem");
  const standing = document.getElementById("operate-stop-standing");
  const withdraw = dialog.querySelector('[data-do="withdraw"]');
  let session = "";

  function open(button) {
    session = button.dataset.stopSession;
    form.reset();
    problem.textContent = "";
    const title = words.title.replace(/\{(name|user)\}/g, (_, part) => button.dataset[part]);
    document.getElementById("operate-stop-title").textContent = title;
    standing.textContent = words.standing;
    standing.hidden = withdraw.hidden = !("due" in button.dataset);
    dialog.showModal();
  }

  async function send(address, fields) {
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((button) => (button.disabled = true));
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: {
          "X-XSRFToken": window.jhdata.xsrf_token,
          "Content-Type": "application/x-www-form-urlencoded",
          Accept: "application/json",
        },
        body: new URLSearchParams({ session, ...fields }),
      });
      const told = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(told.message || String(answer.status));
      dialog.close();
      document.getElementById("operate-message").textContent = told.text;
      document.dispatchEvent(new CustomEvent("fabric:stopped", { detail: { session } }));
    } catch (error) {
      problem.textContent = words.failed.replace("{problem}", () => error.message);
    } finally {
      buttons.forEach((button) => (button.disabled = false));
      if (dialog.open) form.querySelector('[type="submit"]').focus(); // it went from the button as that was disabled
    }
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("button[data-stop-session]");
    if (opener) open(opener);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(dialog.dataset.url, { minutes: form.elements.minutes.value, reason: form.elements.reason.value });
  });
  dialog.querySelector('[data-do="cancel"]').addEventListener("click", () => dialog.close());
  withdraw.addEventListener("click", () => send(`${dialog.dataset.url}/withdraw`, {}));
  // The browser gives the focus back to the button itself: its row may have been put in anew while the dialog was open.
  dialog.addEventListener("close", () => {
    const opener = document.querySelector(`button[data-stop-session="${CSS.escape(session)}"]`);
    (opener || document.getElementById("operate-heading"))?.focus();
  });
})();
