"""A catalogue service as it runs: a process of its own account, asked over its socket by the hub's client.

As root it runs as one of the accounts that every Linux has, and the hub as another; else all is this account.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_dev import instance
from fabric_dev.layout import Layout
from fabric_dev.processes import MARK, Account, as_account
from fabric_dev.runtime import readable_by_others
from fabric_hub.catalogue.audit.log import audit_directory, named
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.catalogue.database import database_url
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.publish import grants_file
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import parse

from .builders import catalogue_text, least_site_text
from .waiting import until_async

CODE = Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.geteuid()).pw_name
CATALOGUE, HUB, MEMBER, OUTSIDER = ("daemon", "games", "bin", "nobody") if ROOT else (ME, ME, "jan", ME)

NEEDS_OTHERS = pytest.mark.skipif(
    ROOT and not (readable_by_others(Path(sys.executable)) and readable_by_others(CODE / "fabric_hub" / "errors.py")),
    reason="other accounts cannot read this Python or this code",
)

OFFER = """
import sys
from pathlib import Path
from fabric_hub.config import settings
from fabric_hub.catalogue.admin import opened
from fabric_hub.datasets.model import *
with opened(settings.load(Path(sys.argv[1]))) as desk:
    desk.add(Dataset(
        name="wind", title="Wind", description="Wind.", publisher=Agent(name="Us"), creator=Agent(name="Us"),
        contact=Contact(name="Us", email="us@example.org"), licence="https://example.org/licence",
        access="restricted", themes=("ENER",), keywords=("wind",), languages=("ENG",), personal_data="none",
        purposes=(Purpose(name="research", text="Research"),), agreement=Agreement(version="1", text="Be good."),
        provenance="Measured.", retention="ten years",
    ))
    desk.version("wind", Version(version="2", kind="image", path="/srv/wind.sqfs", sha256="a" * 64, bytes=1, files=1,
        created_at=1.0))
    desk.publish("wind")
    desk.grant("wind", "physics")
"""


def _account(name: str, group: str | None = None) -> Account | None:
    """An account to run as, or None as ourselves; with another account's group, as systemd's Group= gives one."""
    if not ROOT:
        return None
    entry = pwd.getpwnam(name)
    return Account(entry.pw_uid, grp.getgrnam(group).gr_gid if group else entry.pw_gid)


def run_as(name: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run this Python as an account."""
    return subprocess.run(
        as_account([sys.executable, *argv], _account(name)), capture_output=True, text=True, timeout=120, check=False,
        cwd=CODE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), "HOME": "/nonexistent"},
    )  # fmt: skip


@dataclass
class Daemon:
    """A site with its catalogue service."""

    directory: Path
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None

    @property
    def site(self) -> Path:
        return self.directory / "site.toml"

    @cached_property
    def datasets(self) -> CatalogueSettings:
        """As at the start."""
        found = parse(self.site.read_text()).catalogue
        assert found is not None
        return found

    @property
    def client(self) -> CatalogueClient:
        return CatalogueClient(self.datasets.socket)

    def prepare(self) -> None:
        """What an operator prepares: a site's file, and directories of the catalogue service's."""
        (self.directory / "run").mkdir(parents=True)
        (self.directory / "run" / "lock").touch()  # so that the watchdog clears it as it does an embedded run
        instance.mark(Layout(self.directory, self.directory))
        self.directory.chmod(0o755)
        entry = pwd.getpwnam(CATALOGUE)
        for name, mode in (("state", 0o700), ("store", 0o755), ("published", 0o755), ("socket", 0o750)):
            path = self.directory / name
            path.mkdir()
            if ROOT:
                os.chown(path, entry.pw_uid, pwd.getpwnam(HUB).pw_gid if name == "socket" else entry.pw_gid)
            path.chmod(mode | (0o2000 if name == "socket" else 0))
        users = "min_uid = 1" if ROOT else "shared_account = true"
        self.site.write_text(
            least_site_text(
                self.directory,
                f'[users]\n{users}\n[project.physics]\naccount = "phys"\nmembers.owner = ["ada"]\n'
                f'members.member = ["{MEMBER}"]\n{catalogue_text(self.directory, CATALOGUE)}'
                f'socket = "{self.directory}/socket/catalogue.sock"\n',
            )
        )
        self.site.chmod(0o644)

    def start(self) -> None:
        """Start the catalogue service, and wait until it answers."""
        self.process = subprocess.Popen(
            as_account([sys.executable, "-m", "fabric_hub.catalogue", "--site", str(self.site)], _account(CATALOGUE)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=CODE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), MARK: str(self.directory)},
        )  # fmt: skip
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "the catalogue service answers on" in line:
                break
        else:
            raise AssertionError("".join(self.log))
        self.reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        assert self.process
        assert self.process.stderr
        assert self.reader
        self.process.send_signal(number)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stderr.close()

    async def until(self, true: Callable[[], object], what: str, limit_s: float = 60) -> None:
        """Wait for what the catalogue service does by itself."""
        await until_async(true, what, limit_s, every_s=0.05, seen=lambda: "".join(self.log))

    def offer(self) -> None:
        """Publish the dataset wind, and grant it to physics, as an operator does."""
        done = as_operator(OFFER, self.site)
        assert done.returncode == 0, done.stderr

    def granted(self) -> dict[str, Any]:
        """What the nodes are told of who may use what."""
        found: dict[str, Any] = json.loads(grants_file(self.datasets).read_text())["grants"]
        return found

    def records(self) -> list[dict[str, Any]]:
        """Of the audit log, with the names of people; asked as whoever may read them."""
        engine = sa.create_engine(database_url(self.datasets))
        names = PeopleStore(engine).names()
        engine.dispose()
        return [named(record, names) for record in Reading(audit_directory(self.datasets)).records()]


def as_operator(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code with this test's own rights."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
        cwd=CODE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE)},
    )  # fmt: skip
