"""The fake gateway on its socket, on an event loop of its own, so that tests may be plain functions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fabric_hub.gateway.server import serve

from .gateway import FakeGateway

T = TypeVar("T")


class GatewayThread:
    """Serves ``fake`` on ``socket``. All that a test does to the fake goes through :meth:`call`."""

    def __init__(self, fake: FakeGateway, socket: Path) -> None:
        self.fake = fake
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-gateway", daemon=True)
        self._thread.start()
        self._stop: asyncio.Event | None = None
        self._served: asyncio.Task[None] | None = None

    def call(self, do: Callable[[FakeGateway], T]) -> T:
        """Do something to the fake, on its own loop; what it returns or raises."""

        async def done() -> T:
            return do(self.fake)

        result: T = self._await(done())
        return result

    def up(self) -> None:
        """Let it answer."""

        async def begin() -> None:
            self._stop, ready = asyncio.Event(), asyncio.Event()
            self._served = asyncio.create_task(serve(self.fake, self._socket, self._stop, ready))
            await asyncio.wait_for(ready.wait(), 20)

        self._await(begin())

    def down(self) -> None:
        """A gateway that is gone: nothing answers on its socket."""

        async def end() -> None:
            if self._stop and self._served:
                self._stop.set()
                await self._served
            self._stop = self._served = None

        self._await(end())

    def close(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _await(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
