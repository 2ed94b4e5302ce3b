"""The projects that the catalogue service keeps, on an embedded run: hub and gateway read them, people do not."""

from __future__ import annotations

import asyncio
import pwd
import subprocess
from pathlib import Path

import pytest

from fabric_dev.processes import Account, as_account
from fabric_hub.config.settings import Members, Project
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.projects.live import projects_file
from fabric_hub.slurm.storage import StorageAnswer
from tests.support.embedded_run import EmbeddedRun
from tests.support.kept_projects import publish
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.root]


def account_of(pid: int) -> Account:
    """As whom a process runs, by the kernel's word; it has no other groups."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Groups"].split() == []
    return Account(int(status["Uid"].split()[0]), int(status["Gid"].split()[0]))


def test_hub_and_gateway_read_the_projects_that_are_kept_and_nobody_else_does(embedded: EmbeddedRun) -> None:
    assert embedded.settings.catalogue
    path = projects_file(embedded.settings.catalogue)
    before = path.read_bytes() if path.exists() else None
    # the operator of the demo is in no project of the site's file
    waves = Project(account="proteins", members=Members(member=("operator",)))

    async def storage() -> StorageAnswer:
        async with GatewayClient(embedded.settings.gateway.socket) as gateway:
            return await gateway.storage("operator")

    def reads() -> bool:
        try:
            asyncio.run(storage())
        except FabricError:
            return False
        return True

    assert not reads()
    try:
        publish(path, 1_000_000, waves=waves)
        hub = pwd.getpwnam(embedded.unix_name("hub"))
        for reader in (account_of(embedded.pid("gateway")), Account(hub.pw_uid, hub.pw_gid)):
            done = subprocess.run(as_account(["cat", str(path)], reader), capture_output=True, text=True, check=False)
            assert "operator" in done.stdout, done.stderr
        for user in ("operator", "student1"):  # and so no session of theirs
            refused = embedded.as_user(user, "cat", str(path))
            assert "Permission denied" in refused.stderr
        until(reads, "the gateway has read them", 5)
    finally:
        path.unlink() if before is None else path.write_bytes(before)
