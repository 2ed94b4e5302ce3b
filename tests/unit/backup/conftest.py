"""A site that is backed up: a catalogue service as it runs, and the two databases of a hub with a session on record."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.orm import new_session_factory

# with these here, no command's process has to import them
import fabric_hub.backup.make
import fabric_hub.backup.restore
import fabric_hub.backup.rollback  # noqa: F401
from fabric_hub import cli
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import fields_of_a_session, least_site_text
from tests.support.catalogue_process import Daemon
from tests.support.datasets_site import Done, apart

PROJECTS = """
[project.maths]
account = "maths"
members.owner = ["ada"]
[project.chemistry]
account = "chem"
members.owner = ["ada"]
"""


@dataclass
class BackedUp:
    """The site, and commands of an operator on it."""

    daemon: Daemon
    session: str

    @property
    def root(self) -> Path:
        return self.daemon.directory

    def command(self, *argv: str | Path) -> Done:
        """Give a command of ``fabric-hub``, in a process of its own; it may fail."""
        return apart(lambda: cli.main([*map(str, argv), "--site", str(self.daemon.site)]))

    def done(self, *argv: str | Path) -> str:
        """Give one that must not fail; what it says."""
        done = self.command(*argv)
        assert done.status == 0, done.err
        return done.out

    def granted(self) -> set[str]:
        """The projects that may use the dataset wind."""
        shown: dict[str, Any] = json.loads(self.done("datasets", "show", "wind", "--json"))
        return {grant["project"] for grant in shown["grants"]}

    def store(self) -> SessionStore:
        return SessionStore(f"sqlite:///{self.root / 'sessions.sqlite'}")


@pytest.fixture
def backed_up(sandbox: Path) -> Iterator[BackedUp]:
    """A running catalogue service, its dataset granted to three projects, and a live session on record."""
    daemon = Daemon(sandbox / f"backup-{secrets.token_hex(4)}")
    daemon.prepare()
    daemon.site.write_text(daemon.site.read_text().replace("[catalogue]", f"{PROJECTS}[catalogue]"))
    jupyterhub = new_session_factory(f"sqlite:///{daemon.directory / 'jupyterhub.sqlite'}")()
    jupyterhub.close()
    jupyterhub.get_bind().dispose()
    (daemon.directory / "cookie_secret").write_text("c" * 64)
    daemon.start()
    site = BackedUp(daemon, "")
    store = site.store()
    site.session = store.create(**fields_of_a_session()).id
    store.close()
    daemon.offer()
    for project in ("maths", "chemistry"):
        site.done("datasets", "grant", "wind", "--project", project)
    yield site
    if daemon.process and daemon.process.poll() is None:
        daemon.stop()
    shutil.rmtree(daemon.directory)
    sys.stdout.write("".join(daemon.log))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site without datasets, whose record of sessions is there."""
    place = tmp_path / "site.toml"
    place.write_text(least_site_text(tmp_path))
    open_database(f"sqlite:///{tmp_path / 'sessions.sqlite'}").dispose()
    return place


def command(site: Path, *argv: str | Path) -> Done:
    return apart(lambda: cli.main([*map(str, argv), "--site", str(site)]))
