"""The gateway: ``python -m fabric_hub.gateway --site FILE``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from fabric_hub.config.settings import Settings, load
from fabric_hub.errors import FabricError
from fabric_hub.logs import lines
from fabric_hub.messages.logs import gives_up, with_codes
from fabric_hub.messages.texts import startup
from fabric_hub.projects.live import with_live_projects
from fabric_hub.unix import accounts, capabilities

from .server import serve
from .service import Gateway


def check_identity(settings: Settings) -> None:
    """Refuse to start as somebody who could not do the work.

    :raises FabricError: root for a shared account, or no right to become others without one.
    """
    if settings.users.shared_account:
        accounts.resolve("anyone", settings.users)
    elif not capabilities.can_become_others():
        raise FabricError(startup.MAY_NOT_BECOME())


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    failed = False

    def died() -> None:
        nonlocal failed
        failed = True
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(Gateway(settings, died=died), settings.gateway.socket, stop)
    return 1 if failed else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the gateway; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fabric-hub-gateway", description=__doc__)
    parser.add_argument("--site", type=Path, default=None, help="the site's file (TOML)")
    options = parser.parse_args(arguments)
    with_codes()
    try:
        capabilities.drop_inheritance()  # before any thread and any child
        settings = with_live_projects(load(options.site))
        lines.configure("gateway", settings.log.as_json)
        check_identity(settings)
        return asyncio.run(_main(settings))
    except FabricError as error:
        print(gives_up(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
