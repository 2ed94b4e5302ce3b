"""The fake gateway on its socket, on an event loop of its own, so that tests may be plain functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fabric_hub.gateway.server import serve

from .gateway import FakeGateway
from .server_thread import ServerThread

T = TypeVar("T")


class GatewayThread(ServerThread):
    """Serves ``fake`` on ``socket``. All that a test does to the fake goes through :meth:`call`."""

    def __init__(self, fake: FakeGateway, socket: Path) -> None:
        super().__init__("fake-gateway")
        self.fake = fake
        self._socket = socket

    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        await serve(self.fake, self._socket, stop, ready)

    def call(self, do: Callable[[FakeGateway], T]) -> T:
        """Do something to the fake, on its own loop; what it returns or raises."""

        async def done() -> T:
            return do(self.fake)

        return self.do(done())
