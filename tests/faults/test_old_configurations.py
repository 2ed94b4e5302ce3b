"""An old hub's configuration is taken over by ``check-config``, and its profile starts on a real Slurm."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_dev.sitefile import toml
from fabric_hub.cli import main
from fabric_hub.moving.reading import read
from fabric_hub.moving.verdicts import judge
from tests.support.broken_site import BrokenSite
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(600), pytest.mark.long]

OLD = Path(__file__).parents[1] / "unit" / "moving" / "old_configs" / "profiles.py"


@pytest.fixture
def moved(site: BrokenSite, tmp_path: Path) -> Iterator[BrokenSite]:
    """The site with the profiles of an old configuration, and with what of that configuration is no left-over."""
    old, made = tmp_path / "old.py", tmp_path / "site.toml"
    # this cluster has little memory, no modules, and people with demo passwords
    text = OLD.read_text().replace('req_memory="4gb"', 'req_memory="64mb"')
    old.write_text(
        "\n".join(line for line in text.splitlines() if "authenticator" not in line and "prologue" not in line)
    )
    tmp_path.chmod(0o755)
    old.chmod(0o644)
    assert main(["check-config", "--jupyterhub-config", str(old), "--write-site", str(made)]) == 0

    before = site.run.site.read_text()
    extra = site.hold.with_name("old.py")
    gone = {one.line for one in judge(read(old), site.settings) if one.stops}
    assert gone, "its addresses and its spawner are left-overs here"
    lines = old.read_text().splitlines()
    extra.write_text("\n".join(f"# {line}" if number in gone else line for number, line in enumerate(lines, 1)))
    settings = tomllib.loads(before)
    settings["hub"]["extra_config"] = str(extra)
    settings["profile"] |= {"small-of-old": tomllib.loads(made.read_text())["profile"]["small"]}
    site.run.site.write_text(toml(settings).lstrip("\n"))
    site.kill()
    try:
        site.run.slurm("scontrol", "create", "PartitionName=interactive", "Nodes=cpu1", "MaxTime=1440")
        site.kill_gateway()
        site.up()
        yield site
    finally:
        site.clean()
        site.run.site.write_text(before)
        site.kill()
        site.run.slurm("scontrol", "delete", "PartitionName=interactive")


def test_a_profile_of_an_old_configuration_starts_with_its_partition_its_time_and_its_cpus(moved: BrokenSite) -> None:
    researcher = moved.person("researcher")

    def started() -> bool:
        answer = researcher.start(project="proteins", profile="small-of-old", image="tiny")
        # until the gateway has heard of the new partition
        assert answer.status_code in (201, 202, 409), answer.text
        return answer.status_code != 409

    until(started, "the gateway knows the partition", 60, every_s=1)
    session = moved.session_of(researcher)
    assert (
        moved.run.slurm("squeue", "-h", "-j", str(session.job_id), "-o", "%P %l %C %m") == "interactive 8:00:00 2 64M"
    )
    researcher.until_ready()
