"""The service's web server: uvicorn, with an end to what strangers may hold."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fabric_hub.rpc.connections import Connections, Listener, track

# A stopping service waits so long for requests under way; a session's call is answered in milliseconds.
STOP_S = 10
# What the other end still sends after an answer, be it nothing, must not break its connection: it would not read the
# answer then. It has this long to close.
LINGER_S = 5.0
OUT_OF_DESCRIPTORS = "socket.accept() out of system resource"


def serve(app: Any, **options: Any) -> None:
    """Serve an application until a signal asks to stop; ``options`` are uvicorn's."""
    connections = Connections()
    config = uvicorn.Config(
        app,
        http=watched_by(connections),
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=STOP_S,
        **options,
    )
    logging.getLogger("asyncio").addFilter(lambda record: OUT_OF_DESCRIPTORS not in record.getMessage())
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn gives SIGINT on when it has stopped: the hub stops us by it
        server.run(sockets=[Listener(config.bind_socket(), out_of_descriptors(connections), track(connections))])
    if not server.started:
        raise SystemExit(3)


def out_of_descriptors(connections: Connections) -> Callable[[Listener, OSError], None]:
    """asyncio makes a pause of its own when it is told; it would also say so, each time."""

    def full(_listener: Listener, error: OSError) -> None:
        connections.exhausted()
        raise error

    return full


def watched_by(connections: Connections) -> type[H11Protocol]:
    """uvicorn's protocol, which says of each connection whether it waits for a request or has one."""

    class Watched(H11Protocol):
        _key: int | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(Lingering(transport))  # type: ignore[arg-type]
            known = transport.get_extra_info("socket")
            self._key = known.fileno() if known is not None else None

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self._key)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            cycle = self.cycle
            if cycle is None or cycle.response_complete:
                return
            if not cycle.more_body:
                connections.busy(self._key)
            elif cycle is not before:
                connections.waiting(self._key)

        def on_response_complete(self) -> None:
            connections.waiting(self._key)
            super().on_response_complete()

    return Watched


class Lingering:
    """A transport whose end is said at once, and whose connection stays open until the other end closes it, too.

    The proxy ends each of its requests with a write of no bytes. On a Unix socket that is closed by then this fails
    with EPIPE, where TCP says nothing, and the proxy answers 503 in place of what it was told.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._ended or self._transport.is_closing()

    def close(self) -> None:
        if self.is_closing():
            return
        self._ended = True
        if not self._transport.can_write_eof():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the other end is gone already: nobody is left to wait for
            self._transport.close()
            return
        asyncio.get_running_loop().call_later(LINGER_S, self._transport.close)
