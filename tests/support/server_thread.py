"""A server of the project's on its socket, on an event loop of its own, so that tests may be plain functions."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ServerThread(ABC):
    """Lets a server answer and be gone; a subclass says how it serves.

    :param name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self._stop: asyncio.Event | None = None
        self._served: asyncio.Task[None] | None = None

    @abstractmethod
    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Serve until ``stop`` is set; set ``ready`` once the socket is there."""

    def up(self) -> None:
        """Let it answer."""

        async def begin() -> None:
            self._stop, ready = asyncio.Event(), asyncio.Event()
            self._served = asyncio.create_task(self.serve(self._stop, ready))
            await asyncio.wait_for(ready.wait(), 60)

        self.do(begin())

    def down(self) -> None:
        """A server that is gone: nothing answers on its socket."""

        async def end() -> None:
            if self._stop and self._served:
                self._stop.set()
                await self._served
            self._stop = self._served = None

        self.do(end())

    def close(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns that runs on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
