from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.extend import began_beside, check, meets
from fabric_hub.gateway.queries import scontrol
from tests.support.builders import a_job, a_site


@pytest.fixture
def generous(tmp_path: Path) -> Settings:
    site = a_site(tmp_path)
    assert site.slurm is not None
    return site.model_copy(update={"slurm": site.slurm.model_copy(update={"extend": "as-gateway"})})


def test_a_site_that_says_nothing_gives_no_more_time(site: Settings) -> None:
    with pytest.raises(FabricError, match="Sessions can't be extended here") as refused:
        check(site, 60)
    assert refused.value.status == 403


def test_the_gateway_never_goes_beyond_the_longest_profile_of_its_own_file(generous: Settings) -> None:
    check(generous, 8 * 60)
    with pytest.raises(FabricError, match="longer than 8 hours"):
        check(generous, 8 * 60 + 1)


def test_a_job_beside_reserved_cores_of_its_node_is_not_in_their_way_and_one_that_was_there_before_may_be() -> None:
    recorded = Path(__file__).parents[1] / "launch" / "clusters" / "22.05.json"
    told = json.loads(recorded.read_text(encoding="utf-8"))
    (part,) = [one for one in scontrol.reservations(told["reservations"]) if one.name == "part"]
    now = float(told["asked_at"])
    assert (part.nodes, part.cpus, part.parts) == ("prt1", 4, ()), "Slurm does not say which four of its eight cores"
    assert part.starts_at < now < part.ends_at
    assert meets(part, now + 3600, now)
    assert began_beside(part, a_job(node="prt1", started_at=now - 1))
    assert not began_beside(part, a_job(node="prt1", started_at=part.starts_at - 60))
    assert not began_beside(part, a_job(node="prt1", state="PENDING"))


def test_a_reservation_that_is_over_or_begins_when_the_job_has_ended_is_in_nobodys_way() -> None:
    text = (
        "ReservationName=later StartTime=2000 EndTime=3000 Duration=00:16:40 Nodes=gpu1 NodeCnt=1 CoreCnt=8 "
        "Features=(null) PartitionName=(null) Flags=SPEC_NODES TRES=cpu=8\n"
    )
    (later,) = scontrol.reservations(text)
    assert not meets(later, 2000.0, 1000.0)
    assert meets(later, 2001.0, 1000.0)
    assert meets(later, 9000.0, 2999.0)
    assert not meets(later, 9000.0, 3000.0)
