// The start form: profiles and images of the chosen project only, hours of the chosen profile,
// and the session's name as JupyterHub's server name (it is part of the address, not an option).
(() => {
  const root = document.getElementById("fabric-start");
  const project = document.getElementById("project");
  if (!root) return;
  const form = root.closest("form");
  if (!project) {
    form.querySelector('[type="submit"]').hidden = true; // there is nothing to start
    return;
  }
  const image = document.getElementById("image");
  const hours = document.getElementById("hours");
  const help = document.getElementById("hours-help");
  const name = document.getElementById("server-name");
  const radios = [...root.querySelectorAll('input[name="profile"]')];
  const firstUsable = project.querySelector("option:not([disabled])");
  if (firstUsable) project.value = firstUsable.value;

  const words = (option, key) => (option ? option.dataset[key].split(" ") : []);

  function chooseProfile(profile) {
    profile.checked = true;
    hours.value = profile.dataset.defaultHours;
    hours.max = profile.dataset.maxHours;
    help.textContent = `at most ${profile.dataset.maxHours}`;
  }

  function chooseProject() {
    const option = project.selectedOptions[0];
    const profiles = words(option, "profiles");
    const images = words(option, "images");
    for (const radio of radios) {
      const mine = profiles.includes(radio.value);
      radio.closest("[data-profile]").hidden = !mine;
      if (!mine) radio.checked = false;
    }
    for (const choice of image.options) {
      choice.hidden = choice.disabled = !images.includes(choice.value);
    }
    if (images.length) image.value = images[0];
    const first = profiles
      .map((value) => radios.find((radio) => radio.value === value))
      .find((radio) => radio && !radio.disabled);
    if (first && !radios.some((radio) => radio.checked)) chooseProfile(first);
  }

  project.addEventListener("change", chooseProject);
  radios.forEach((radio) => radio.addEventListener("change", () => chooseProfile(radio)));
  form.addEventListener("submit", () => {
    if (!name.value || root.dataset.serverName) return;
    const action = new URL(form.action, location.href);
    const [, before, user] = action.pathname.match(/^(.*\/hub\/spawn)(?:\/([^/]+))?/) || [];
    const owner = user || (window.jhdata && window.jhdata.user);
    if (before && owner) {
      action.pathname = `${before}/${owner}/${name.value}`;
      form.action = action.href;
    }
  });
  chooseProject();
})();
