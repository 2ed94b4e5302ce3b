// The start form: profiles, images and datasets of the chosen project only, hours of the chosen profile,
// and the session's name as JupyterHub's server name (it is part of the address, not an option).
// After a refusal the page is a new one: what was chosen is put back, so that one thing can be mended.
// A link may choose, too; what it chooses is shown, and started only by the button.
(() => {
  const root = document.getElementById("fabric-start");
  const project = document.getElementById("project");
  if (!root) return;
  const sentences = JSON.parse(root.dataset.words);
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const form = root.closest("form");
  if (location.hash === "#cancelled") {
    const said = document.createElement("p");
    said.className = "alert alert-info";
    said.setAttribute("role", "status");
    said.textContent = sentences.cancelled;
    root.prepend(said);
    history.replaceState(null, "", location.pathname + location.search); // a reload says it no more
  }
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

  const MEMORY = "fabric-start-form";
  const named = new URL(form.action, location.href).pathname.match(/\/hub\/spawn\/[^/]+\/([^/]+)$/);
  if (named && !root.dataset.serverName) {
    root.dataset.serverName = name.value = decodeURIComponent(named[1]);
    name.readOnly = true;
  }

  const words = (option, key) => (option ? (option.dataset[key] || "").split(" ").filter(Boolean) : []);

  function chooseProfile(profile) {
    profile.checked = true;
    hours.value = profile.dataset.defaultHours;
    hours.max = profile.dataset.maxHours;
    help.textContent = profile.dataset.most;
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
    showDatasets();
  }

  // Datasets. What the chosen project cannot use is not there; an agreement is asked for when its dataset is picked.
  const MANY = 8;
  const datasets = [...root.querySelectorAll("[data-dataset]")];
  const search = document.getElementById("dataset-search");
  const note = document.getElementById("datasets-note");
  const box = (entry) => entry.querySelector('input[name="datasets"]');

  function askAgreement(entry) {
    const block = entry.querySelector(".fabric-agreement");
    if (!block) return;
    const option = project.selectedOptions[0];
    const asked = box(entry).checked && words(option, "agreement").includes(entry.dataset.dataset);
    block.hidden = !asked;
    block.querySelector(".fabric-agreement-changed").hidden = !words(option, "changed").includes(entry.dataset.dataset);
    for (const field of block.querySelectorAll("input, select")) {
      field.disabled = !asked;
      field.required = asked;
    }
  }

  function usable(entry) {
    const option = project.selectedOptions[0];
    return [...words(option, "open"), ...words(option, "agreement")].includes(entry.dataset.dataset);
  }

  function showDatasets() {
    if (!note) return;
    const mine = datasets.filter(usable);
    document.getElementById("dataset-search-box").hidden = mine.length <= MANY;
    if (mine.length <= MANY) search.value = "";
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const entry of datasets) {
      const ours = mine.includes(entry);
      if (!ours) box(entry).checked = false;
      const matches = wanted.every((word) => entry.dataset.words.includes(word));
      entry.hidden = !ours || !(matches || box(entry).checked); // what is picked never hides
      if (ours && matches) found += 1;
      askAgreement(entry);
    }
    const others = project.selectedOptions[0]?.dataset.others;
    const said = [];
    if (wanted.length) {
      const amounts = { found: number.format(found), all: number.format(mine.length) };
      said.push(sentences.found.replace(/\{(\w+)\}/g, (_, name) => amounts[name]));
    } else if (!mine.length && !document.getElementById("datasets-problem")) said.push(sentences.none);
    if (others) said.push(others);
    note.textContent = said.join(" · ");
  }

  function chooseDatasets(names) {
    for (const entry of datasets) box(entry).checked = names.includes(entry.dataset.dataset);
    showDatasets();
  }

  if (search) {
    search.addEventListener("input", showDatasets);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // it searches, it does not start
    });
    datasets.forEach((entry) => box(entry).addEventListener("change", () => askAgreement(entry)));
  }

  // What would be started, once more and in one line above the button.
  function summarise() {
    const label = radios.find((radio) => radio.checked)?.closest("[data-profile]").querySelector("label");
    const box = document.getElementById("start-summary");
    box.hidden = !label;
    if (!label) return;
    const many = ([one, more], n) => (n === 1 ? one : more).replace("{n}", () => number.format(n));
    const picked = datasets.filter((entry) => entry.querySelector('input[name="datasets"]').checked).length;
    const parts = [
      label.dataset.title,
      project.selectedOptions[0]?.dataset.title,
      Number(hours.value) > 0 && many(sentences.hours, Number(hours.value)),
      image.selectedOptions[0]?.text,
      picked && many(sentences.datasets, picked),
      name.value,
      label.dataset.state,
    ];
    const said = parts.filter(Boolean).join(" · ");
    const line = document.getElementById("start-summary-text");
    if (line.textContent !== said) line.textContent = said; // a screen reader hears of changes only
  }

  project.addEventListener("change", chooseProject);
  radios.forEach((radio) => radio.addEventListener("change", () => chooseProfile(radio)));

  function restore(choice) {
    const open = [...project.options].find((option) => option.value === choice.project && !option.disabled);
    if (open) project.value = open.value;
    for (const radio of radios) radio.checked = false; // what this project offers first, unless one was chosen
    chooseProject();
    const profile = radios.find((radio) => radio.value === choice.profile && !radio.disabled);
    if (profile && words(project.selectedOptions[0], "profiles").includes(profile.value)) chooseProfile(profile);
    if ([...image.options].some((option) => option.value === choice.image && !option.disabled)) image.value = choice.image;
    if (Number(choice.hours) > 0) hours.value = choice.hours;
    chooseDatasets(choice.datasets || []); // but nobody's acceptance is put back for them
  }

  function chosen() {
    const problem = document.querySelector(".spawn-error-msg");
    const url = new URLSearchParams(location.search);
    if (problem) problem.setAttribute("role", "alert");
    else if (![...url.keys()].some((key) => key.startsWith("opt-"))) return;
    const fromUrl = Object.fromEntries([...url].map(([key, value]) => [key.replace(/^opt-/, ""), value]));
    fromUrl.datasets = [...url].filter(([key]) => /^(opt-)?datasets$/.test(key)).map(([, value]) => value);
    const sent = sessionStorage.getItem(MEMORY);
    restore(url.has("_xsrf") && sent ? JSON.parse(sent) : fromUrl);
  }

  form.addEventListener("submit", () => {
    const sent = new FormData(form);
    sessionStorage.setItem(MEMORY, JSON.stringify({ ...Object.fromEntries(sent), datasets: sent.getAll("datasets") }));
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
  chosen();
  summarise();
  form.addEventListener("input", summarise);
  form.addEventListener("change", summarise);
})();
