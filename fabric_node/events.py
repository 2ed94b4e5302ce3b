"""What happened on this node, told to the catalogue service: one file per event, each renamed into place.

An event is written to the node's own disk first, so that a shared file system that hangs holds up nobody, and
moved to where the catalogue service reads it at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
from collections import Counter
from dataclasses import asdict, dataclass

from .config import Config
from .trust import NodeError, as_uid, open_for

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[0-9]+-[A-Za-z0-9._-]+-[0-9a-f]+\.json")


@dataclass(frozen=True)
class Event:
    """One fact. ``event``: opened, closed, refused or revoked; ``time`` in Unix seconds."""

    event: str
    time: float
    node: str
    job: int
    uid: int
    account: str | None
    dataset: str
    version: str | None
    sha256: str | None
    why: str

    @property
    def file_name(self) -> str:
        return f"{int(self.time * 1e9)}-{self.node}-{secrets.token_hex(8)}.json"

    @property
    def text(self) -> str:
        return json.dumps({"format": 1, **asdict(self)}, sort_keys=True)


class Events:
    """The way of events from this node to the catalogue service."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._quiet = False
        self.brought: Counter[str] = Counter()  # events by kind, since this process began

    def write(self, event: Event) -> None:
        """Record an event: on this node's disk, or straight where the catalogue service reads when that disk is full.

        :raises NodeError: it can be written nowhere.
        """
        try:
            _write(os.open(self._config.outbox, os.O_PATH | os.O_DIRECTORY), event.file_name, event.text, sync=False)
        except OSError as error:
            try:
                self.deliver(event.file_name, event.text)
            except (OSError, NodeError):
                why = error.strerror or str(error)
                raise NodeError(f"What happens here cannot be recorded ({why}), so nothing is opened.") from error

    def deliver(self, name: str, text: str, below: str = "") -> None:
        """Write a file where the catalogue service reads.

        :param below: a directory there that is no place for events; the file need not outlive a crash.
        :raises OSError, NodeError: it cannot be written.
        """
        config = self._config
        place = os.path.join(config.events, below) if below else config.events
        directory = open_for(place, os.O_RDONLY | os.O_DIRECTORY, config.owners)
        owner = os.fstat(directory).st_uid
        try:
            _write(os.dup(directory), name, text, sync=not below)
        except PermissionError:  # root is nobody to this file server: write as the one whose directory it is
            with as_uid(owner):
                _write(os.dup(directory), name, text, sync=not below)
        finally:
            os.close(directory)

    def move(self) -> int:
        """Bring what waits on this node to the catalogue service, oldest first; how many are left.

        Only one process may call this at a time; a name that is there already is the same event, moved before a crash.
        """
        waiting = sorted(name for name in os.listdir(self._config.outbox) if _NAME.fullmatch(name))
        for done, name in enumerate(waiting):
            path = os.path.join(self._config.outbox, name)
            try:
                with open(
                    path, encoding="utf-8", errors="replace"
                ) as file:  # what a crash left: the catalogue service judges it
                    text = file.read()
                self.deliver(name, text)
                os.unlink(path)
                self.brought[_kind(text)] += 1
            except (OSError, NodeError) as error:
                if not self._quiet:
                    _LOG.warning("%d events wait: %s", len(waiting) - done, error)
                self._quiet = True
                return len(waiting) - done
        self._quiet = False
        return 0


def _kind(text: str) -> str:
    """The kind of an event's text; "" of what is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(data.get("event", "")) if isinstance(data, dict) else ""


def _write(directory: int, name: str, text: str, *, sync: bool) -> None:
    """Write a file in an open directory, which is closed again, in one step."""
    fresh = f".{name}.{secrets.token_hex(4)}"
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=directory)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                os.fchmod(handle, 0o644)  # the catalogue service is not root; the directory lets in nobody else
                file.write(text)
                file.flush()
                if sync:
                    os.fsync(handle)
            os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(fresh, dir_fd=directory)
            raise
    finally:
        os.close(directory)
