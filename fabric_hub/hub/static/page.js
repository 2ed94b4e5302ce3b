// Every page: moments in the reader's own time zone, which the hub learns by a cookie, and dialogs.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const path = document.body.dataset.baseUrl;
  if (zone && path) document.cookie = `fabric-zone=${zone}; Path=${path}; Max-Age=31536000; SameSite=Lax${secure}`;

  // What other scripts put on the page later is written as well; what counts, counts on by itself.
  const write = () => fabricClock.write(document.body);
  write();
  setInterval(write, 10_000);
  new MutationObserver(write).observe(document.getElementById("main"), {
    attributeFilter: ["datetime", "data-clock"],
    childList: true,
    subtree: true,
  });

  /** Put an announcement away for who reads; it stays where that cannot be kept. */
  async function dismiss(button) {
    button.disabled = true;
    const answer = await fetch(button.dataset.url, {
      method: "POST",
      headers: { "X-XSRFToken": window.jhdata.xsrf_token, "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ announcement: button.dataset.dismisses }),
    }).catch(() => null);
    button.disabled = false;
    if (!answer?.ok && answer?.status !== 404) return;
    button.closest("[data-announcement]").remove();
    document.getElementById("main").focus();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal(); // it gives the focus back when it closes
    const dismisser = event.target.closest?.("button[data-dismisses]");
    if (dismisser) dismiss(dismisser);
  });
})();
