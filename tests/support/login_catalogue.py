"""A catalogue service that says who somebody is by a table in memory, and writes down what it was told of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.server import create_app
from fabric_hub.catalogue.service import CatalogueService
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.projects.identity import Identity, LoggedIn, Login
from fabric_hub.rpc import server as unix_server

from .catalogue_thread import CatalogueThread


class LoginCatalogue(CatalogueThread):
    """The real one, but for who is who.

    :param real: the real one, also of who is who.
    :ivar logins: what it was told, oldest first.
    """

    def __init__(self, site: Path, settings: Settings, *, real: bool = False) -> None:
        super().__init__(site, settings)
        self._real = real
        self.people: dict[Identity, str] = {}
        self.logins: list[Login] = []

    async def login(self, login: Login) -> LoggedIn:
        """The account that the provider names, at the first login; from then on the same one."""
        self.logins.append(login)
        first = login.identity not in self.people
        if first:
            account = login.account_claim
            if not account or account in self.people.values():
                raise FabricError(
                    f"You have no account here: {account or 'nothing'} is not yours.", hint="Write to help.", status=403
                )
            self.people[login.identity] = account
        return LoggedIn(user=self.people[login.identity], first=first)

    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        if self._real:
            await super().serve(stop, ready)
            return
        service = CatalogueService(self._site, self._settings, CatalogueStore(open_catalogue(self._datasets)))
        app = create_app(service)
        app.post("/v1/logins")(self.login)
        app.router.routes.insert(0, app.router.routes.pop())  # before the service's own, where it has one
        await unix_server.serve(
            app, self._datasets.socket, stop, who="catalogue service", closing=service.close, ready=ready
        )
