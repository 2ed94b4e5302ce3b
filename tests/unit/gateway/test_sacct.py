"""How jobs ended, and the jobs of a time window, are read as sacct means it."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.queries import sacct
from fabric_hub.gateway.queries.parse import GarbledError

SESSION = "abcdefgh2345"


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


def test_saccts_records_are_read_without_any_text_of_users() -> None:
    text = (
        "7|x-ann|lab|gpu|normal|CANCELLED by 0|1795297232|1795297343|billing=1,cpu=2,gres/gpu:h200=2,mem=1000M,node=1\n"
        "8|x-ann|lab|gpu|normal|RUNNING|1795297232|Unknown|cpu=1,gres/gpu=1,gres/gpu:h200=1\n"
        "9|x-ann|lab|gpu|normal|PENDING|Unknown|Unknown|\n"
    )
    first, second = sacct.jobs(text, {8: f"fabric-main-{SESSION}"})
    assert (first.gpus, first.cpus, first.state, first.ended_at, first.name) == (2, 2, "CANCELLED", 1795297343.0, "")
    assert (second.gpus, second.ended_at, second.name) == (1, None, f"fabric-main-{SESSION}")
    with pytest.raises(GarbledError):
        sacct.jobs("7|x-ann|lab\n", {})
    assert len(sacct.FIELDS) == 9


def test_a_name_that_reads_like_a_record_names_no_other_job() -> None:
    mark = "ab12"
    forged = f"x\n8|ff00fabric-main-{SESSION}|ff00"
    text = f"7|{mark}{forged}|{mark}\n9|{mark}fabric-main-{SESSION}|{mark}\n"
    assert sacct.names(text, mark) == {9: f"fabric-main-{SESSION}"}
