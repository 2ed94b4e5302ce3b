"""What hub and service know of the catalogue at a moment, from the follower that they have."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fabric_hub.datasets.policy import CatalogueView

from .follower import CatalogueFollower

# Right after a start there is no catalogue yet; nobody waits longer than this for the first one.
FIRST_S = 2.0


async def known_by(follower: CatalogueFollower) -> CatalogueView:
    """The latest catalogue, and whether the catalogue service answers; follows it from now on if that was not begun."""
    follower.follow()
    if follower.catalogue is None and follower.silent_since is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_S):
                await follower.changed()
    return CatalogueView(catalogue=follower.catalogue, silent_since=follower.silent_since, problem=follower.problem)
