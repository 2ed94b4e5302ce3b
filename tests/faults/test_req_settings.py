"""A hub with ``req_*`` settings on a real Slurm: limits are asked about the very job that is submitted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from fabric_hub.gateway.client import GatewayClient
from tests.support.broken_site import BrokenSite
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(300)]

# Jobs go to partition "long"; those of one user to "short", as the site's hook has it, which runs with each start.
CONFIGURATION = """
c.FabricSlurmSpawner.req_partition = "long"

def by_user(spawner):
    if spawner.user.name == "student1":
        spawner.child_spawner.req_partition = "short"

c.Spawner.pre_spawn_hook = by_user
"""
PROFILE = """
[profile.plain]
memory = "64M"
default_hours = 0.5
max_hours = 8
"""


def _ask_for_limits(site: BrokenSite) -> set[str]:
    """The partitions whose limits the gateway knows once it has asked Slurm anew."""

    async def names() -> set[str]:
        async with GatewayClient(site.settings.gateway.socket) as gateway:
            return {partition.name for partition in (await gateway.limits(wait_s=30, fresh=time.time())).partitions}

    return asyncio.run(names())


@pytest.fixture
def moved(site: BrokenSite) -> Iterator[BrokenSite]:
    """A site from batchspawner: its profile names no partition, and Slurm's default one has jobs of one hour only."""
    extra = site.hold.with_name("req.py")
    extra.write_text(CONFIGURATION)
    before = site.run.site.read_text()
    site.run.site.write_text(before.replace("[hub]\n", f'[hub]\nextra_config = "{extra}"\n', 1) + PROFILE)
    site.kill()
    try:
        site.run.slurm("scontrol", "update", "PartitionName=cpu", "MaxTime=60")
        for name, minutes in (("long", 480), ("short", 30)):
            site.run.slurm("scontrol", "create", f"PartitionName={name}", "Nodes=cpu1", f"MaxTime={minutes}")
        site.kill_gateway()  # one that begins anew asks at once which nodes the partitions have
        until(lambda: {"cpu", "long", "short"} <= _ask_for_limits(site), "the gateway knows the partitions", 60)
        site.up()
        yield site
    finally:
        site.clean()  # a partition with jobs is not deleted
        site.run.site.write_text(before)
        site.kill()  # the next test starts another
        for name in ("long", "short"):
            site.run.slurm("scontrol", "delete", f"PartitionName={name}")
        site.run.slurm("scontrol", "update", "PartitionName=cpu", "MaxTime=1440")
        until(lambda: "short" not in _ask_for_limits(site), "the gateway knows that they are gone", 60)


def test_limits_are_asked_of_the_partition_that_req_partition_or_the_sites_hook_gives_the_job(
    moved: BrokenSite,
) -> None:
    researcher, student = moved.person("researcher"), moved.person("student1")
    started = researcher.start(project="proteins", profile="plain", image="tiny", hours=2)
    assert started.status_code in (201, 202), started.text
    session = moved.session_of(researcher)
    assert moved.run.slurm("squeue", "-h", "-j", str(session.job_id), "-o", "%P %l") == "long 2:00:00"
    researcher.until_ready()

    refused = student.start(project="ml-course", profile="plain", image="tiny", hours=0.75)
    assert refused.status_code == 403, refused.text
    said = refused.json()["message"]
    assert said.startswith("Partition short allows a job at most 30 minutes, not 45 minutes."), said
    assert list(moved.jobs()) == [session.job_id], "nothing was submitted"
