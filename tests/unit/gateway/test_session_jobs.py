"""A session has one job: which of those with its name it is, and what becomes of the others."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from fabric_hub.gateway.jobs import session_jobs
from fabric_hub.gateway.jobs.own_jobs import OwnJobs, mark
from fabric_hub.gateway.jobs.session_jobs import SessionJobs
from fabric_hub.gateway.queries.squeue import JobDetail
from fabric_hub.gateway.rate_limit import Bucket
from fabric_hub.slurm.model import Job, JobSpec, Snapshot, SubmitRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix.accounts import Account
from tests.support.builders import SESSION, a_site

JAN = Account("jan", 4001, 4001, (), "/home/jan", "/bin/bash")
NAME = f"fabric-main-{SESSION}"
KEY = bytes(32)


class Cluster:
    """A Slurm whose jobs are here, those in ``hidden`` for their owner only; and those who ask and change it."""

    def __init__(self) -> None:
        self.jobs: dict[int, JobDetail] = {}
        self.hidden: set[int] = set()
        self.late: list[int] = []  # submissions that arrive when the owner has asked once
        self.asked = 0
        self.snapshot = Snapshot()

    def add(self, number: int, comment: str = "", state: str = "RUNNING", name: str = NAME, user: str = "jan") -> None:
        self.jobs[number] = JobDetail(number, name, user, state, "gpu1", comment)

    def nudge(self) -> None:
        """As of the watcher."""

    async def read(self, fresh: float, wait_s: float) -> Snapshot:
        seen = [job for job in self.jobs.values() if job.job_id not in self.hidden]
        jobs = tuple(Job(job_id=job.job_id, name=job.name, user=job.user, state=job.state) for job in seen)
        self.snapshot = Snapshot(jobs=jobs, jobs_at=fresh)
        return self.snapshot

    async def details(self, name: str, account: Account) -> tuple[JobDetail, ...]:
        self.asked += 1
        told = tuple(self.jobs.values())
        for number in self.late:
            self.add(number, mark(KEY, SESSION, "jan", None))
        return told

    @contextlib.asynccontextmanager
    async def slot(self, account: Account) -> AsyncIterator[None]:
        yield

    async def scancel(self, number: int, account: Account) -> None:
        self.add(number, state="CANCELLED")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def jobs(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionJobs:
    """Its sbatch makes job 99."""

    async def sbatch(self: SessionJobs, request: SubmitRequest, account: Account, name: str) -> tuple[int, str]:
        cluster.add(99, mark(KEY, SESSION, "jan", request.job_id))
        self._remember(request.session, account, 99)
        return 99, ""

    monkeypatch.setattr(session_jobs, "_ARRIVAL_S", 0.0)
    monkeypatch.setattr(SessionJobs, "_prepare_and_sbatch", sbatch)
    site, stand_in = a_site(tmp_path), cast("Any", cluster)
    assert site.slurm
    own = OwnJobs(KEY, stand_in, Bucket(1000), cluster.slot)
    return SessionJobs(site, site.slurm, watcher=stand_in, limits=stand_in, clients=stand_in, own=own)


def request(job_id: int | None = None, again: bool = True) -> SubmitRequest:
    spec = JobSpec(account="phys", partition="cpu")
    return SubmitRequest(session=SESSION, user="jan", image="base", spec=spec, again=again, job_id=job_id)


async def test_the_job_on_record_is_found_without_a_question_to_its_owner(cluster: Cluster, jobs: SessionJobs) -> None:
    cluster.add(7)
    cluster.add(8, mark(KEY, SESSION, "jan", 7))
    assert (await jobs.submit(request(7), JAN)).job_id == 7
    assert cluster.asked == 0


@pytest.mark.parametrize("on_record", [7, None])
async def test_a_job_that_slurm_hides_from_the_gateway_is_never_submitted_a_second_time(
    cluster: Cluster, jobs: SessionJobs, on_record: int | None
) -> None:
    cluster.add(7, mark(KEY, SESSION, "jan", None))
    cluster.hidden = {7}
    done = await jobs.submit(request(on_record), JAN)
    assert (done.job_id, done.adopted, cluster.asked) == (7, True, 1)


async def test_what_this_process_submitted_and_is_hidden_now_stays_the_sessions_job(
    cluster: Cluster, jobs: SessionJobs
) -> None:
    assert (await jobs.submit(request(again=False), JAN)).job_id == 99
    cluster.hidden = {99}
    jobs._known[SESSION].at = 0.0
    await cluster.read(1.0, 0.0)
    done = await jobs.submit(request(again=False), JAN)
    assert (done.job_id, done.adopted, cluster.asked) == (99, True, 1)


async def test_a_submission_that_arrives_late_is_adopted(cluster: Cluster, jobs: SessionJobs) -> None:
    cluster.late = [7]
    done = await jobs.submit(request(), JAN)
    assert (done.job_id, done.adopted, cluster.asked) == (7, True, 2)


async def test_jobs_that_only_have_the_name_end_and_cost_two_questions(cluster: Cluster, jobs: SessionJobs) -> None:
    cluster.add(5)
    cluster.add(6, mark(KEY, SESSION, "eve", None), "PENDING")
    cluster.add(8, name=f"{NAME}-dask-wide")
    done = await jobs.submit(request(), JAN)
    assert (done.job_id, done.adopted, cluster.asked) == (99, False, 2)
    assert [job.state for job in cluster.jobs.values()] == ["CANCELLED", "CANCELLED", "RUNNING", "RUNNING"]


@pytest.mark.parametrize("on_record", [7, None])
async def test_a_copy_ends_no_session(cluster: Cluster, jobs: SessionJobs, on_record: int | None) -> None:
    for number in (7, 8, 9):
        cluster.add(number, mark(KEY, SESSION, "jan", None))
    assert (await jobs.submit(request(on_record), JAN)).job_id == 7
    assert {job.state for job in cluster.jobs.values()} == {"RUNNING"}


@pytest.mark.parametrize("owner", ["nobody", "4001", ""])
async def test_while_the_name_service_has_forgotten_the_owner_nothing_is_concluded(
    cluster: Cluster, jobs: SessionJobs, owner: str
) -> None:
    cluster.add(7, mark(KEY, SESSION, "jan", None), user=owner)
    with pytest.raises(SlurmUnavailableError, match="It is not known whether the session's job is there"):
        await jobs.submit(request(7), JAN)
    assert list(cluster.jobs) == [7]
