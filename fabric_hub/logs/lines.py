"""One log format for every daemon: ``time level daemon[code] message key=value``, or the same as JSON.

A record is one line, whatever a user typed: control characters are escaped, what looks like a secret is hidden, and a
line that comes again and again is counted, not written. The lines of a traceback follow it, each after a bar.

``logging``'s own calls stay as they are. ``extra={"fields": {...}}`` adds keys and values; the code is that of an
error among the arguments, or ``extra={"code": ...}``.

The node's agent has a copy of this file, for it shares no code with the hub: the standard library of Python 3.9 only.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, TextIO

WINDOW_S = 60.0  # in which a line that is there already is counted
MOST_LINES = 1000  # lines whose repetitions are counted at once
QUIET = ("httpx", "httpcore", "alembic")  # libraries that say at INFO what each call does
HIDDEN = "[hidden]"
_CODE = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_CODED = re.compile(r"^\[([a-z0-9]+(?:-[a-z0-9]+)*)(?:, [a-z0-9, -]*)?\] ")
_PLAIN = re.compile(r"[^\s\"=\\]+")
# C0, C1, and what ends a line or turns its direction somewhere
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_SECRET_NAME = re.compile("token|auth|key|code|state|xsrf|secret|passw|ticket|assertion|signature", re.IGNORECASE)
# A parameter of a URL: ?token=..., also percent-encoded within another one; and its value. Whether the name is a
# secret's is asked apart: one expression for all of it takes seconds for a long name that was made up for that.
_PARAMETER = re.compile(r"(?:[?&;]|%3f|%26)([\w.-]+)(?:=|%3d)", re.IGNORECASE)
_VALUE = re.compile(r"[^&\s\"'#;]*")
_SECRETS = (
    (re.compile(r"(/authorizations/(?:token|cookie/[^/\s]+)/)[^\s/?\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^/\s:@\"']*:)[^@\s/\"']+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(\b(?:set-)?cookie[\"']?\s*:\s*[\"']?)[^\"'\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(token|bearer|basic)(\s+)[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            r"(\b\w*(?:token|password|passwd|secret|authorization)[\"']?\s*[:=]\s*[\"']?)"
            r"(?!(?:token|bearer|basic)\s|\[hidden\])[^\s\"',;&]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def hidden(text: str) -> str:
    """A text without the tokens, passwords and cookies that a URL or a header in it may have."""
    text = _without_parameters(text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _without_parameters(text: str) -> str:
    parts, told, at = [], 0, 0
    while match := _PARAMETER.search(text, at):
        at = match.end()
        value = _VALUE.match(text, at) if _SECRET_NAME.search(match.group(1)) else None
        if value:
            parts += [text[told:at], HIDDEN]
            told = at = value.end()
    return "".join([*parts, text[told:]])


def escaped(text: str) -> str:
    """A text on one line: characters that a terminal or a reader of logs would act on are written as escapes."""

    def escape(match: re.Match[str]) -> str:
        number = ord(match.group())
        short = {9: r"\t", 10: r"\n", 13: r"\r"}.get(number)
        return short or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")

    return _CONTROL.sub(escape, text)


def field(name: str, value: object) -> str:
    """``name=value``; a value that is more than one plain word stands in quotation marks, as in JSON."""
    text = escaped(_of_field(name, value))
    return f"{name}={text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)}"


def _of_field(name: str, value: object) -> str:
    if re.fullmatch(r"(?i)\w*(?:token|password|secret|cookie)", name):
        return HIDDEN
    return hidden(str(value))


def code_of(record: logging.LogRecord) -> str:
    """The code of what a record is about: given, an error's, or what an argument's text begins with in brackets."""
    errors: list[object] = list(record.args) if isinstance(record.args, tuple) else []
    if record.exc_info and record.exc_info[1]:
        errors.append(record.exc_info[1])
    found = [getattr(record, "code", None)]
    for error in errors:
        if isinstance(error, str):
            found += _CODED.findall(error[:80])
        elif isinstance(error, BaseException):
            found += [getattr(getattr(error, "said", None), "code", None), getattr(error, "reason", None)]
    return next((one for one in found if isinstance(one, str) and _CODE.fullmatch(one)), "")


def fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    """The keys and values of a record, without those that have no value."""
    given = getattr(record, "fields", None) or {}
    return {name: value for name, value in given.items() if value not in (None, "")}


class Lines(logging.Formatter):
    """Makes lines of records.

    :param daemon: the name of the process that logs.
    :param as_json: one JSON object for each record in place of text.
    """

    def __init__(self, daemon: str, as_json: bool = False) -> None:
        super().__init__()
        self._daemon, self._as_json = daemon, as_json

    def format(self, record: logging.LogRecord) -> str:
        """One record, without a newline at its end."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        message, code, fields = hidden(record.getMessage()), code_of(record), fields_of(record)
        trace = hidden(self.formatException(record.exc_info)) if record.exc_info and record.exc_info[1] else ""
        if self._as_json:
            told: dict[str, object] = {"time": at, "level": record.levelname, "daemon": self._daemon, "code": code}
            told.update(message=message, logger=record.name)
            told.update((name, _json(name, value)) for name, value in fields.items() if name not in told)
            return json.dumps({**told, "traceback": trace} if trace else told, ensure_ascii=True)
        parts = [at, record.levelname, f"{self._daemon}[{code or '-'}]", escaped(message)]
        parts += [field(name, value) for name, value in fields.items()]
        return "\n".join([" ".join(parts), *(f"  | {escaped(line)}" for line in trace.split("\n") if trace)])


