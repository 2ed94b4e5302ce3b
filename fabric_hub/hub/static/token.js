// The page of API tokens: make one, or revoke one.
(() => {
  const root = document.getElementById("fabric-tokens");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const message = document.getElementById("token-message");
  const value = (id) => document.getElementById(id).value;

  async function ask(method, url, body) {
    message.textContent = "";
    const token = window.jhdata && window.jhdata.xsrf_token;
    const answer = await fetch(url, {
      method,
      headers: { "Content-Type": "application/json", ...(token ? { "X-XSRFToken": token } : {}) },
      body: body && JSON.stringify(body),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) message.textContent = words.failed.replace("{problem}", () => told.message || answer.status);
    return answer.ok && told;
  }

  document.getElementById("request-token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const scopes = value("token-scopes").split(/[\s,]+/).filter(Boolean);
    const made = await ask("POST", root.dataset.url, {
      note: value("token-note") || words.note,
      expires_in: Number(value("token-expiration-seconds")) || null,
      ...(scopes.length ? { scopes } : {}),
    });
    if (!made) return;
    document.getElementById("token-result").textContent = made.token;
    document.getElementById("token-area").hidden = false;
  });

  for (const button of root.querySelectorAll(".revoke-token-btn")) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      const row = button.closest("[data-token-id]");
      if (await ask("DELETE", `${root.dataset.url}/${row.dataset.tokenId}`)) row.remove();
      else button.disabled = false;
    });
  }
})();
