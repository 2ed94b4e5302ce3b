from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.extend import check
from tests.support.builders import a_site


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
