"""What the pages show of requests for projects: from the catalogue service, and whether they can be made here."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from fabric_hub.config.settings import Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import Text
from fabric_hub.projects.requests import Request

from .request_forms import STATES

log = logging.getLogger(__name__)

# How long an answer stands on the page of who asked, in seconds.
ANSWERS_SHOWN_S = 90 * 86400.0


@dataclass(frozen=True)
class RequestView:
    """A request as somebody sees it; ``word`` is its state, ``colour`` that of its mark."""

    request: Request
    word: Text
    colour: str


# as the marks of a project's state
_COLOURS = {"open": "queued", "granted": "running", "declined": "failed", "withdrawn": "ended"}


def asks_here(settings: Settings) -> bool:
    """Whether projects are asked for on the hub's pages. Pure."""
    catalogue = settings.catalogue
    return catalogue is not None and catalogue.requests_per_person > 0 and not settings.site.request_url


def asks_more(settings: Settings, project: Project) -> bool:
    """Whether there is more of a project that its owners can ask for on the hub's pages. Pure."""
    asked = settings.catalogue is not None and settings.catalogue.requests_per_person > 0
    return asked and (project.budget_gpu_hours is not None or project.end is not None)


def views(requests: tuple[Request, ...], now: float) -> tuple[RequestView, ...]:
    """Requests as their person sees them, those without an answer first and the newest of those; an old answer is not
    shown. Pure."""
    shown = [one for one in requests if one.answered_at is None or now - one.answered_at < ANSWERS_SHOWN_S]
    shown.sort(key=lambda one: (one.state != "open", -one.at))
    return tuple(RequestView(one, STATES[one.state], _COLOURS[one.state]) for one in shown)


async def requests_of(shared: HubRuntime, user: str, now: float | None = None) -> tuple[RequestView, ...] | None:
    """Somebody's requests; None: the catalogue service does not say."""
    if shared.catalogue_service is None:
        return ()
    try:
        return views(await shared.catalogue_service.project_requests(user), time.time() if now is None else now)
    except FabricError as error:
        log.warning("The requests of %s are not known: %s", user, error)
        return None


async def open_requests(shared: HubRuntime) -> tuple[Request, ...] | None:
    """All open requests, those that have waited longest first; None: the catalogue service does not say."""
    if shared.catalogue_service is None:
        return ()
    try:
        return await shared.catalogue_service.project_requests()
    except FabricError as error:
        log.warning("The open requests are not known: %s", error)
        return None
