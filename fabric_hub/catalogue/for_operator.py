"""The catalogue's database, opened for an operator who gives a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from fabric_hub.config.settings import Settings

from . import switch_user
from .database import open_catalogue


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[sa.Engine, str]]:
    """The database, and who gives the command, for the record. The process is the catalogue service's account from here
    on.

    :raises FabricError: this process may not be that account; the database cannot be opened.
    """
    assert settings.catalogue is not None
    by = switch_user.caller()
    switch_user.for_good(settings.catalogue)
    engine = open_catalogue(settings.catalogue)
    try:
        yield engine, by
    finally:
        engine.dispose()
