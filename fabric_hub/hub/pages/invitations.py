"""An invitation's link (``/hub/invitations/CODE``), and the page where whoever has logged in accepts it.

The link only swaps the code for a cookie, at once: an address ends in histories, logs and referrers. What is offered
is shown after the login, and a POST accepts it.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.errors import FabricError
from fabric_hub.hub import invitation_cookie
from fabric_hub.messages.texts import invitations as texts
from fabric_hub.messages.texts import project_pages
from fabric_hub.projects.invitations import Offer

from .operate import refused_in_words
from .project_forms import ROLE_NAMES
from .projects import ProjectPages, look_anew

log = logging.getLogger(__name__)

PATH: Final = "/invitations"


def _tell_nobody(handler: Any) -> None:
    handler.set_header("Referrer-Policy", "no-referrer")
    handler.set_header("Cache-Control", "no-store")


class InvitationLink(BaseHandler):  # type: ignore[misc]
    """``GET /hub/invitations/CODE``: a cookie, and on to the page. It changes nothing else, and asks nothing."""

    def initialize(self) -> None:
        """Before anything can fail and be logged: the address is one without the code from here on."""
        self.request.path = self.request.uri = url_path_join(self.hub.base_url, PATH, "CODE")

    async def prepare(self) -> None:
        """Nobody has to be known for this."""

    def get(self, code: str) -> None:
        """Swap it."""
        _tell_nobody(self)
        invitation_cookie.keep(self, code)
        self.redirect(url_path_join(self.hub.base_url, PATH), status=303)


class InvitationPage(ProjectPages):
    """``/hub/invitations``: what this browser's invitation offers (GET), and to accept it (POST)."""

    @web.authenticated
    async def get(self) -> None:
        """Show it."""
        with refused_in_words():
            try:
                service, code = self._asked()
                offer = await service.offered(self.current_user.name, code)
            except FabricError as error:
                await self._refuse(error)
                return
            await self._show(offer)

    @web.authenticated
    async def post(self) -> None:
        """Accept it."""
        if self.get_auth_token() is not None or getattr(self.current_user, "kind", "") != "user":
            with refused_in_words():
                raise FabricError(project_pages.IN_PERSON())
        with refused_in_words():
            try:
                service, code = self._asked()
                offer = await service.accept_invitation(self.current_user.name, code)
            except FabricError as error:
                await self._refuse(error)
                return
            log.info(
                "%s accepted an invitation to project %s: %s", self.current_user.name, offer.project, offer.standing
            )
            look_anew(self.shared)
            if offer.standing == "in":
                invitation_cookie.forget(self)
            await self._show(offer)

    def _asked(self) -> tuple[CatalogueClient, str]:
        _tell_nobody(self)
        service, code = self.shared.catalogue_service, invitation_cookie.presented(self)
        if service is None:
            raise FabricError(project_pages.NO_CATALOGUE())
        if code is None:
            raise FabricError(texts.NONE_HERE())
        return service, code

    async def _refuse(self, error: FabricError) -> None:
        self.log.info("Refused an invitation to %s: %s", self.current_user.name, error)
        self.set_status(error.status)
        await self.show("invitation.html", offer=None, problem=error)

    async def _show(self, offer: Offer) -> None:
        await self.show("invitation.html", offer=offer, role=ROLE_NAMES[offer.role](), problem=None)


def pages() -> list[tuple[Any, ...]]:
    """The pages of whoever is invited, for JupyterHub's list of pages."""
    return [(PATH, InvitationPage), (rf"{PATH}/(.+)", InvitationLink)]
