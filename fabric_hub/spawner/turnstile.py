"""One start at a time goes through the parts that hold JupyterHub's only thread."""

from __future__ import annotations

import asyncio

# A request takes the loop a few turns: accepting, TLS, headers, the answer. Without work they take microseconds.
TURNS = 8


class Turnstile:
    """Lets starts pass one by one, and the hub answer others in between.

    Fifty who click in the same moment would otherwise have their starts' work queued in
    one turn of the event loop, and whoever asks the hub for anything waits for all of it.
    Order: first come, first served.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        """Return when it is the caller's turn; what it then does without waiting it does alone."""
        async with self._lock:
            for _ in range(TURNS):
                await asyncio.sleep(0)
