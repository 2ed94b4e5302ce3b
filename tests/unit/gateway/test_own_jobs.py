"""Which of the jobs with a session's name the gateway submitted itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.extend import held
from fabric_hub.gateway.jobs.own_jobs import load_key, mark, submitted
from fabric_hub.gateway.queries.squeue import JobDetail, details
from fabric_hub.slurm.model import ExtendRequest, Job
from tests.support.builders import SESSION, a_job

KEY = bytes(32)
MARK = mark(KEY, SESSION, "jan", None)


def a_detail(job_id: int, comment: str = MARK, user: str = "jan") -> JobDetail:
    return JobDetail(job_id, f"fabric-main-{SESSION}", user, "RUNNING", "gpu1", comment)


def test_of_the_jobs_that_carry_a_mark_only_the_first_is_the_gateways_own() -> None:
    assert submitted([a_detail(9), a_detail(7), a_detail(8)], "jan", MARK) == 7
    assert submitted([a_detail(7, f"the site's words; {MARK}")], "jan", MARK) == 7


@pytest.mark.parametrize(
    "other",
    [
        a_detail(7, ""),
        a_detail(7, MARK[:-1]),
        a_detail(7, f"x{MARK}"),
        a_detail(7, user="eve"),
        a_detail(7, mark(KEY, SESSION, "jan", 5)),
        a_detail(7, mark(bytes([1]) * 32, SESSION, "jan", None)),
        a_detail(7, mark(KEY, "abcdefgh7777", "jan", None)),
    ],
)
def test_a_job_with_another_mark_is_not_the_gateways_own(other: JobDetail) -> None:
    assert submitted([other], "jan", MARK) is None


def test_a_gateway_that_was_started_anew_has_the_same_key_and_takes_none_that_others_could_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = load_key(path)
    assert load_key(path) == first
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    assert load_key(path) != first
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert len(load_key(path)) == 32
    assert not (tmp_path / "elsewhere").exists()


def test_a_comment_forges_no_record() -> None:
    forged = f"x\n8|fjan|fRUNNING|fgpu1|f{MARK}|fn|f"
    text = f"7|mjan|mPENDING|mgpu[1-2]|m{forged}|mmine|m\n"
    assert details(text, "m") == (JobDetail(7, "mine", "jan", "PENDING", "gpu[1-2]", forged),)


REQUEST = ExtendRequest(session=SESSION, user="jan", job_id=7, account="Lab", partition="gpu", minutes=60)
MINE = a_job(account="lab", partition="gpu")


def test_the_job_on_record_gets_more_time_and_not_the_newest_of_its_name() -> None:
    assert held([a_job(job_id=9), MINE], REQUEST) == MINE
    assert held([MINE.model_copy(update={"partition": "any"})], REQUEST.model_copy(update={"partition": None}))


@pytest.mark.parametrize(
    ("job", "status"),
    [
        (a_job(job_id=9, account="lab", partition="gpu"), 409),
        (MINE.model_copy(update={"state": "PENDING"}), 409),
        (MINE.model_copy(update={"account": "other"}), 403),
        (MINE.model_copy(update={"partition": "long"}), 403),
    ],
)
def test_no_job_but_the_one_on_record_as_it_was_asked_for_gets_more_time(job: Job, status: int) -> None:
    with pytest.raises(FabricError) as refused:
        held([job], REQUEST)
    assert (refused.value.reason, refused.value.status) == ("extend", status)
