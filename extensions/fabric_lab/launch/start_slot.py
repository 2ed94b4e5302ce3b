"""Of many sessions that start on a node in the same moment, as many as it has cores start at once.

A start is all processor time. Twelve of them that share two cores all end last; taken
in turn, half of them are there in half the time, and the last one no later.
"""

from __future__ import annotations

import os
import socket
import time

# A name in the node's abstract socket namespace is a place: the kernel gives it to one process,
# whoever's, and takes it back when that process ends. No file, no rights, nothing left behind.
NAME = "\0fabric-lab-start-{place}"
# Whoever got no place by then starts without one: a place that is held too long delays nobody for longer.
LONGEST_WAIT_S = 10.0
LOOK_AGAIN_S = 0.02


class StartSlot:
    """A place among those that start now, or none after a bounded wait."""

    def __init__(self, places: int | None = None, longest_wait_s: float = LONGEST_WAIT_S, name: str = NAME) -> None:
        self._held: socket.socket | None = None
        names = [name.format(place=place) for place in range(places or os.cpu_count() or 1)]
        until = time.monotonic() + longest_wait_s
        while self._held is None:
            self._held = next(filter(None, map(_bound, names)), None)
            if self._held is None:
                if time.monotonic() >= until:
                    return
                time.sleep(LOOK_AGAIN_S)

    @property
    def held(self) -> bool:
        return self._held is not None

    def done(self) -> None:
        """Let the next one start."""
        if self._held is not None:
            self._held.close()
            self._held = None


def _bound(name: str) -> socket.socket | None:
    place = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        place.bind(name)
    except OSError:
        place.close()
        return None
    return place
