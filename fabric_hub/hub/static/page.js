// Every page: the hub formats times in the browser's own time zone, which it reads from this cookie.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const path = document.body.dataset.baseUrl;
  if (zone && path) document.cookie = `fabric-zone=${zone}; Path=${path}; Max-Age=31536000; SameSite=Lax${secure}`;
})();
