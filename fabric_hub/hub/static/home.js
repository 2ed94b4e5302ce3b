// The page Sessions: it keeps itself true while somebody looks at it, and asks before something would be lost.
// The functions of fabricHome decide and know no page but what they are given; tests/unit/hub/test_home_script.py.
const fabricHome = (() => {
  /** What a name that somebody types becomes, as fabric_hub/sessions/names.py has it: "Training Run" → "training-run". */
  function madeValid(typed) {
    const letters = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", þ: "th" };
    return typed
      .slice(0, 300)
      .toLowerCase()
      .replace(/[ßæœøđðłþ]/g, (letter) => letters[letter])
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 30)
      .replace(/-+$/, "");
  }

  /** What changed between two looks, in sentences: sessions are {key: {name, word}}. */
  function changes(before, after, gone) {
    const told = [];
    for (const [key, { name, word }] of Object.entries(after)) {
      if (before[key]?.word !== word) told.push(`${name}: ${word}`);
    }
    for (const [key, { name }] of Object.entries(before)) {
      if (!after[key]) told.push(gone.replace("{name}", () => name));
    }
    return told.join(". ");
  }

  return { madeValid, changes };
})();
if (typeof module !== "undefined") module.exports = fabricHome;

(() => {
  const root = typeof document === "undefined" ? null : document.getElementById("fabric-home");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const live = document.getElementById("home-live");
  const message = document.getElementById("home-message");
  const said = document.getElementById("home-said");
  const heading = document.getElementById("home-heading");
  const ask = document.getElementById("home-ask");
  const token = () => window.jhdata && window.jhdata.xsrf_token;

  const fill = (sentence, parts) => sentence.replace(/\{(\w+)\}/g, (_, part) => parts[part]);

  function shown() {
    const cards = [...live.querySelectorAll("[data-server][data-word]")];
    return Object.fromEntries(cards.map((one) => [one.dataset.key, { name: one.dataset.name, word: one.dataset.word }]));
  }

  /** By what an element is found again after its card was put in anew. */
  function mark(element) {
    if (!element || !live.contains(element)) return null;
    const holder = element.closest("[data-server], [data-ended], [data-preset]");
    const which = element.dataset.verb ? `[data-verb="${element.dataset.verb}"]` : element.tagName.toLowerCase();
    const of = ["server", "ended", "preset"].find((name) => holder && name in holder.dataset);
    return of ? `[data-${of}="${CSS.escape(holder.dataset[of])}"]${of === "server" ? "[data-word]" : ""} ${which}` : which;
  }

  function put(html) {
    const fresh = new DOMParser().parseFromString(`<div>${html}</div>`, "text/html").body.firstElementChild;
    const focused = document.activeElement;
    const selector = mark(focused);
    const before = shown();
    fabricMerge(live, document.importNode(fresh, true));
    const told = fabricHome.changes(before, shown(), words.gone);
    if (told) said.textContent = told; // for who does not see it
    if (selector && !document.contains(focused)) (live.querySelector(selector) || heading).focus();
  }

  const look = fabricFollow({
    url: live.dataset.url,
    version: root.dataset.version,
    message,
    silent: words.silent,
    put: (body) => body.html !== undefined && put(body.html),
  });

  /** Whether to go on: asked only where something would be lost. */
  function agreed(verb, name, loses) {
    if (!loses.length) return Promise.resolve(true);
    document.getElementById("home-ask-title").textContent = fill(verb === "stop" ? words.stopTitle : words.cancelTitle, {
      name,
    });
    document.getElementById("home-ask-yes").textContent = verb === "stop" ? words.stop : words.cancel;
    document.getElementById("home-ask-loses").replaceChildren(
      ...loses.map((sentence) => {
        const item = document.createElement("li");
        item.textContent = sentence;
        return item;
      }),
    );
    ask.returnValue = "";
    ask.showModal();
    return new Promise((resolve) =>
      ask.addEventListener("close", () => resolve(ask.returnValue === "yes"), { once: true }),
    );
  }

  async function refused(answer) {
    const problem = await answer.json().catch(() => ({}));
    message.textContent = fill(words.failed, { problem: problem.message || answer.status });
  }

  async function end(clicked) {
    const verb = clicked.dataset.verb;
    const selector = mark(clicked);
    await look(true); // what would be lost is what the session said last
    const button = live.querySelector(selector);
    if (!button) return; // it has ended meanwhile
    const name = button.closest("[data-name]").dataset.name;
    const yes = await agreed(verb, name, JSON.parse(button.dataset.loses));
    const now = live.querySelector(selector);
    now?.focus(); // also when its card was put in anew meanwhile
    if (!yes || !now) return;
    heading.focus(); // the button goes, with its card
    now.disabled = true;
    now.textContent = verb === "stop" ? words.stopping : words.cancelling;
    const answer = await fetch(now.dataset.url, { method: "DELETE", headers: { "X-XSRFToken": token() } });
    if (!answer.ok) await refused(answer);
    await look(true);
  }

  const post = (what, fields) =>
    fetch(`${live.dataset.url.replace(/sessions$/, what)}`, {
      method: "POST",
      headers: { "X-XSRFToken": token(), "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields),
    });

  async function remove(button) {
    heading.focus();
    button.disabled = true;
    button.textContent = words.removing;
    const answer = await post("remove", { session: button.dataset.session });
    if (!answer.ok) await refused(answer);
    await look(true);
  }

  /** Start a session with the same choices beside this one; its page tells how it fares. */
  async function goOn(button) {
    const selector = mark(button);
    const { session } = button.dataset;
    const dialog = document.getElementById("home-continue");
    const end = document.getElementById("home-continue-end");
    document.getElementById("home-continue-title").textContent = fill(words.continueTitle, {
      name: button.closest("[data-name]").dataset.name,
    });
    end.checked = false;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    const now = live.querySelector(selector);
    (now || heading).focus(); // also when its card was put in anew meanwhile
    if (dialog.returnValue !== "yes") return;
    message.textContent = words.continuing;
    const answer = await post("continue", { session, ...(end.checked ? { end: "yes" } : {}) });
    if (answer.ok) {
      location.assign((await answer.json()).url);
      return;
    }
    await refused(answer);
    await look(true);
  }

  live.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-verb]");
    if (!button || button.disabled) return;
    if (button.dataset.verb === "remove") remove(button);
    else if (button.dataset.verb === "continue") goOn(button);
    else end(button);
  });

  const typed = document.getElementById("new-name");
  const told = document.getElementById("new-name-told");
  typed.addEventListener("input", () => {
    const name = fabricHome.madeValid(typed.value);
    told.textContent = name === typed.value ? "" : name ? fill(words.named, { name }) : words.anyName;
  });
})();
