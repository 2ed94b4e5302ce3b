"""What the log has of a text: its code before its English, so that a line is found by code in whatever words.

Every process calls :func:`with_codes` once. From then on a refusal, a wait or an end that is given to a logger as an
argument (``log.warning("Session %s is over: %s", session.id, error)``) is written with it: ``[no-image] This site …``.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from fabric_hub.errors import FabricError

from .reader import reader_of_terminal, reading
from .text import SENTENCES, VERBATIM, Text


def codes_of(told: Text | FabricError) -> list[str]:
    """The codes of a text or of an error's message: of each sentence in turn; none of words that are others'."""
    said = told.said if isinstance(told, FabricError) else told
    return list(_codes(said)) if isinstance(said, Text) else []


def coded(told: Text | FabricError) -> str:
    """A text or an error as a log has it: ``[no-image] This site offers no image.``; two sentences have two codes."""
    codes = codes_of(told)
    return f"[{', '.join(codes)}] {told}" if codes else str(told)


def with_codes() -> None:
    """Let every logger of this process write texts and errors with their codes; a second call changes nothing."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Records):
        logging.setLogRecordFactory(_Records(make))


def gives_up(error: FabricError) -> str:
    """What a daemon says on its standard error as it gives up: to whoever started it at a terminal, or to a log."""
    if not sys.stderr.isatty():
        return coded(error)
    with reading(reader_of_terminal(os.environ)):
        return error.say()


class _Records:
    """Makes the records of loggers."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_argument, record.args))
        elif isinstance(record.args, Mapping):
            record.args = {name: _argument(value) for name, value in record.args.items()}
        if isinstance(record.msg, Text | FabricError):
            record.msg = coded(record.msg)
        elif record.exc_info and isinstance(error := record.exc_info[1], FabricError) and (codes := codes_of(error)):
            # its English is the traceback's last line, which the logger writes by itself
            record.msg = f"[{', '.join(codes)}] {record.msg}"
        return record


def _argument(value: Any) -> Any:
    # one without a code stays what it is: a formatter may want to know its label
    return coded(value) if isinstance(value, Text | FabricError) and codes_of(value) else value


def _codes(text: Text) -> Iterator[str]:
    if text.code == SENTENCES:
        for part in text.params.get("all", ()):
            if isinstance(part, Text):
                yield from _codes(part)
    elif text.code != VERBATIM:
        yield text.code
