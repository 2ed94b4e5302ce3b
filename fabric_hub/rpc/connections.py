"""Connections of strangers hold nobody up: how many are open, and which go when there are too many.

Whoever reaches a port may open connections and say nothing, or say it slowly. Each costs a descriptor, and a
server without descriptors answers nobody. So one that has sent no whole request in time is closed, and when too many
are open the one that has waited longest makes room. Those whose request is being answered go last.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import ref

log = logging.getLogger(__name__)

# A whole request has so many seconds, from the connection's first moment, or from its headers.
REQUEST_S = 20.0
# Descriptors that are kept for everything else (databases, gateway, proxy), and the most that connections take.
KEPT_FREE, MOST = 256, 2000
# So many are taken at a time, then those that are open get their turn: what is closed meanwhile gives room.
BURST = 64
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE_S = 1.0
_SAY_EVERY_S = 60.0


@dataclass
class _Open:
    close: Callable[[], object]
    timer: asyncio.TimerHandle | None = None


class Connections:
    """The open connections of one server; on its event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, _Open] = {}  # for a request, or the rest of one; longest first
        self._busy: dict[Hashable, _Open] = {}
        self._said_at = -_SAY_EVERY_S
        self._unsaid = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._busy)

    @staticmethod
    def most() -> int:
        """How many may be open, by the process's limit of descriptors now."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(soft - KEPT_FREE, soft // 2))

    def opened(self, key: Hashable, close: Callable[[], object]) -> None:
        """One more is open; where that is too many, another one is closed."""
        self.closed(key)
        while len(self) >= self.most():
            self.shed()
        self._waiting[key] = _Open(close)
        self.waiting(key)

    def waiting(self, key: Hashable, *, within_s: float | None = None) -> None:
        """It waits for a request, or the rest of one, which has so long; ``inf``: for ever."""
        within_s = REQUEST_S if within_s is None else within_s
        known = self._taken(key)
        if known is None:
            return
        self._waiting[key] = known
        if within_s != float("inf"):
            known.timer = asyncio.get_running_loop().call_later(within_s, self._late, key, known)

    def busy(self, key: Hashable) -> None:
        """It has sent a whole request, which is being answered."""
        known = self._taken(key)
        if known is not None:
            self._busy[key] = known

    def knows(self, key: Hashable) -> bool:
        return key in self._waiting or key in self._busy

    def closed(self, key: Hashable) -> None:
        """It is no more."""
        self._taken(key)

    def shed(self) -> bool:
        """Close the one that has waited longest; False when none is open."""
        queue = self._waiting or self._busy
        if not queue:
            return False
        self._close(next(iter(queue)))
        self.say("%d connections are open, as many as there may be; those that wait longest are closed", self.most())
        return True

    def exhausted(self) -> None:
        """No descriptor was left for a new one: make room."""
        self.say("No descriptors are left; new connections wait. LimitNOFILE of the unit may be too low")
        self.shed()

    def say(self, text: str, *values: object) -> None:
        """Log it, at most once a minute: what strangers do must not fill a disk."""
        now = time.monotonic()
        if now - self._said_at < _SAY_EVERY_S:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} times since the last such line)" if self._unsaid else ""
        self._said_at, self._unsaid = now, 0
        log.warning("%s%s", text % values, more)

    def _late(self, key: Hashable, known: _Open) -> None:
        if self._waiting.get(key) is known:
            self._close(key)

    def _close(self, key: Hashable) -> None:
        known = self._taken(key)
        if known is not None:
            with suppress(OSError):  # the other end may have been quicker
                known.close()

    def _taken(self, key: Hashable) -> _Open | None:
        known = self._waiting.pop(key, None) or self._busy.pop(key, None)
        if known is not None and known.timer is not None:
            known.timer.cancel()
            known.timer = None
        return known


class Listener(socket.socket):
    """A listening socket that takes over another one's, and makes a pause where descriptors have run out.

    Without that a loop tries again at once, for ever, and logs it each time.

    :param full: called when descriptors have run out: takes the listener out of its loop for :data:`PAUSE_S`, or
        raises the error to let the loop do so.
    :param accepted: called with every new connection.
    """

    def __init__(
        self,
        taken: socket.socket,
        full: Callable[[Listener, OSError], object],
        accepted: Callable[[socket.socket], object] = lambda _: None,
    ) -> None:
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self.setblocking(False)
        self.set_inheritable(False)
        self._full, self._accepted = full, accepted
        self._paused_until, self._taken = 0.0, 0

    def accept(self) -> tuple[socket.socket, Any]:
        if self._taken >= BURST or time.monotonic() < self._paused_until:
            self._taken = 0
            raise BlockingIOError
        self._taken += 1
        try:
            connection, address = super().accept()
        except OSError as error:
            if error.errno not in FULL:
                raise
            self._paused_until = time.monotonic() + PAUSE_S
            self._full(self, error)
            raise BlockingIOError from error
        self._accepted(connection)
        return connection, address


def track(connections: Connections) -> Callable[[socket.socket], None]:
    """What has every accepted socket counted by its descriptor, from before TLS until nobody has it any more."""

    def accepted(connection: socket.socket) -> None:
        key = connection.fileno()

        def gone(which: ref[socket.socket]) -> None:
            if current.get(key) is which:
                del current[key]
                connections.closed(key)

        current[key] = known = ref(connection, gone)

        def close() -> None:
            alive = known()
            if alive is not None:
                alive.shutdown(socket.SHUT_RDWR)  # its owner sees the end, and closes it

        connections.opened(key, close)

    current: dict[int, ref[socket.socket]] = {}
    return accepted
