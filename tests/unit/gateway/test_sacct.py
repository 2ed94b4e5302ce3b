"""How jobs ended is read as sacct means it."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.queries import sacct


def test_endings_from_the_database() -> None:
    text = "1|CANCELLED by 1001|0:0|1795282669\n4|FAILED|3:0|1795282610\n5|RUNNING|0:0|Unknown\nnonsense\n"
    assert sacct.ended(text) == {
        1: ("CANCELLED", 0, None, 1795282669.0),
        4: ("FAILED", 3, None, 1795282610.0),
        5: ("RUNNING", 0, None, None),
    }


@pytest.mark.parametrize(
    ("said", "uid"),
    [("7|CANCELLED by 1016\n", 1016), ("7|CANCELLED\n", None), ("17|CANCELLED by 5\n", None), ("7|RUNNING\n", None)],
)
def test_who_cancelled_a_job_is_the_databases_word(said: str, uid: int | None) -> None:
    assert sacct.cancelled_by(said, 7) == uid