def _json(name: str, value: object) -> object:
    return value if isinstance(value, (int, float, bool)) else _of_field(name, value)


class Repeats:
    """Which lines are written, and which are only counted.

    A line is written when it has not been for ``window_s`` seconds; what came meanwhile is told as one number.
    """

    def __init__(self, window_s: float = WINDOW_S, most: int = MOST_LINES) -> None:
        self._window_s, self._most = window_s, most
        self._seen: OrderedDict[Hashable, tuple[float, int, Any]] = OrderedDict()  # since when, how many more, of what

    def take(self, key: Hashable, what: Any, now: float) -> bool:
        """Whether this one is written; ``what`` is given back with its count by :meth:`due`."""
        if key in self._seen:
            since, count, first = self._seen[key]
            self._seen[key] = (since, count + 1, first)
            return False
        self._seen[key] = (now, 0, what)
        return True

    def due(self, now: float) -> list[tuple[Any, int, float]]:
        """What was repeated, how often and in how many seconds, of all windows that are over by ``now``."""
        told = []
        while self._seen:
            key, (since, count, what) = next(iter(self._seen.items()))
            if now - since < self._window_s and len(self._seen) <= self._most:
                break
            del self._seen[key]
            if count:
                told.append((what, count, min(self._window_s, now - since)))
        return told

    def waits_s(self, now: float) -> float | None:
        """Until the first count is due; None where nothing was repeated."""
        waiting = [since for since, count, _ in self._seen.values() if count]
        return max(0.0, min(waiting) + self._window_s - now) if waiting else None


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]  # Python 3.9 takes no argument
    """Writes lines to a stream: one that is repeated once, with a count when its window or the process ends."""

    def __init__(self, stream: TextIO | None = None, window_s: float = WINDOW_S) -> None:
        super().__init__(stream)
        self._repeats = Repeats(window_s)
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it; called with the handler's lock."""
        try:
            self._emit(record)
        except Exception:  # a message that does not fit its arguments
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        self._tell(now)
        if self._repeats.take(_key(record), record, now):
            super().emit(record)
        elif self._timer is None and (wait := self._repeats.waits_s(now)) is not None:
            self._timer = threading.Timer(wait + 0.01, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        """A storm that is over is told of, too."""
        self.acquire()
        try:
            now = time.monotonic()
            self._timer = None
            self._tell(now)
            if (wait := self._repeats.waits_s(now)) is not None:
                self._timer = threading.Timer(wait + 0.01, self._look)
                self._timer.daemon = True
                self._timer.start()
        finally:
            self.release()

    def _tell(self, now: float) -> None:
        for record, count, seconds in self._repeats.due(now):
            again = copy.copy(record)
            again.created = time.time()
            again.msecs = again.created % 1 * 1000
            again.msg, again.args = "repeated %d times in %.0f s: %s", (count, seconds, record.getMessage())
            again.code = code_of(record)
            again.exc_info, again.exc_text = None, None
            super().emit(again)

    def close(self) -> None:
        """Tell what was counted and not yet told."""
        self.acquire()
        try:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._tell(float("inf"))
        finally:
            self.release()
        super().close()


def _key(record: logging.LogRecord) -> Hashable:
    """What makes two records the same line: all but the time, and how long it took."""
    told = tuple((name, str(value)) for name, value in fields_of(record).items() if name != "ms")
    kind = record.exc_info[0] if record.exc_info else None
    return record.name, record.levelno, record.getMessage(), told, kind


def configure(daemon: str, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Let everything that this process logs, from INFO on, be lines on its standard error (or ``stream``)."""
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(Lines(daemon, as_json))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def for_dict_config(daemon: str, as_json: bool = False) -> dict[str, Any]:
    """The same for an application that configures ``logging`` itself and calls its handler ``console``."""
    return {
        "formatters": {"fabric": {"()": f"{__name__}.Lines", "daemon": daemon, "as_json": as_json}},
        "handlers": {"console": {"class": f"{__name__}.LineHandler", "formatter": "fabric"}},
        "root": {"level": "INFO", "handlers": ["console"]},
        "loggers": {name: {"level": "WARNING"} for name in QUIET},
    }
