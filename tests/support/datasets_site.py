"""A site that offers datasets, for the tests of what an operator does: its catalogue is that of an account here."""

from __future__ import annotations

import os
import pwd
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fabric_hub import cli
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings, load

from .builders import catalogue_text, least_site_text

# As root the catalogue service must be somebody else, and a stranger a third; both are on every Debian.
CATALOGUE, STRANGER = "nobody", "daemon"


@dataclass(frozen=True)
class Place:
    """The directories of a site, below one that everybody may pass."""

    root: Path

    @property
    def site(self) -> Path:
        return self.root / "site.toml"

    @property
    def settings(self) -> Settings:
        return load(self.site)

    @property
    def datasets(self) -> CatalogueSettings:
        found = self.settings.catalogue
        assert found is not None
        return found

    def directory(self, name: str) -> Path:
        made = self.root / name
        made.mkdir()
        return made


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def catalogue_service() -> pwd.struct_passwd:
    """The catalogue service's account in these tests: as root another one, else our own."""
    return pwd.getpwnam(CATALOGUE) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def make_site(root: Path) -> Place:
    """Write a site's file with one project, and the catalogue service's empty directories."""
    root.chmod(0o755)
    place, owner = Place(root), catalogue_service()
    for name in ("state", "store", "published"):
        os.chown(place.directory(name), owner.pw_uid, owner.pw_gid)
    place.site.write_text(
        least_site_text(
            root / "hub",
            '[project.physics]\naccount = "phys"\nmembers = {owner = ["ada"], member = ["jan"]}\n'
            + catalogue_text(root, owner.pw_name),
        )
    )
    return place


def apart(work: Callable[[], int], uid: int | None = None) -> Done:
    """Do something in a process of its own: it may become another account for good.

    :param uid: as whom, for root.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                if uid is not None:
                    os.setgroups([])
                    os.setgid(uid)
                    os.setuid(uid)
                with os.fdopen(1, "w") as new_out, os.fdopen(2, "w") as new_err:
                    sys.stdout, sys.stderr = new_out, new_err
                    try:
                        status = work()
                    except BaseException:
                        traceback.print_exc(file=new_err)
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        done = Done(os.waitstatus_to_exitcode(ended), out.read(), err.read())
    print(done.out, done.err)
    return done


def command(place: Place, *argv: str | Path, uid: int | None = None) -> Done:
    """Give a command of ``fabric-hub datasets`` in a process of its own."""
    return apart(lambda: cli.main(["datasets", *map(str, argv), "--site", str(place.site)]), uid)
