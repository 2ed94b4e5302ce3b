// The login page: show what is typed, say that the connection is not encrypted, and show that a form is on its way.
(() => {
  const toggle = document.getElementById("toggle_password_visibility");
  const password = document.getElementById("password_input");
  toggle?.addEventListener("click", () => {
    const hidden = password.type === "password";
    password.type = hidden ? "text" : "password";
    toggle.querySelector("i").className = hidden ? "fa fa-eye-slash" : "fa fa-eye";
    toggle.setAttribute("aria-pressed", String(hidden));
    toggle.title = hidden ? toggle.dataset.hide : toggle.dataset.show;
  });

  if (!window.isSecureContext) document.getElementById("insecure-login-warning")?.classList.remove("hidden");

  const form = document.getElementById("login_form");
  form?.addEventListener("submit", () => {
    form.querySelector(".feedback-container > input").disabled = true;
    for (const part of form.querySelectorAll(".feedback-container > *")) part.classList.toggle("hidden");
    form.querySelector(".feedback-widget > *").classList.toggle("fa-pulse");
  });
})();
