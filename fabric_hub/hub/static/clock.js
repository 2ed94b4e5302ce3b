// Moments on a page in the reader's own time zone: <time datetime="2026-11-30T19:46:00+01:00" data-clock="time">.
// data-clock: "time" (19:46, with the date when it is another day), "date" (30 November 2026), "in" (in 42 min).
// The functions up to `write` decide and know no page; tests/unit/hub/test_clock.py runs them.
const fabricClock = (() => {
  const MINUTE = 60_000;
  const EUROPE = { en: "en-GB" }; // 24 hours, day before month, as the hub itself writes English

  /** The time of day; with the day and the month where it is not the day of `now` in that zone. */
  function time(at, now, language, timeZone) {
    const locale = EUROPE[language] || language;
    const part = (options) => new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(at);
    const clock = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const day = (moment) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(moment);
    if (day(at) === day(now)) return clock;
    return `${part({ day: "2-digit" })} ${part({ month: "short" }).replace(/\.$/, "")} ${clock}`;
  }

  /** The day, in words. */
  function date(at, language, timeZone) {
    return new Intl.DateTimeFormat(EUROPE[language] || language, { timeZone, dateStyle: "long" }).format(at);
  }

  /** How long it is until then, in whole minutes, rounded as a clock is read; what is over is now. */
  function until(at, now, words) {
    const left = Math.round((at - now) / MINUTE);
    const parts = { days: Math.floor(left / 1440), hours: Math.floor(left / 60) % 24, minutes: left % 60 };
    const sentence =
      left < 1 ? words.now : parts.days ? words.days : parts.hours ? words.hours : words.minutes;
    return sentence.replace(/\{(\w+)\}/g, (_, name) =>
      name === "minutes" && left >= 60 ? String(parts.minutes).padStart(2, "0") : parts[name],
    );
  }

  /** What stands in a <time>: `kind` is its data-clock; an address of no moment gives null. */
  function say(kind, datetime, now, words, language, timeZone) {
    const at = Date.parse(datetime);
    if (Number.isNaN(at)) return null;
    if (kind === "in") return until(at, now, words);
    return kind === "date" ? date(at, language, timeZone) : time(at, now, language, timeZone);
  }

  /** Write every moment below `root`, and `root` itself. */
  function write(root) {
    const words = JSON.parse(document.body.dataset.clockWords);
    const own = root.matches?.("time[data-clock]") ? [root] : [];
    for (const element of [...own, ...root.querySelectorAll("time[data-clock]")]) {
      const said = say(element.dataset.clock, element.dateTime, Date.now(), words, document.documentElement.lang);
      if (said !== null && element.textContent !== said) element.textContent = said;
    }
  }

  return { say, write };
})();
if (typeof module !== "undefined") module.exports = fabricClock;
