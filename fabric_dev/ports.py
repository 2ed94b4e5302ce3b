"""The loopback ports of a run: free ones, remembered, and claimed so that no other run takes them."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from pydantic import ConfigDict

from fabric_hub.errors import FabricError
from fabric_hub.hub.held_ports import BACKLOG
from fabric_hub.types import Frozen

# Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a
# remembered port is not lost to a passing client between two starts.
_FIRST, _LAST = 20000, 32000


class Ports(Frozen):
    """Loopback ports of one run."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # earlier starts remembered more of them

    public: int
    hub: int
    slurmctld: int
    slurmdbd: int
    slurmd: tuple[int, int, int]
    provider: int = 0  # of an identity provider; 0: from before there was one


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

    def listen(self, port: int, owner: tuple[int, int] | None) -> socket.socket:
        """Listen on a claimed port until this process ends: no other account can bind it, whoever comes and goes.

        :param owner: uid and gid that the kernel then names as the socket's; None is ours.
        :raises FabricError: somebody was faster.
        """
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        except OSError as error:
            raise FabricError(
                f"Port {port} on 127.0.0.1 was taken by another program just now.",
                reason="port",
                hint="Start again, with another --port if need be.",
            ) from error
        self._held.append(listener)
        if owner:
            os.fchown(listener.fileno(), *owner)
        return listener


def _free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free(claims: Claims) -> Iterator[int]:
    """Free ports, claimed one by one."""
    count = _LAST - _FIRST
    start = random.SystemRandom().randrange(count)
    return (port for step in range(count) if claims.take(port := _FIRST + (start + step) % count))


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
    others = free(claims)

    def keep(port: int | None) -> int:
        return port if port is not None and claims.take(port) else next(others)

    if public is None:
        wanted = [remembered.public] if remembered else []
        public = next((port for port in [*wanted, *range(8000, 8100)] if claims.take(port)), None) or next(others)
    inner = ("hub", "slurmctld", "slurmdbd", "provider")
    kept = {name: keep(getattr(remembered, name, None) or None) for name in inner}
    nodes = remembered.slurmd if remembered else (None, None, None)
    return Ports(public=public, slurmd=(keep(nodes[0]), keep(nodes[1]), keep(nodes[2])), **kept)
