"""A starter project at a login, where the site has them (``catalogue.starter``): the catalogue service decides."""

from __future__ import annotations

import logging

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.projects.live import LiveProjects, are_known
from fabric_hub.projects.membership import everybody

log = logging.getLogger(__name__)


async def give_starter(settings: Settings, user: str) -> None:
    """Have a starter project made for who comes in and is in no project. It fails no login."""
    catalogue = settings.catalogue
    if catalogue is None or catalogue.starter is None or not are_known(settings) or user in everybody(settings):
        return
    service = runtime().catalogue_service
    assert service is not None, "a site with a [catalogue] has its service"
    try:
        given = await service.starter(user)
    except FabricError as error:
        log.warning("No starter project for %s: %s", user, error)
        return
    if given.project is not None:
        log.info("%s has the starter project %s", user, given.project)
        if isinstance(settings.project, LiveProjects):
            settings.project.look()
