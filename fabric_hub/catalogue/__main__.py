"""The catalogue service: ``python -m fabric_hub.catalogue --site FILE``.

An unprivileged account of its own, which owns the catalogue, the images, the audit log, and what the nodes are told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import signal
import sys
from pathlib import Path

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings, load, path_from_environment
from fabric_hub.errors import FabricError
from fabric_hub.logs import lines
from fabric_hub.messages.logs import gives_up, with_codes
from fabric_hub.messages.texts import startup
from fabric_hub.unix import capabilities

from .database import open_catalogue
from .ingest import AGENTS, events_directory
from .server import serve
from .service import CatalogueService
from .store import CatalogueStore


def check(settings: Settings) -> CatalogueSettings:
    """Refuse to start as the wrong account, or where the catalogue service could not do its work.

    :raises FabricError: see above.
    """
    datasets = settings.catalogue
    if datasets is None:
        raise FabricError(startup.NO_DATASETS())
    me = pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0 or (me != datasets.account and not settings.users.shared_account):
        raise FabricError(startup.OTHER_ACCOUNT(account=me, wanted=datasets.account))
    for place in (datasets.state_dir, datasets.store, datasets.published):
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise FabricError(
                startup.NO_DIRECTORY(
                    path=str(place), account=me, mode=f"{0o755 if place == datasets.published else 0o700:o}"
                )
            )
    datasets.store.chmod(0o700)  # its entries are the datasets' names, those of non-public ones too
    events = events_directory(datasets)
    events.mkdir(mode=0o700, exist_ok=True)
    events.chmod(0o700)
    (events / AGENTS).mkdir(mode=0o700, exist_ok=True)
    return datasets


async def _main(site: Path, settings: Settings, datasets: CatalogueSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    catalogue_service = CatalogueService(site, settings, CatalogueStore(open_catalogue(datasets)))
    await serve(catalogue_service, datasets.socket, stop)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the catalogue service; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fabric-hub-catalogue", description=__doc__)
    parser.add_argument("--site", type=Path, default=None, help="the site's file (TOML)")
    options = parser.parse_args(arguments)
    with_codes()
    os.umask(0o077)
    try:
        capabilities.drop_inheritance()  # before any thread and any child
        site = options.site or path_from_environment()
        settings = load(site)
        lines.configure("catalogue", settings.log.as_json)
        return asyncio.run(_main(site, settings, check(settings)))
    except FabricError as error:
        print(gives_up(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
