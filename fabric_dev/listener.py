"""Who listens on a loopback port, and requests that carry a secret only to whom it belongs.

Any account may listen on a port above 1023 while the hub is not there. The kernel tells which account a
listening socket belongs to (/proc/net/tcp, proc_pid_net(5)), so it is asked before a secret is sent.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import socket
import struct
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError

_LISTEN = "0A"
_LONGEST_ANSWER = 1 << 20


def _in_table(address: str) -> str:
    """An address as the kernel prints it: words of 32 bits in the machine's own order of bytes."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(packed) // 4}I", packed))


_EXACT = frozenset(map(_in_table, ("127.0.0.1", "::ffff:127.0.0.1")))
_ANY = frozenset(map(_in_table, ("0.0.0.0", "::")))


def owners(tables: str, port: int) -> frozenset[int]:
    """The uids of the sockets that a connection to 127.0.0.1:``port`` may reach. Pure.

    :param tables: the text of /proc/net/tcp and /proc/net/tcp6, one after the other.
    """
    exact, wild = set(), set()
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[3] != _LISTEN:
            continue
        address, _, number = fields[1].rpartition(":")
        if int(number, 16) == port:
            if address in _EXACT:
                exact.add(int(fields[7]))
            elif address in _ANY:
                wild.add(int(fields[7]))
    # as the kernel chooses: who listens on every address is reached only when nobody listens on this one
    return frozenset(exact or wild)


def verify(port: int, uid: int) -> None:
    """Return only when the socket that listens on 127.0.0.1:``port`` belongs to ``uid``.

    :raises ConnectionRefusedError: nobody listens there.
    :raises FabricError: another account does.
    """
    tables = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6 has no tcp6
            tables.append(Path("/proc/net", name).read_text(encoding="ascii"))
    found = owners("\n".join(tables), port)
    if not found:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens on 127.0.0.1:{port}")
    if found != {uid}:
        others = ", ".join(map(str, sorted(found - {uid})))
        raise FabricError(
            f"Port {port} on 127.0.0.1 belongs to uid {others}, not to the hub's account (uid {uid}); "
            "the hub's token was not sent there.",
            reason="foreign-listener",
            hint=f"Find the program with: ss -ltnp 'sport = :{port}'. End it, or start the hub with another --port.",
        )


class _Connection(http.client.HTTPConnection):
    """A connection to 127.0.0.1 that opens only to the listener of one account; it knows of no proxy."""

    def __init__(self, port: int, uid: int, timeout_s: float) -> None:
        super().__init__("127.0.0.1", port, timeout=timeout_s)
        self._uid = uid

    def connect(self) -> None:
        # Before, so that no stranger is spoken to; and after, right before the request is sent: while the
        # account's socket listens, nobody else's can take its place.
        verify(self.port, self._uid)
        super().connect()
        try:
            verify(self.port, self._uid)
        except BaseException:
            self.close()
            raise


def ask(
    port: int, uid: int, token: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = 30.0
) -> tuple[int, bytes]:
    """GET ``path`` of the hub on 127.0.0.1:``port`` with a token, or POST ``body`` to it; redirects are not followed.

    :param uid: the account that must listen there.
    :returns: the status and the answer.
    :raises OSError: no answer.
    :raises FabricError: another account listens; nothing was sent.
    """
    headers = {"Authorization": f"token {token}"}
    payload = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        payload = json.dumps(body).encode()
    with contextlib.closing(_Connection(port, uid, timeout_s)) as connection:
        try:
            connection.request("GET" if body is None else "POST", path, payload, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LONGEST_ANSWER)
        except http.client.HTTPException as error:
            raise ConnectionError(f"127.0.0.1:{port} does not answer in HTTP: {error!r}") from error
