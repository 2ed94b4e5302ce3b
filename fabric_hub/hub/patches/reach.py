"""When JupyterHub gives up on a server that does not answer, that is told apart from a stop, and it is said why."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

from jupyterhub.user import User

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.failures import SessionFailure
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.hub.spawner.wrapper import FabricSpawner


def say_who_gave_up() -> None:
    """Let a spawner know when it is JupyterHub's own wait for its server that stops it.

    JupyterHub 6.1 calls ``stop()`` in both cases. What the spawner then put on record is what whoever waits for the
    start is told, instead of a time-out without a reason.
    """
    wait_up = User._wait_up
    if wait_up.__module__ != User.__module__:
        return

    @wraps(wait_up)
    async def watched(self: User, spawner: Any) -> Any:
        if not isinstance(spawner, FabricSpawner):
            return await wait_up(self, spawner)
        session_id, starting = spawner.session_id, not spawner.was_running
        spawner.awaited_by = asyncio.current_task()
        try:
            return await wait_up(self, spawner)
        except Exception as error:
            over = runtime().store.get(session_id) if starting and session_id else None
            if over is None or over.ended_at is None:
                raise
            known = FabricError(over.end_text or "", reason=over.end_reason or "", status=424)
            raise SessionFailure(known, over.end_log or ()) from error
        finally:
            spawner.awaited_by = None

    watched.__module__ = __name__
    User._wait_up = watched
