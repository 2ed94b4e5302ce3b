// One stream of events for all tabs of a browser that show the same page: one tab listens and tells the others.
// A tab that nobody sees lets go of it, so that a browser with many tabs holds few connections.
// Where a browser has no locks (they want https), each tab that is seen has a stream of its own.
// eslint-disable-next-line no-unused-vars
function fabricStream(url, { onEvent, onTrouble, stay = () => false }) {
  const RETRY_MS = 5000;
  const name = `fabric-stream:${url.split("?")[0]}`;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(name) : null;
  let source = null;
  let last = null; // the latest event, for a tab that comes later
  let waiting = null; // for the lock, or for another try
  let release = null; // the lock
  let over = false;

  function take(event, own) {
    last = event;
    onEvent(event, own);
  }

  // Other tabs read a failure from their own page: what has tags in it is taken from the hub only.
  function pass() {
    const plain = { ...last };
    delete plain.html_message;
    channel?.postMessage({ event: plain });
  }

  function open() {
    source = new EventSource(url);
    source.onmessage = (raw) => {
      const event = JSON.parse(raw.data);
      take(event, true);
      pass();
    };
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return onTrouble(null); // the browser tries again by itself
      source = null;
      why().then((problem) => {
        if (over) return;
        onTrouble(problem);
        setTimeout(() => source || over || document.hidden || open(), RETRY_MS);
      });
    };
  }

  // An EventSource does not say why it was refused.
  async function why() {
    const asking = new AbortController();
    try {
      const answer = await fetch(url, { signal: asking.signal });
      return answer.ok ? { status: 200 } : { status: answer.status, ...(await answer.json().catch(() => ({}))) };
    } catch {
      return { status: 0 };
    } finally {
      asking.abort();
    }
  }

  function listen() {
    if (over || source || waiting) return;
    if (!navigator.locks || release) return open();
    waiting = new AbortController();
    navigator.locks
      .request(name, { signal: waiting.signal }, () => {
        waiting = null;
        if (over || (document.hidden && !stay())) return undefined;
        open();
        return new Promise((resolve) => (release = resolve));
      })
      .catch(() => {}); // it was no longer wanted
    channel?.postMessage({ hello: true });
  }

  function leave() {
    waiting?.abort();
    waiting = null;
    source?.close();
    source = null;
    release?.();
    release = null;
  }

  channel?.addEventListener("message", ({ data }) => {
    if (data.hello && source && last) pass();
    else if (data.event && !source && !over) take(data.event, false);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) listen();
    else if (!stay()) leave();
  });
  if (!document.hidden) listen();
  return {
    close() {
      over = true;
      leave();
      setTimeout(() => channel?.close()); // the last event goes to the others first
    },
  };
}
