"""How the nodes' agents fare: one small file for each, which its agent writes anew every minute.

They lie in ``{catalogue.published}/events/agents``, and count under the same conditions as events do: a plain file of
root's (or of the catalogue service's own), small, that says just what it may say.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from .api import Agent
from .ingest import RefusedFile, content_of

log = logging.getLogger(__name__)

MOST = 20_000  # nodes
LARGEST = 4 << 20  # bytes of a report: ten thousand accounts of which it says why they are not clean
FORGOTTEN_S = 7 * 86400.0  # a node that was silent for so long is no longer missed
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.json")


def parse(text: bytes, node: str, told_at: float) -> Agent:
    """What an agent says.

    :param node: whose file it is; an agent speaks for its own node.
    :param told_at: when it was written, in Unix seconds.
    :raises RefusedFile: it says something else.
    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("format", None) != 1 or "told_at" in data:
            raise RefusedFile("it is no report of an agent")
        found = Agent.model_validate_json(json.dumps({**data, "told_at": told_at}), strict=True)
    except (ValidationError, ValueError, RecursionError):
        raise RefusedFile("it is no report of an agent") from None
    if found.node != node:
        raise RefusedFile(f"it speaks for {found.node}")
    return found


class AgentReports:
    """What the agents last said; the files are looked at again after ``cached_s`` seconds, when somebody asks.

    :param trusted: uids whose files count.
    """

    def __init__(
        self, directory: Path, trusted: frozenset[int], cached_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory, self._trusted, self._cached_s, self._clock = directory, trusted, cached_s, clock
        self._looked_at: float | None = None
        self._known: dict[str, tuple[tuple[int, int], Agent]] = {}
        self._refused: set[str] = set()
        self._unread: frozenset[str] = frozenset()
        self._guard = threading.Lock()

    def read(self) -> tuple[Agent, ...]:
        """All agents of the last days, by node. It may block: the files are on a shared file system."""
        return self.read_with_silent()[0]

    def read_with_silent(self) -> tuple[tuple[Agent, ...], frozenset[str]]:
        """The same, and the nodes of the last days whose report cannot be used: what they would say is not known."""
        with self._guard:
            now = self._clock()
            if self._looked_at is None or not 0 <= now - self._looked_at < self._cached_s:
                self._look(now)
                self._looked_at = now
            return tuple(agent for _, (_, agent) in sorted(self._known.items())), self._unread

    def _look(self, now: float) -> None:
        try:
            names = sorted(path.name for path in self._directory.iterdir())[:MOST]
        except FileNotFoundError:
            names = []
        known: dict[str, tuple[tuple[int, int], Agent]] = {}
        unread: set[str] = set()
        for name in names:
            match = _NAME.fullmatch(name)
            if match is None:
                continue
            path = self._directory / name
            try:
                status = path.lstat()
                if status.st_mtime < now - FORGOTTEN_S:
                    path.unlink()
                    continue
                state = (status.st_mtime_ns, status.st_ino)
                before = self._known.get(name)
                agent = (
                    before[1]
                    if before and before[0] == state
                    else self._agent(path, match.group(1), min(now, status.st_mtime))
                )
            except FileNotFoundError:
                continue
            except (RefusedFile, OSError) as error:
                unread.add(match.group(1))
                if name not in self._refused:
                    self._refused.add(name)
                    log.warning("What the agent of %s says does not count: %s", match.group(1), error)
                continue
            self._refused.discard(name)
            known[name] = (state, agent)
        self._known, self._unread = known, frozenset(unread)

    def _agent(self, path: Path, node: str, told_at: float) -> Agent:
        return parse(content_of(path, self._trusted, LARGEST), node, told_at)
