"""A port on loopback that takes no connection and refuses none, as behind a firewall that drops packets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_WAITING = 4  # connections that fill the queue of a listener that accepts none: the kernel drops what comes then


@contextmanager
def silent_port(port: int = 0) -> Iterator[int]:
    """Hold a port so.

    :param port: which; 0 is a free one.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(_WAITING):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port
