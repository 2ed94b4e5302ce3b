from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.extend import check, partition_minutes
from tests.support.builders import a_site

PARTITION = "PartitionName=gpu AllowGroups=ALL DefaultTime=NONE MaxNodes=UNLIMITED MaxTime={} MinNodes=0 Nodes=gpu[1-2]"


@pytest.fixture
def generous(tmp_path: Path) -> Settings:
    site = a_site(tmp_path)
    assert site.slurm is not None
    return site.model_copy(update={"slurm": site.slurm.model_copy(update={"extend": "as-gateway"})})


@pytest.mark.parametrize(
    ("told", "minutes"), [("UNLIMITED", None), ("08:00:00", 480), ("2-00:30:00", 2910), ("INFINITE", None)]
)
def test_the_longest_time_of_a_partition_is_read(told: str, minutes: int | None) -> None:
    assert partition_minutes(PARTITION.format(told)) == minutes


def test_a_site_that_says_nothing_gives_no_more_time(site: Settings) -> None:
    with pytest.raises(FabricError, match="no more time") as refused:
        check(site, 60)
    assert refused.value.status == 403


def test_the_gateway_never_goes_beyond_the_longest_profile_of_its_own_file(generous: Settings) -> None:
    check(generous, 8 * 60)
    with pytest.raises(FabricError, match="longer than 8 hours"):
        check(generous, 8 * 60 + 1)
