// The waiting page: follows the hub's events of one start, marks its steps, starts what would start sooner beside it, cancels.
(() => {
  const root = document.getElementById("fabric-pending");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const product = document.title.split(" · ").pop();
  const part = (id) => document.getElementById(id);
  const message = part("progress-message");
  const hint = part("pending-hint");
  const cancel = part("cancel");
  const notify = part("notify");
  const dialog = part("cancel-dialog");
  const steps = [...root.querySelectorAll("[data-step]")];
  const STARTS = steps.map((step) => Number(step.dataset.step));
  const ICONS = { waiting: "#b45309", starting: "#1d4ed8", ready: "#15803d", failed: "#b42318" };
  let now = { progress: 0, times: {} }; // the latest event
  let ahead = null; // how many seconds the browser's clock is ahead of the hub's
  let stream = null;
  let heading = words.starting;
  let notifying = false;
  let pressed = null; // the button of what starts sooner, until that is known: the keyboard is its
  let leaving = false; // this tab ends the start: what the hub says of that is no news to it
  const hubTime = () => Date.now() / 1000 - (ahead || 0);

  function icon(state) {
    const [fill, shape] = [ICONS[state], state === "failed" ? "M10 10 22 22M22 10 10 22" : "M16 9v7l5 3"];
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="${fill}"/>` +
      `<path d="${state === "ready" ? "m9 17 5 5 9-11" : shape}" fill="none" stroke="#fff" stroke-width="3"/></svg>`;
    const link = document.querySelector('link[rel="icon"]');
    link.type = "image/svg+xml";
    link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }

  function head(text) {
    heading = text;
    part("pending-heading").textContent = text;
    count();
  }

  function moment(at) {
    const time = document.createElement("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.dataset.clock = "time";
    return time; // page.js writes it
  }

  function mark(progress, failed) {
    const states = fabricWait.states(STARTS, progress, failed);
    steps.forEach((step, index) => {
      const state = states[index];
      step.dataset.state = state;
      step.querySelector(".fabric-step-word").textContent = words[state] || "";
      if (state === "now") step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
      const shown = step.querySelector(".fabric-step-time");
      const at = now.times?.[step.dataset.key];
      if (state === "done" && at) shown.replaceChildren(moment(at));
      else if (state !== "now") shown.replaceChildren();
    });
    count();
  }

  // What counts on by itself: the time in the step, and the title of the tab.
  function count() {
    const step = steps.find((one) => one.dataset.state === "now");
    const since = step && now.times?.[step.dataset.key];
    if (since) step.querySelector(".fabric-step-time").textContent = fabricWait.brief(hubTime() - since, words);
    const title = `${fabricWait.title(heading, now.failed ? null : now.expected, hubTime(), words)} · ${product}`;
    if (document.title !== title) document.title = title;
  }
  setInterval(count, 1000);

  function note(text) {
    const line = document.createElement("div");
    line.append(moment(Date.now() / 1000), `  ${text}`);
    part("progress-log").append(line);
  }

  function say(event) {
    const before = message.innerText;
    // html_message is the hub's own, escaped where it was made
    if (event.html_message) message.innerHTML = event.html_message;
    else if (message.textContent !== (event.why || event.message || "")) message.textContent = event.why || event.message || "";
    if (message.innerText !== before) note(message.innerText);
  }

  function showQueue(event) {
    const waits = part("pending-wait");
    waits.hidden = !event.expected || event.expected <= hubTime();
    if (!waits.hidden) {
      const iso = new Date(event.expected * 1000).toISOString();
      part("pending-at").dateTime = part("pending-in").dateTime = iso;
      part("pending-basis").textContent = event.basis ? `· ${event.basis}` : "";
    }
    part("pending-slurm").hidden = !event.slurm;
    if (event.slurm) {
      part("pending-job").textContent = event.job || "";
      for (const cell of root.querySelectorAll("[data-slurm]")) cell.textContent = event.slurm[cell.dataset.slurm] || "–";
    }
    const choices = event.sooner || [];
    const box = part("pending-choices");
    part("pending-sooner").hidden = !choices.length;
    if (box.dataset.shown === JSON.stringify(choices)) return; // who has the focus on one of them keeps it
    box.dataset.shown = JSON.stringify(choices);
    box.replaceChildren(
      ...choices.map((choice) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn-outline-primary btn-sm";
        button.textContent = choice.text;
        button.title = words.sooner;
        button.addEventListener("click", () => startSooner(choice, event.session));
        return button;
      }),
    );
  }

  // The session that may start in this one's place: whichever begins first ends the other.
  function showPair(pair) {
    const line = part("pending-pair");
    line.hidden = !pair;
    if (!pair) return;
    const [text, link] = line.children;
    if (text.textContent !== pair.text) text.textContent = pair.text;
    link.href = pair.url;
    link.textContent = pair.link;
    if (pressed) link.focus(); // the button that was pressed goes
    pressed = null;
  }

  function tell(text) {
    if (notifying) new Notification(text, { body: part("pending-what")?.innerText.trim() || product, tag: root.dataset.stopUrl });
  }

  function fail(event, own) {
    stream?.close();
    tell(event.moved ? event.message : words.failed);
    if (!own || event.moved) return location.reload(); // the hub's own page says why, and leads on
    const reached = now.progress;
    now = { ...now, failed: true };
    mark(reached, true);
    head(words.failed);
    icon("failed");
    message.className = "fabric-failure";
    if (dialog.open) dialog.close("no"); // there is no place to give up any more
    const gone = [hint, cancel, notify, part("pending-sooner")];
    const focused = gone.some((one) => one.contains(document.activeElement));
    showQueue({});
    for (const one of gone) one.hidden = true;
    part("pending-after").hidden = false;
    if (focused) part("again").focus(); // what had the keyboard is not there any more
    part("fabric-rescue")?.classList.remove("btn-sm");
    for (const log of message.querySelectorAll("pre")) log.scrollTop = log.scrollHeight; // its end says most
  }

  function take(event, own) {
    if (leaving || event.message === "Server requested") return;
    part("pending-trouble").textContent = "";
    if (own && event.now) ahead ??= Date.now() / 1000 - event.now;
    if (own && event.failed) event.moved = /data-reason="other-started"/.test(event.html_message || "");
    if (own) event.ahead_s = ahead; // for the other tabs, which may hear of it later
    else ahead = event.ahead_s ?? ahead;
    if (event.failed) {
      say(event);
      fail(event, own);
      return;
    }
    if (event.ready) {
      stream?.close();
      icon("ready");
      tell(words.notified);
      location.reload(); // the hub sends a ready session's user to it
      return;
    }
    now = { times: {}, ...event };
    say(event);
    head(event.heading || words.starting);
    icon(event.progress < 50 ? "waiting" : "starting");
    mark(event.progress || 0, false);
    showPair(event.pair);
    showQueue(event);
    hint.hidden = event.progress >= 50; // it is on a node: there is no place to lose
  }

  function trouble(problem) {
    if (leaving) return;
    if (problem?.status === 400 || problem?.status === 404) location.reload(); // nothing starts any more
    else part("pending-trouble").textContent = problem?.status === 429 ? problem.message : words.reconnecting;
  }

  stream = fabricStream(root.dataset.progressUrl, { onEvent: take, onTrouble: trouble, stay: () => notifying });

  // -- a second session, which may start in this one's place

  async function startSooner(choice, session) {
    pressed = document.activeElement; // a button that is disabled loses the keyboard
    const buttons = [...part("pending-choices").children];
    for (const button of buttons) button.disabled = true;
    part("pending-trouble").textContent = words.starting_it;
    const body = new URLSearchParams(choice.query);
    body.set("session", session);
    body.set("_xsrf", window.jhdata.xsrf_token);
    const answer = await fetch(root.dataset.soonerUrl, { method: "POST", body }).catch(() => null);
    const problem = answer?.ok ? null : ((await answer?.json().catch(() => ({}))) ?? {});
    const why = [problem?.message || words.reconnecting, problem?.hint].filter(Boolean).join(" ");
    part("pending-trouble").textContent = problem ? fabricWait.fill(words.notStarted, { problem: why }) : "";
    for (const button of buttons) button.disabled = !problem; // the next event of this start has what follows
    if (problem) pressed?.focus();
    if (problem) pressed = null;
  }

  // -- cancel

  async function sure(text) {
    if (!text) return true;
    part("cancel-text").textContent = text;
    dialog.returnValue = "no";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    return dialog.returnValue === "yes";
  }

  async function giveUp() {
    const since = now.times?.queue;
    if (!(await sure(since && now.progress < 50 ? fabricWait.question(hubTime() - since, now.ahead, words) : null))) return;
    const buttons = [cancel, ...part("pending-choices").children];
    for (const button of buttons) button.disabled = true;
    cancel.textContent = words.cancelling;
    leaving = true;
    const token = window.jhdata && window.jhdata.xsrf_token;
    const answer = await fetch(root.dataset.stopUrl, {
      method: "DELETE",
      headers: token ? { "X-XSRFToken": token } : {},
    }).catch(() => ({ ok: false, status: 0, json: async () => ({ message: words.reconnecting }) }));
    if (answer.ok) {
      stream.close();
      const { spawnUrl, next } = root.dataset;
      location.href = `${fabricWait.address(spawnUrl, next)}#cancelled`; // start.js says so
      return;
    }
    leaving = false;
    const problem = await answer.json().catch(() => ({}));
    message.textContent = fabricWait.fill(words.notCancelled, { problem: problem.message || answer.status });
    for (const button of buttons) button.disabled = false;
    cancel.textContent = words.cancel;
    cancel.focus(); // it went from the button as that was disabled
  }
  cancel.addEventListener("click", giveUp);

  // -- notify, copy

  if ("Notification" in window && window.isSecureContext && Notification.permission !== "denied") notify.hidden = false;
  notify.addEventListener("click", async () => {
    notifying = !notifying && (await Notification.requestPermission()) === "granted";
    notify.setAttribute("aria-pressed", String(notifying));
    notify.textContent = notifying ? words.notifying : words.notify;
    if (Notification.permission === "denied") notify.hidden = true;
  });

  part("copy-details").addEventListener("click", async (event) => {
    const lines = [heading, part("pending-what")?.innerText, message.innerText, part("progress-log").innerText];
    await navigator.clipboard.writeText(lines.filter(Boolean).join("\n"));
    event.target.textContent = words.copied;
  });
})();
