"""The stewards' part of the catalogue service's API."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from fabric_hub.datasets.stewardship import StewardBody, Stewarded
from fabric_hub.types import HubUser

from .api import StewardVerbs


def add_routes(app: FastAPI, verbs: Callable[[], StewardVerbs]) -> None:
    """Let an app answer what is asked for stewards."""

    @app.get("/v1/stewards/{user}")
    async def stewarded(user: HubUser) -> Stewarded:
        """Drafts, and when somebody looked at what, of the datasets that a hub user answers for."""
        return await verbs().of(user)

    @app.post("/v1/stewards/changes", status_code=204)
    async def change(body: StewardBody) -> None:
        """A steward grants, revokes, declines, has reviewed, or describes a draft; the nodes know when it answers.

        What narrows is taken from who is the dataset's steward, what widens within `catalogue.from_hub`.
        """
        await verbs().change(body)
