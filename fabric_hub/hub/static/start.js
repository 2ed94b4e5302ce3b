// The start form: profiles, images and datasets of the chosen project only, for how long each may run and what that
// costs, and the session's name as JupyterHub's server name (it is part of the address, not an option).
// What the hub has chosen already (by a link, after a refusal, as the last time) stands in the page: nothing is
// started but by a button. While the page is looked at, its machines are kept up to date from the hub's memory.
(() => {
  const root = document.getElementById("fabric-start");
  if (!root) return;
  const sentences = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const form = root.closest("form");
  const byId = (id) => document.getElementById(id);
  if (location.hash === "#cancelled") {
    const said = document.createElement("p");
    said.className = "alert alert-info";
    said.setAttribute("role", "status");
    said.textContent = sentences.cancelled;
    root.prepend(said);
    history.replaceState(null, "", location.pathname + location.search); // a reload says it no more
  }
  const projects = [...root.querySelectorAll('input[name="project"]')];
  if (!projects.length) return; // there is nothing to start
  const image = byId("image");
  const hours = byId("hours");
  const help = byId("hours-help");
  const chips = byId("time-chips");
  const name = byId("server-name");
  const start = byId("start-session");
  const radios = [...root.querySelectorAll('input[name="profile"]')];
  const named = new URL(form.action, location.href).pathname.match(/\/hub\/spawn\/[^/]+\/([^/]+)$/);
  if (named && !root.dataset.serverName) {
    root.dataset.serverName = name.value = decodeURIComponent(named[1]);
    name.readOnly = true;
    byId("session-name").open = true;
  }

  const project = () => projects.find((radio) => radio.checked);
  const profile = () => radios.find((radio) => radio.checked);
  const words = (radio, key) => (radio ? (radio.dataset[key] || "").split(" ").filter(Boolean) : []);
  const many = ([one, more], n) => (n === 1 ? one : more).replace("{n}", () => number.format(n));
  const fill = (sentence, parts) => sentence.replace(/\{(\w+)\}/g, (_, part) => parts[part]);
  /** What may run in the chosen project with a profile: for how many hours, and why for no more. */
  const fits = (radio) => JSON.parse(project()?.dataset.fits || "{}")[radio.value];
  const longest = (radio) => Math.min(Number(radio.dataset.maxHours), fits(radio)?.hours ?? Infinity);

  function chooseProfile(radio) {
    radio.checked = true;
    hours.value = Math.min(Number(radio.dataset.defaultHours), longest(radio));
    showTimes();
  }

  /** The chosen profile's times: what its limits leave, in steps that people ask for. */
  function showTimes() {
    const radio = profile();
    chips.replaceChildren();
    help.textContent = "";
    if (!radio) return;
    const most = Number(radio.dataset.maxHours);
    const possible = longest(radio);
    hours.max = possible;
    const steps = [0.5, 1, 2, 4, 8, 12, 24, 48, 72, 168].filter((step) => step < most && (step >= 1 || possible < 1));
    for (const step of [...new Set([...steps, most])]) {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "btn btn-outline-primary";
      chip.textContent = fill(sentences.chip, { n: number.format(step) });
      chip.disabled = step > possible;
      chip.setAttribute("aria-pressed", String(Number(hours.value) === step));
      chip.addEventListener("click", () => {
        hours.value = step;
        hours.dispatchEvent(new Event("input", { bubbles: true }));
        for (const other of chips.children) other.setAttribute("aria-pressed", String(other === chip));
      });
      chips.append(chip);
    }
    const why = fits(radio)?.why;
    help.textContent = possible < most && why ? `${many(sentences.hours, possible)} · ${why}` : radio.dataset.most;
  }

  function chooseProject() {
    const chosen = project();
    const profiles = words(chosen, "profiles");
    const images = words(chosen, "images");
    for (const radio of radios) {
      const mine = !chosen || profiles.includes(radio.value);
      const fit = fits(radio);
      const none = fit?.hours === 0;
      radio.closest("[data-profile]").hidden = !mine;
      radio.disabled = "never" in radio.dataset || none || !chosen || !mine;
      byId(`profile-why-${radio.value}`).textContent = none ? [fit.why, fit.nearest].filter(Boolean).join(" ") : "";
      if (!mine || radio.disabled) radio.checked = false;
    }
    for (const choice of image.options) choice.hidden = choice.disabled = chosen && !images.includes(choice.value);
    if (chosen && !images.includes(image.value)) image.value = images[0] || "";
    const first = profiles
      .map((value) => radios.find((radio) => radio.value === value))
      .find((radio) => radio && !radio.disabled);
    if (first && !profile()) chooseProfile(first);
    if (!profile()) showTimes();
    start.disabled = Boolean(chosen) && !first;
    showDatasets();
  }

  // Datasets. What the chosen project cannot use is not there; an agreement is asked for when its dataset is picked.
  const MANY = 8;
  const datasets = [...root.querySelectorAll("[data-dataset]")];
  const search = byId("dataset-search");
  const note = byId("datasets-note");
  const box = (entry) => entry.querySelector('input[name="datasets"]');
  const picked = () => datasets.filter((entry) => box(entry).checked).length;

  function askAgreement(entry) {
    const block = entry.querySelector(".fabric-agreement");
    if (!block) return;
    const asked = box(entry).checked && words(project(), "agreement").includes(entry.dataset.dataset);
    block.hidden = !asked;
    block.querySelector(".fabric-agreement-changed").hidden = !words(project(), "changed").includes(entry.dataset.dataset);
    for (const field of block.querySelectorAll("input, select")) {
      field.disabled = !asked;
      field.required = asked;
    }
  }

  function usable(entry) {
    return [...words(project(), "open"), ...words(project(), "agreement")].includes(entry.dataset.dataset);
  }

  function showDatasets() {
    if (!note) return;
    const mine = datasets.filter(usable);
    byId("dataset-search-box").hidden = mine.length <= MANY;
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
    const others = project()?.dataset.others;
    const said = [];
    if (wanted.length) {
      said.push(fill(sentences.found, { found: number.format(found), all: number.format(mine.length) }));
    } else if (project() && !mine.length && !byId("datasets-problem")) said.push(sentences.none);
    if (others) said.push(others);
    note.textContent = said.join(" · ");
  }

  if (search) {
    search.addEventListener("input", showDatasets);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // it searches, it does not start
    });
    datasets.forEach((entry) => box(entry).addEventListener("change", () => askAgreement(entry)));
  }

  // What would be started, what it costs, and from when to when.
  const clock = (at) => {
    const time = document.createElement("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.dataset.clock = "time";
    return time;
  };
  function about(at) {
    const [before, after] = sentences.about.split("{time}");
    return [before, clock(at), after];
  }
  const put = (id, ...parts) => {
    const element = byId(id);
    const fresh = document.createElement(element.tagName);
    fresh.append(...parts.filter(Boolean));
    fabricClock.write(fresh);
    if (element.innerHTML !== fresh.innerHTML) element.replaceChildren(...fresh.childNodes); // changes alone are heard of
  };

  function cost(radio) {
    const asked = Number(hours.value);
    const told = Object.entries(JSON.parse(radio.dataset.perHour)).map(([tres, each]) =>
      many(sentences.units[tres], each * asked),
    );
    const left = project()?.dataset.left;
    const first = told[0] || "";
    const gpus = Object.keys(JSON.parse(radio.dataset.perHour))[0] === "gres/gpu";
    if (first) told[0] = fill(left && gpus ? sentences.upToOf : sentences.upTo, { cost: first, left: number.format(left) });
    return told.join(" · ");
  }

  function summarise() {
    const radio = profile();
    const asked = Number(hours.value);
    const state = radio?.closest("[data-profile]").querySelector(".fabric-state");
    const at = Number(radio?.closest("[data-profile]").dataset.at) || 0;
    const free = state?.dataset.state === "free";
    const parts = [
      radio?.dataset.title,
      project()?.dataset.title,
      radio && asked > 0 && many(sentences.hours, asked),
      radio && image.selectedOptions[0]?.text,
      picked() && many(sentences.datasets, picked()),
      name.value,
    ];
    put("start-summary-text", parts.filter(Boolean).join(" · "));
    put("start-cost", radio && asked > 0 ? cost(radio) : "—");
    put("start-starts", ...(!radio ? ["—"] : free ? [sentences.now] : at ? about(at) : [sentences.waits]));
    const begins = free ? Math.floor(Date.now() / 60_000) * 60 : at;
    put("start-ends", ...(radio && begins && asked > 0 ? about(begins + 3600 * asked) : ["—"]));
    byId("software-chosen").textContent = image.selectedOptions[0]?.text || "";
    if (byId("datasets-count")) byId("datasets-count").textContent = number.format(picked());
  }

  // The machines, kept up to date.
  const EVERY_MS = 15_000;
  let asking = null;
  function showMachines({ machines, age }) {
    for (const [value, told] of Object.entries(machines)) {
      const card = radios.find((radio) => radio.value === value)?.closest("[data-profile]");
      const state = card?.querySelector(".fabric-state");
      if (!state || "never" in card.querySelector("input").dataset) continue;
      state.dataset.state = told.state;
      if (state.textContent !== told.word) state.textContent = told.word;
      card.dataset.at = told.at || "";
      const expected = card.querySelector(".fabric-expected");
      expected?.replaceChildren(...(told.at ? about(told.at) : []));
    }
    byId("machines-age").textContent = age;
    summarise();
  }
  async function look() {
    if (document.hidden) return;
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      const query = Number(hours.value) > 0 ? `?hours=${encodeURIComponent(hours.value)}` : "";
      const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
      const answer = await fetch(`${root.dataset.machines}${query}`, { headers, signal: mine.signal });
      if (answer.ok) showMachines(await answer.json());
    } catch {
      // what is shown says how old it is; it is asked again
    }
  }
  let soon = 0;
  function lookSoon() {
    clearTimeout(soon);
    soon = setTimeout(look, 400);
  }
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);

  // A link to this choice.
  const link = byId("link");
  byId("copy-link").addEventListener("click", async () => {
    const said = byId("copy-said");
    const url = new URL(form.action, location.href);
    url.search = "";
    const fields = { project: project()?.value, profile: profile()?.value, image: image.value, hours: hours.value };
    for (const [key, value] of Object.entries(fields)) if (value) url.searchParams.append(`opt-${key}`, value);
    for (const entry of datasets) if (box(entry).checked) url.searchParams.append("opt-datasets", entry.dataset.dataset);
    url.pathname = url.pathname.replace(/(\/hub\/spawn)\/.*$/, "$1"); // whoever opens it starts a session of their own
    link.value = url.href;
    try {
      await navigator.clipboard.writeText(url.href);
      said.textContent = sentences.copied;
    } catch {
      link.hidden = false;
      link.select();
      said.textContent = sentences.copy;
    }
  });

  byId("preset")?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it saves, it does not start
    byId("save-preset").click();
  });

  projects.forEach((radio) => radio.addEventListener("change", chooseProject));
  radios.forEach((radio) => radio.addEventListener("change", () => chooseProfile(radio)));
  // what is wrong is shown, also where it is folded away
  form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter !== start) return;
    if (!name.value || root.dataset.serverName) return;
    const action = new URL(form.action, location.href);
    const [, before, user] = action.pathname.match(/^(.*\/hub\/spawn)(?:\/([^/]+))?/) || [];
    const owner = user || (window.jhdata && window.jhdata.user);
    if (before && owner) {
      action.pathname = `${before}/${owner}/${name.value}`;
      form.action = action.href;
    }
  });

  // What nobody has chosen yet: the only project, or the first that is no client's.
  const open = projects.filter((radio) => !radio.disabled);
  const first = open.length === 1 ? open[0] : open.find((radio) => radio.dataset.kind !== "client");
  if (!project() && first) first.checked = true;
  const given = hours.value;
  for (const radio of radios) {
    const expected = radio.closest("[data-profile]").querySelector(".fabric-expected time");
    if (expected) radio.closest("[data-profile]").dataset.at = Date.parse(expected.dateTime) / 1000;
  }
  chooseProject();
  if (profile() && Number(given) > 0) hours.value = given;
  else if (profile() && !Number(hours.value)) chooseProfile(profile());
  showTimes();
  summarise();
  form.addEventListener("input", () => {
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.textContent === fill(sentences.chip, { n: number.format(Number(hours.value)) })));
    summarise();
    lookSoon();
  });
  form.addEventListener("change", () => {
    summarise();
    lookSoon();
  });
})();
