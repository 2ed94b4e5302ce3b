"""Ports that stay ours while their owner restarts: somebody else holds their listening sockets.

On a site that is systemd (packaging/systemd/*.socket), in an embedded run its supervisor. A socket that
listens keeps every other account from its port, also between the death of the hub or its proxy and their next start;
who connects meanwhile waits, and is answered by the next one. Without a holder the hub keeps the proxy's port while it
lives (:mod:`fabric_hub.hub.proxy`), and nobody its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import startup

# systemd's protocol (sd_listen_fds(3)), and the same from a parent that starts us through setpriv(1): descriptors,
# with commas.
_FIRST = 3
PASSED = "FABRIC_HUB_LISTEN_FDS"
_ANY = ("", "*", "0.0.0.0", "::")
# How many connections wait while nobody answers; the kernel allows net.core.somaxconn at most.
BACKLOG = 1024

_held: list[socket.socket] = []


def receive(wanted: Mapping[str, tuple[str, int]], environment: MutableMapping[str, str] = os.environ) -> None:
    """Take over the sockets that this process was started with; its own children do not inherit them by accident.

    :param wanted: address and port by the name of the setting that says them.
    :raises FabricError: one of them is none that the site's file names: the two would drift apart unseen.
    """
    found = [socket.socket(fileno=number) for number in _passed(environment)]
    _held.extend(found)
    for each in found:
        each.set_inheritable(False)
        each.setblocking(False)
        if each.family not in (socket.AF_INET, socket.AF_INET6) or not any(_is_at(each, *at) for at in wanted.values()):
            at = each.getsockname()
            given = at if isinstance(at, str) else f"{at[0]}:{at[1]}"
            told = ", ".join(f"{name} = {host or '*'}:{port}" for name, (host, port) in wanted.items())
            raise FabricError(startup.OTHER_SOCKET(given=given, told=told))


def receive_any(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take over the sockets that this process was started with, before it is known which addresses are wanted."""
    for number in _passed(environment):
        each = socket.socket(fileno=number)
        each.set_inheritable(False)
        each.setblocking(False)
        _held.append(each)


def _passed(environment: MutableMapping[str, str]) -> list[int]:
    ours, pid, count = (environment.pop(name, "") for name in (PASSED, "LISTEN_PID", "LISTEN_FDS"))
    environment.pop("LISTEN_FDNAMES", None)
    if pid == str(os.getpid()) and count.isdecimal():
        return list(range(_FIRST, _FIRST + int(count)))
    return [int(number) for number in ours.split(",") if number]


def held(host: str, port: int) -> socket.socket | None:
    """A descriptor of its own of the socket that is held for an address; None when nobody holds it."""
    return next((each.dup() for each in _held if _is_at(each, host, port)), None)


def listen(host: str, port: int) -> socket.socket:
    """The held socket, or a new one that listens; without a host, or with ``*``, on every address.

    :raises OSError: the port is another's.
    """
    if found := held(host, port):
        return found
    if host in ("", "*", "::"):
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        return socket.create_server(("", port), family=family, dualstack_ipv6=both, backlog=BACKLOG)
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _is_at(each: socket.socket, host: str, port: int) -> bool:
    at = each.getsockname()
    if at[1] != port:
        return False
    if host in _ANY:
        return at[0] in _ANY
    try:
        return at[0] in {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return False
