// The pages of projects: the focus goes to what became of a form, and a change that takes something away asks first.
(() => {
  document.querySelector("[data-focus]")?.focus();

  let opener = null;

  /** Open the dialog that a button names, about its person. */
  function ask(button) {
    const dialog = document.getElementById(button.dataset.asks);
    const form = dialog.querySelector("form");
    form.reset();
    const title = dialog.querySelector("[data-says]");
    title.textContent = title.dataset.says.replace("{user}", () => button.dataset.user);
    form.elements.user.value = button.dataset.user;
    if (form.elements.role) form.elements.role.value = button.dataset.role;
    for (const place of dialog.querySelectorAll("[data-loses]")) place.textContent = button.dataset.loses;
    opener = button;
    dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    const asks = event.target.closest?.("button[data-asks]");
    if (asks) ask(asks);
    if (event.target.closest?.('dialog [data-do="cancel"]')) event.target.closest("dialog").close();
  });
  for (const dialog of document.querySelectorAll("dialog.fabric-dialog")) {
    dialog.addEventListener("close", () => opener?.focus());
  }
})();
