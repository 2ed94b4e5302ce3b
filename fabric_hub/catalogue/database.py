"""The catalogue's database: SQLite in the catalogue service's directory, or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files, startup
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.sessions.database import Kept, open_database, unusable, with_driver
from fabric_hub.unix import state_lock

CATALOGUE = Kept(
    Path(__file__).parent / "migrations",
    startup.CATALOGUE_DATABASE,
    startup.CATALOGUES_ACCOUNT,
    texts.CATALOGUE_UNUSABLE,
)


def database_url(settings: CatalogueSettings) -> str:
    """The SQLAlchemy URL of the catalogue; a plain ``postgresql://`` means the driver psycopg."""
    return with_driver(settings.database) or f"sqlite:///{settings.state_dir / 'catalogue.sqlite'}"


def open_catalogue(settings: CatalogueSettings) -> sa.Engine:
    """An engine on the catalogue, its tables brought up to date.

    :raises FabricError: it cannot be opened or written, or is of a later release; or its URL holds a password, which
        the hub could read in the site's file, and grant itself what it likes.
    """
    url = database_url(settings)
    with suppress(sa.exc.ArgumentError):  # told when it is opened
        if sa.make_url(url).password is not None:
            raise FabricError(dataset_files.PASSWORD_IN_URL())
    state_lock.hold(settings.state_dir)
    return open_database(url, CATALOGUE)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to read by.

    :raises FabricError: the catalogue cannot be used.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DatabaseError as error:
        raise unusable(error, CATALOGUE) from error
