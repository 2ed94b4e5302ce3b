"""The loopback ports of a run: free ones, remembered, and claimed so that no other run takes them."""

from __future__ import annotations

import random
import socket
from types import TracebackType
from typing import Self

from ..errors import FabricError
from ..model import Frozen

# Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a
# remembered port is not lost to a passing client between two starts.
_FIRST, _LAST = 20000, 32000


class Ports(Frozen):
    """Loopback ports of one run."""

    public: int
    hub: int
    proxy_api: int
    service: int
    slurmctld: int
    slurmdbd: int
    slurmd: tuple[int, int, int]


class Claims:
    """Ports that this process keeps from other runs until it ends, also before somebody listens on them.

    A claim is an abstract Unix socket (unix(7)) named after the port: it is seen in the network namespace
    in which the port is, leaves no file, and goes with its holder.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        for claim in self._held:
            claim.close()

    def take(self, port: int) -> bool:
        """Claim a port that is free now; False when somebody has it."""
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0fabric-hub-port-{port}")
        except OSError:
            claim.close()
            return False
        if not _free(port):
            claim.close()
            return False
        self._held.append(claim)
        return True


def _free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(claims: Claims, public: int | None, remembered: Ports | None) -> Ports:
    """The ports of this start: the remembered ones while they are free, others where they are not.

    :param public: what ``--port`` asked for; None is the remembered one, else 8000 or the next free one.
    :raises FabricError: the port that was asked for is taken.
    """
    if public is not None and not claims.take(public):
        raise FabricError(
            f"Port {public} on 127.0.0.1 is in use by another program.",
            reason="port",
            hint="Choose another with --port, or leave it out to get a free one.",
        )
    count = _LAST - _FIRST
    start = random.SystemRandom().randrange(count)
    others = (port for step in range(count) if claims.take(port := _FIRST + (start + step) % count))

    def keep(port: int | None) -> int:
        return port if port is not None and claims.take(port) else next(others)

    if public is None:
        wanted = [remembered.public] if remembered else []
        public = next((port for port in [*wanted, *range(8000, 8100)] if claims.take(port)), None) or next(others)
    inner = ("hub", "proxy_api", "service", "slurmctld", "slurmdbd")
    kept = {name: keep(getattr(remembered, name, None)) for name in inner}
    nodes = remembered.slurmd if remembered else (None, None, None)
    return Ports(public=public, slurmd=(keep(nodes[0]), keep(nodes[1]), keep(nodes[2])), **kept)
