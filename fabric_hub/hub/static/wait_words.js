// What the waiting page says of times and steps. Functions that know no page; tests/unit/hub/test_wait_words.py runs them.
const fabricWait = (() => {
  const fill = (sentence, parts) => sentence.replace(/\{(\w+)\}/g, (_, name) => parts[name]);

  /** A time in few characters: "40 s", "12 min", "1 h 05 min". */
  function brief(seconds, words) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return fill(words.seconds, { seconds: whole });
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return fill(words.minutes, { minutes });
    return fill(words.hours, { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
  }

  /** A title of the tab: the wait that is still to come, where it is known and a minute or more, and the heading. */
  function title(heading, expected, now, words) {
    const left = expected == null ? 0 : expected - now;
    return left < 60 ? heading : fill(words.title, { time: brief(Math.round(left / 60) * 60, words), heading });
  }

  /** For each step its state: "done", "now", "wrong" (where a start failed) or "later". `steps`: where each begins. */
  function states(steps, progress, failed) {
    const reached = steps.filter((step) => step <= progress).length;
    return steps.map((_, index) => {
      if (index < reached - 1) return "done";
      if (index > reached - 1) return "later";
      return failed ? "wrong" : "now";
    });
  }

  /** What is asked before a start is cancelled; null while it has waited for less than a minute. */
  function question(waited, ahead, words) {
    if (waited < 60) return null;
    const time = brief(waited, words);
    return ahead == null ? fill(words.waited, { time }) : fill(words.place, { place: ahead + 1, time });
  }

  /** A form's address, with where it leads on. */
  function address(url, next) {
    return next ? `${url}?${new URLSearchParams({ next })}` : url;
  }

  return { address, brief, fill, question, states, title };
})();
if (typeof module !== "undefined") module.exports = fabricWait;
