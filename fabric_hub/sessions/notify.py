"""How the service tells the hub, at once, that a session's row has news.

A datagram on a Unix socket in the hub's private directory; its whole content is a
session id. It carries no fact: the hub reads the row. Nobody listening is no error,
because a hub that starts reads the rows anyway.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fabric_hub.config.settings import Settings

PATIENCE_S = 5.0


def notify_path(settings: Settings) -> Path:
    return settings.hub.state_dir / "notify.sock"


async def listen(path: Path, notify: Callable[[str], None]) -> asyncio.DatagramTransport:
    """Call ``notify(session_id)`` for every datagram, until the returned transport is closed."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Listener(notify), sock=_hang(path)
    )
    return transport


def _hang(path: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notified = notify

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self._notified(data.decode("ascii", "replace")[:64])


async def notify(path: Path, session_id: str, patience_s: float = PATIENCE_S) -> bool:
    """Say that a session has news; False when nobody listens.

    Linux keeps some ten datagrams for a hub that is busy: when more sessions announce at
    once, this waits for room.

    :param patience_s: at most so long; then the hub finds the news itself, a little later.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        try:
            listener.connect(str(path))
            async with asyncio.timeout(patience_s):
                await asyncio.get_running_loop().sock_sendall(listener, session_id.encode("ascii"))
        except OSError:  # TimeoutError is one
            return False
    return True
