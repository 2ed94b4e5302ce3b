"""The routes of invitations in the catalogue service's API: see :mod:`.server`."""

from __future__ import annotations

from fastapi import FastAPI

from fabric_hub.projects.invitations import CodeBody, Invitations, ListBody, Offer

from .api import Verbs


def add_routes(app: FastAPI, verbs: Verbs) -> None:
    """Add them; a code is in a body, for an address is in logs."""

    @app.post("/v1/invitations/list")
    async def listed(request: ListBody) -> Invitations:
        """The invitations of a project for its owners and operators, without their codes."""
        return await verbs.invitations.listed(request)

    @app.post("/v1/invitations/offer")
    async def offered(request: CodeBody) -> Offer:
        """What the invitation of a code offers to somebody; nothing changes."""
        return await verbs.invitations.offered(request)

    @app.post("/v1/invitations/accept")
    async def accept(request: CodeBody) -> Offer:
        """Somebody accepts the invitation of a code; where they come in, it is in force when it answers.

        It widens within `catalogue.from_hub`, as adding a person does; else they wait for somebody to confirm them.
        """
        return await verbs.invitations.accept(request)
