"""One service at a time acts on a record: the one that came last.

A service that an earlier hub left behind, or that hung for a while, may know of sessions what is no longer so. The
lease is a file beside the record that holds its owner's name: it is read anew before anything is ended, so that
nothing which a process remembers counts.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import startup

LOOK_S = 2.0


def lease_path(settings: Settings) -> Path:
    return settings.hub.state_dir / "sessions.lease"


class Lease:
    """The right to end sessions and jobs; whoever takes it takes it from all others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = secrets.token_hex(16)

    def take(self) -> None:
        """From now on it is ours.

        :raises FabricError: the file cannot be written.
        """
        fresh = self._path.with_name(f"{self._path.name}.{self._name}")
        try:
            fresh.write_text(self._name)
            fresh.replace(self._path)
        except OSError as error:
            raise FabricError(startup.LEASE_UNWRITABLE(path=str(self._path), why=error.strerror or "")) from error

    def held(self) -> bool:
        """Whether nobody has taken it since."""
        try:
            return self._path.read_text() == self._name
        except OSError:  # what cannot be known is no right
            return False

    async def keep(self) -> None:
        """Until cancelled, or somebody else has it.

        :raises FabricError: somebody else has it.
        """
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.held():
                raise FabricError(startup.LEASE_TAKEN(path=str(self._path)))
