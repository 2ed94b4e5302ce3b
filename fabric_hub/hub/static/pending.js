// The waiting page: follows the hub's progress events, marks the step, and lets the user cancel.
(() => {
  const root = document.getElementById("fabric-pending");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const title = document.title.split(" · ").pop(); // the product's name
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium", hourCycle: "h23" });
  const bar = document.getElementById("progress-bar");
  const message = document.getElementById("progress-message");
  const history = document.getElementById("progress-log");
  const heading = document.getElementById("pending-heading");
  const hint = document.getElementById("pending-hint");
  const cancel = document.getElementById("cancel");
  const again = document.getElementById("again");
  const wait = document.getElementById("pending-wait");
  const job = document.getElementById("pending-job");
  const steps = [...root.querySelectorAll("[data-step]")];

  function mark(progress, failed) {
    bar.setAttribute("aria-valuenow", String(progress));
    bar.style.width = `${progress}%`;
    bar.classList.toggle("bg-danger", failed);
    const reached = steps.filter((step) => Number(step.dataset.step) <= progress);
    steps.forEach((step) => {
      const current = step === reached[reached.length - 1];
      step.classList.toggle("active", current);
      if (current) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
  }

  function say(event) {
    // html_message is the hub's own, escaped where it was made
    if (event.html_message) message.innerHTML = event.html_message;
    else message.textContent = event.message || "";
    const line = document.createElement("div");
    line.textContent = `${clock.format(new Date())}  ${message.innerText}`;
    history.append(line);
  }

  let expected = null; // Unix seconds
  function count() {
    const minutes = expected === null ? 0 : Math.round(expected - Date.now() / 1000) / 60;
    const parts = { hours: Math.floor(minutes / 60), minutes: Math.floor(minutes) % 60 };
    const said = minutes < 1 ? "" : parts.hours ? words.waitHours : words.waitMinutes;
    wait.textContent = said.replace(/\{(\w+)\}/g, (_, part) => parts[part]);
  }
  setInterval(count, 10_000);

  function head(text) {
    heading.textContent = text;
    document.title = `${text} · ${title}`;
  }

  const events = new EventSource(root.dataset.progressUrl);
  events.onmessage = (raw) => {
    const event = JSON.parse(raw.data);
    if (event.message === "Server requested") return;
    say(event);
    head(event.heading || words.starting);
    expected = event.expected ?? null;
    count();
    if (event.job) job.textContent = event.job;
    if (event.failed) {
      events.close();
      mark(100, true);
      steps.forEach((step) => step.classList.remove("active"));
      head(words.failed);
      message.className = "alert alert-danger";
      hint.classList.add("d-none");
      cancel.classList.add("d-none");
      again.classList.remove("d-none");
    } else {
      mark(event.progress || 0, false);
      hint.classList.toggle("d-none", event.progress >= 50); // it is on a node: there is no place to lose
    }
    if (event.ready) {
      events.close();
      location.reload(); // the hub sends a ready session's user to it
    }
  };

  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    cancel.textContent = words.cancelling;
    events.close();
    const token = window.jhdata && window.jhdata.xsrf_token;
    const answer = await fetch(root.dataset.stopUrl, {
      method: "DELETE",
      headers: token ? { "X-XSRFToken": token } : {},
    });
    if (answer.ok) {
      location.href = `${root.dataset.spawnUrl}#cancelled`; // start.js says so
    } else {
      const problem = await answer.json().catch(() => ({}));
      message.textContent = words.notCancelled.replace("{problem}", () => problem.message || answer.status);
      cancel.disabled = false;
      cancel.textContent = words.cancel;
    }
  });
})();
