"""The real catalogue service on its socket, on an event loop of its own; its catalogue is the test's to change."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.server import serve
from fabric_hub.catalogue.service import CatalogueService
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Catalogue


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


class CatalogueThread:
    """Serves the catalogue service of a site. ``store`` is its catalogue, as ``fabric-hub datasets`` changes it."""

    def __init__(self, site: Path, settings: Settings) -> None:
        assert settings.catalogue
        self._site, self._settings, self._datasets = site, settings, settings.catalogue
        self.store = CatalogueStore(open_catalogue(settings.catalogue))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="catalogue", daemon=True)
        self._thread.start()
        self._stop: asyncio.Event | None = None
        self._served: asyncio.Task[None] | None = None

    def up(self) -> None:
        """Let it answer."""

        async def begin() -> None:
            self._stop, ready = asyncio.Event(), asyncio.Event()
            catalogue_service = CatalogueService(
                self._site, self._settings, CatalogueStore(open_catalogue(self._datasets))
            )
            self._served = asyncio.create_task(serve(catalogue_service, self._datasets.socket, self._stop, ready))
            await asyncio.wait_for(ready.wait(), 20)

        self._await(begin())

    def down(self) -> None:
        """A catalogue service that is gone: nothing answers on its socket."""

        async def end() -> None:
            if self._stop and self._served:
                self._stop.set()
                await self._served
            self._stop = self._served = None

        self._await(end())

    def close(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self.store.close()

    def catalogue(self) -> Catalogue:
        return self.store.catalogue()

    def _await(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
