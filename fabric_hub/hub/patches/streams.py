"""The stream of events of a start: so many per person, and none for a browser that has left.

JupyterHub goes on following a start for a connection that is closed, until the start's next event, and lets anybody
open any number of them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import wraps
from typing import Any

from jupyterhub.apihandlers.users import SpawnProgressAPIHandler

from fabric_hub.hub.spawner import watchers

from .replace import replace

_WATCHERS = watchers.Watchers()
_AGAIN_S = 0.2


def apply() -> None:
    """Apply all of this module."""
    replace(SpawnProgressAPIHandler, "get", _while_connected)


def _while_connected(get: Any) -> Any:
    @wraps(get)
    async def got(self: Any, user_name: str, server_name: str = "") -> None:
        left = asyncio.Event()

        def closed() -> None:
            self.on_connection_close()
            left.set()

        self.request.connection.set_close_callback(closed)
        caller = getattr(self.current_user, "name", "")
        with _WATCHERS.one_more(caller, user_name):
            watchers.left.set(left)
            following = asyncio.ensure_future(get(self, user_name, server_name))
            leaving = asyncio.ensure_future(left.wait())
            try:
                await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not left.is_set():
                    await following
            finally:
                leaving.cancel()
                await _end(following)

    return got


async def _end(following: asyncio.Future[Any]) -> None:
    """End what is done for somebody who has left: JupyterHub takes one cancellation for the end of the events only."""
    await asyncio.wait({following}, timeout=_AGAIN_S)  # the events end by themselves
    while not following.done():
        following.cancel()
        await asyncio.wait({following}, timeout=_AGAIN_S)
    with suppress(asyncio.CancelledError, Exception):
        following.result()
