"""What hub and service know of the catalogue at a moment, from the follower that they have.

On its own because only they have both: the catalogue service's client, and the policy's view of what it says.
"""

from __future__ import annotations

from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.rpc.follower import Follower

from .client import CatalogueClient

# Right after a start there is no catalogue yet; nobody waits longer than this for the first one.
FIRST_S = 2.0


def follower_of(client: CatalogueClient) -> Follower[Catalogue]:
    """A follower of the catalogue; whatever is asked for without a serial is read from the database then."""
    return Follower("catalogue", lambda after, wait_s, _fresh: client.catalogue(after, wait_s), Catalogue())


async def known_by(follower: Follower[Catalogue]) -> CatalogueView:
    """The latest catalogue, and whether the catalogue service answers; follows it from now on if that was not begun."""
    latest = await follower.current(FIRST_S)
    if latest is None:
        return CatalogueView()
    return CatalogueView(
        catalogue=latest if follower.answered else None,
        unavailable_since=latest.unavailable_since,
        problem=latest.problem,
    )
