"""Whether a cluster of this session works, as the session's server asks before it calls the session idle.

Nothing of distributed is loaded, and no thread waits for a cluster that does not answer.
"""

from __future__ import annotations

import asyncio

from . import proxy, session
from .start import clusters

# The next look comes in ten seconds, and whoever clicks "I am still here" waits for this one.
LIMIT_S = 2.0


async def at_work(limit_s: float = LIMIT_S) -> bool:
    """Whether the workers of any cluster have tasks to do. A cluster that does not say within so many seconds has.

    A task that waits for workers to come is none: nothing computes.
    """
    if not session.clusters_place().is_dir():
        return False
    try:
        names = await asyncio.to_thread(clusters)
    except OSError:
        return True  # what cannot be read is not held against the session
    return any(await asyncio.gather(*(_works(name, limit_s) for name in names)))


async def _works(name: str, limit_s: float) -> bool:
    async def asked() -> bool:
        pages = await asyncio.to_thread(proxy.Pages, name)
        return (await pages.tell({"verb": "working"})).get("tasks") != 0

    try:
        return await asyncio.wait_for(asked(), limit_s)
    except (TimeoutError, proxy.NoClusterError):
        return True
