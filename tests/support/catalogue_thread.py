"""The real catalogue service on its socket, on an event loop of its own; its catalogue is the test's to change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.server import serve
from fabric_hub.catalogue.service import CatalogueService
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Catalogue

from .server_thread import ServerThread


def settings_of(directory: Path) -> dict[str, Any]:
    """The section ``datasets`` of a site's file in a directory, with the directories it names."""
    places = {name: directory / name for name in ("catalogue", "store", "published")}
    for place in places.values():
        place.mkdir(parents=True)
    (places["published"] / "events").mkdir(mode=0o700)
    return {
        "state_dir": places["catalogue"],
        "socket": directory / "catalogue.sock",
        "store": places["store"],
        "published": places["published"],
        "data_dir": "/data",
    }


class CatalogueThread(ServerThread):
    """Serves the catalogue service of a site. ``store`` is its catalogue, as ``fabric-hub datasets`` changes it."""

    def __init__(self, site: Path, settings: Settings) -> None:
        assert settings.catalogue
        super().__init__("catalogue")
        self._site, self._settings, self._datasets = site, settings, settings.catalogue
        self.store = CatalogueStore(open_catalogue(settings.catalogue))

    async def serve(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        service = CatalogueService(self._site, self._settings, CatalogueStore(open_catalogue(self._datasets)))
        await serve(service, self._datasets.socket, stop, ready)

    def close(self) -> None:
        super().close()
        self.store.close()

    def catalogue(self) -> Catalogue:
        return self.store.catalogue()
