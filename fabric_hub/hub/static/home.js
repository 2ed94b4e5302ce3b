// The list of a person's sessions: stop one, take one that is over off the list, or open the form of another.
(() => {
  const root = document.getElementById("fabric-home");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const message = document.getElementById("home-message");

  async function end(button) {
    const stop = button.dataset.verb === "stop";
    button.disabled = true;
    button.textContent = stop ? words.stopping : words.removing;
    const token = window.jhdata && window.jhdata.xsrf_token;
    const answer = await fetch(button.dataset.url, {
      method: "DELETE",
      headers: { "Content-Type": "application/json", ...(token ? { "X-XSRFToken": token } : {}) },
      body: stop ? null : JSON.stringify({ remove: true }),
    });
    if (answer.ok) {
      location.reload(); // the hub knows best what is left
      return;
    }
    const problem = await answer.json().catch(() => ({}));
    message.textContent = words.failed.replace("{problem}", () => problem.message || answer.status);
    button.disabled = false;
    button.textContent = stop ? words.stop : words.remove;
  }

  for (const button of root.querySelectorAll("button[data-verb]")) {
    button.addEventListener("click", () => end(button));
  }

  const another = document.getElementById("another-session");
  another?.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(another.dataset.url + encodeURIComponent(document.getElementById("another-name").value));
  });
})();
