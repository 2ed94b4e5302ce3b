// Loaded into the proxy before its own program: what it logs has the format of fabric_hub/logs/lines.py.
//
// The proxy writes "TIME [ConfigProxy] LEVEL: MESSAGE" to its standard output, in colours, with the addresses of
// requests and whatever stands in them.
"use strict";

const asJson = process.env.FABRIC_LOG_FORMAT === "json";
delete process.env.FABRIC_LOG_FORMAT;

const WINDOW_MS = 60000;
const MOST_LINES = 1000;
const LINE = /^(?:(\S+) )?\[ConfigProxy\] (\w+): ([^]*)$/;
const LEVELS = { error: "ERROR", warn: "WARNING", warning: "WARNING", info: "INFO", debug: "DEBUG" };
// in steps: one expression for all of it takes seconds for a long name that somebody has made up for that
const PARAMETER = /(?:[?&;]|%3f|%26)([\w.-]+)(?:=|%3d)/gi;
const VALUE = /[^&\s"'#;]*/y;
const SECRET = /token|auth|key|code|state|xsrf|secret|passw|ticket|assertion|signature/i;
const SECRETS = [
  [/(\/authorizations\/(?:token|cookie\/[^/\s]+)\/)[^\s/?"']+/g, "$1[hidden]"],
  [/\b(token|bearer|basic)(\s+)[\w.~+/=-]{16,}/gi, "$1$2[hidden]"],
];
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function escaped(text) {
  return text.replace(CONTROL, (one) => {
    const number = one.charCodeAt(0);
    const short = { 9: "\\t", 10: "\\n", 13: "\\r" }[number];
    const hex = number.toString(16);
    return short || (number < 256 ? "\\x" + hex.padStart(2, "0") : "\\u" + hex.padStart(4, "0"));
  });
}

function withoutParameters(text) {
  let [kept, told] = ["", 0];
  PARAMETER.lastIndex = 0;
  for (let match; (match = PARAMETER.exec(text)); ) {
    if (!SECRET.test(match[1])) continue;
    VALUE.lastIndex = PARAMETER.lastIndex;
    VALUE.test(text);
    kept += text.slice(told, PARAMETER.lastIndex) + "[hidden]";
    told = PARAMETER.lastIndex = VALUE.lastIndex;
  }
  return kept + text.slice(told);
}

function hidden(text) {
  return SECRETS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), withoutParameters(text));
}

// JSON itself lets through what a terminal acts on: C1, and what turns a line's direction
function json(told) {
  return JSON.stringify(told).replace(CONTROL, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
}

function line(level, message) {
  const time = new Date().toISOString();
  return asJson
    ? json({ time, level, daemon: "proxy", code: "", message, logger: "ConfigProxy" })
    : `${time} ${level} proxy[-] ${escaped(message)}`;
}

// when a line was first written, and how often it came since
const seen = new Map();

function due(write, now) {
  for (const [key, entry] of seen) {
    if (now - entry.since < WINDOW_MS && seen.size <= MOST_LINES) break;
    seen.delete(key);
    if (entry.count) {
      const seconds = Math.min(WINDOW_MS, now - entry.since) / 1000;
      write(line(entry.level, `repeated ${entry.count} times in ${Math.round(seconds)} s: ${entry.message}`) + "\n");
    }
  }
}

function wrap(stream, otherwise) {
  const write = stream.write.bind(stream);
  stream.write = (chunk, encoding, done) => {
    const ended = typeof encoding === "function" ? encoding : done;
    // eslint-disable-next-line no-control-regex
    const text = String(chunk).replace(/\u001b\[[0-9;]*m/g, "").replace(/\n$/, "");
    if (text) {
      const match = LINE.exec(text);
      const level = match ? LEVELS[match[2]] || otherwise : otherwise;
      const message = hidden(match ? match[3] : text);
      const [key, now] = [`${level} ${message}`, Date.now()];
      due(write, now);
      const known = seen.get(key);
      if (known) {
        known.count += 1;
        if (known.count === 1) setTimeout(() => due(write, Date.now()), known.since + WINDOW_MS - now + 10).unref();
      } else {
        seen.set(key, { since: now, count: 0, level, message });
        return write(line(level, message) + "\n", ended);
      }
    }
    if (ended) process.nextTick(ended);
    return true;
  };
}

wrap(process.stdout, "INFO");
wrap(process.stderr, "ERROR");
