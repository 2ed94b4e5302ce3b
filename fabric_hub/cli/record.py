"""The record of sessions, as a command line opens it: as the hub's account, whose files it must stay."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabric_hub.config import settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import usage as texts
from fabric_hub.projects.live import with_live_projects
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore

from .site import site_to_look_at


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[tuple[settings.Settings, SessionStore]]:
    """The site that a command looks at, and its record, which is closed with the block.

    :raises FabricError: the site's file, the hub's directory or the database cannot be used.
    """
    site = with_live_projects(settings.load(site_to_look_at(arguments)))
    become_owner(site)
    store = SessionStore(database_url(site))
    try:
        yield site, store
    finally:
        store.close()


def become_owner(site: settings.Settings) -> None:
    """Root becomes the hub's account for good: files that SQLite makes beside the database must stay the hub's."""
    if os.geteuid() != 0:
        return
    try:
        owner = Path(site.hub.state_dir).stat()
    except OSError as error:
        raise FabricError(texts.STATE_DIR_UNREADABLE(path=str(site.hub.state_dir), why=error.strerror or "")) from error
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
