"""A project's owners read which doors stay open to who is removed, and for how long."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.hub.pages.open_doors import open_doors
from tests.support.people_site import site as site_with_provider


def test_all_doors_close_where_the_gateway_makes_the_accounts_and_nobody_logs_in_at_a_provider(site: Settings) -> None:
    assert open_doors(site, 14) == ()


def test_another_system_that_makes_the_accounts_and_frozen_claims_are_told_with_the_age_of_a_login(
    site: Settings, tmp_path: Path
) -> None:
    assert site.slurm is not None
    outside = site.model_copy(update={"slurm": site.slurm.model_copy(update={"projects": "outside"})})
    (told,) = open_doors(outside, 14)
    assert str(told) == (
        "Another system makes Slurm's accounts here: who is removed can submit jobs from a login node until that "
        "system has followed. Their sessions end within a minute."
    )
    (frozen,) = open_doors(site_with_provider(tmp_path), 6.5)
    assert str(frozen) == (
        "Who is removed at their institution alone stays in this project until somebody removes them here; "
        "a login lasts at most 7 days."
    )
