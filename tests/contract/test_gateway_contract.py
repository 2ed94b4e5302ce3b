"""What every gateway promises, asked of the fake and of the real one alike."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import LONGEST_WAIT_S
from fabric_hub.slurm.model import CancelRequest, Job, Phase, job_name
from fabric_hub.slurm.records import PortNote, RecordMark, RecordStatement
from fabric_hub.slurm.unavailable import SlurmUnavailableError

from .conftest import Stage, new_session


def running(job: Job) -> bool:
    return job.state == "RUNNING"


async def test_a_submitted_session_runs_under_its_name_and_its_owners_account(gateway: Stage) -> None:
    session = new_session()
    submitted = await gateway.client.submit(gateway.request(session))
    assert not submitted.adopted
    job = await gateway.until(session, running)
    assert job.job_id == submitted.job_id
    assert job.session == (gateway.hub, session)
    assert job.user == gateway.account_of(gateway.user)
    snapshot = await gateway.client.snapshot()
    assert job.node in {node.name for node in snapshot.nodes}


async def test_submitting_twice_makes_one_job(gateway: Stage) -> None:
    session = new_session()
    both = await asyncio.gather(*(gateway.client.submit(gateway.request(session)) for _ in range(2)))
    assert len({answer.job_id for answer in both}) == 1
    assert sorted(answer.adopted for answer in both) == [False, True]
    third = await gateway.client.submit(gateway.request(session, again=True))
    assert third.job_id == both[0].job_id
    assert third.adopted


async def test_an_ended_job_is_not_adopted(gateway: Stage) -> None:
    session = new_session()
    first = await gateway.client.submit(gateway.request(session))
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.user))
    second = await gateway.client.submit(gateway.request(session, again=True))
    assert second.job_id != first.job_id
    assert not second.adopted


async def test_a_waiting_session_says_why(gateway: Stage) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session, waits=True))
    job = await gateway.until(session, lambda job: bool(job.reason))
    assert job.state == "PENDING"
    assert job.phase is Phase.QUEUED


async def test_a_cancelled_session_ends_and_stays_in_sight(gateway: Stage) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    await gateway.until(session, running)
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.user))
    job = await gateway.until(session, lambda job: job.phase is Phase.ENDED)
    assert job.state == "CANCELLED"


async def test_cancelling_what_is_not_there_is_no_error(gateway: Stage) -> None:
    await gateway.client.cancel(CancelRequest(session=new_session(), user=gateway.user))


async def test_nobody_adopts_or_cancels_somebody_elses_session(gateway: Stage) -> None:
    if gateway.account_of(gateway.user) == gateway.account_of(gateway.other):
        pytest.skip("everybody shares one account here")
    session = new_session()
    mine = await gateway.client.submit(gateway.request(session))
    await gateway.until(session, running)
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.other))
    theirs = await gateway.client.submit(gateway.request(session, user=gateway.other, again=True))
    assert theirs.job_id != mine.job_id
    assert not theirs.adopted
    states = {
        job.job_id: job.phase for job in (await gateway.client.snapshot(fresh=time.time(), wait_s=LONGEST_WAIT_S)).jobs
    }
    assert states[mine.job_id] is Phase.RUNNING
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.other))
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.user))


async def test_a_change_wakes_who_waits_and_nothing_else_does(gateway: Stage) -> None:
    before = await gateway.client.snapshot(fresh=time.time(), wait_s=LONGEST_WAIT_S)
    waiting = asyncio.create_task(gateway.client.snapshot(after=before.serial, wait_s=20))
    session = new_session()
    await gateway.client.submit(gateway.request(session, waits=True))
    woken = await waiting
    assert woken.serial > before.serial
    assert gateway.jobs_of(woken, session)


async def test_a_fresh_snapshot_was_asked_for_after_the_wish(gateway: Stage) -> None:
    wished = time.time()
    snapshot = await gateway.client.snapshot(fresh=wished, wait_s=LONGEST_WAIT_S)
    assert snapshot.jobs_at is not None
    assert snapshot.jobs_at >= wished


async def test_while_slurm_is_silent_everything_stays_and_is_marked(gateway: Stage) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    before = await gateway.until(session, running)
    with gateway.silent():
        snapshot = await gateway.client.snapshot(fresh=time.time(), wait_s=LONGEST_WAIT_S)
        assert snapshot.unavailable_since is not None
        assert snapshot.problem
        assert gateway.jobs_of(snapshot, session) == [before]
        with pytest.raises(SlurmUnavailableError):
            await gateway.client.submit(gateway.request(new_session(), again=True))
    async with asyncio.timeout(60):
        while snapshot.unavailable_since is not None:
            snapshot = await gateway.client.snapshot(after=snapshot.serial, wait_s=25)
    assert gateway.jobs_of(snapshot, session)


async def test_limits_are_told_with_their_age_and_a_fresh_answer_was_asked_for_after_the_wish(gateway: Stage) -> None:
    wished = time.time()
    limits = await gateway.client.limits(fresh=wished, wait_s=LONGEST_WAIT_S)
    assert limits.at is not None
    assert limits.at >= wished
    assert limits.unavailable_since is None
    mine = next(known for known in limits.associations if known.account == gateway.spec.account and not known.user)
    assert mine.grp_tres_mins["gres/gpu"].limit is not None
    owner = gateway.account_of(gateway.user)
    assert (mine.account, owner) in {(known.account, known.user) for known in limits.associations}
    assert {known.name for known in limits.partitions} >= {"gpu"}


async def test_while_slurm_is_silent_the_limits_stay_and_are_marked(gateway: Stage) -> None:
    before = await gateway.client.limits(fresh=time.time(), wait_s=LONGEST_WAIT_S)
    with gateway.silent():
        limits = await gateway.client.limits(fresh=time.time(), wait_s=LONGEST_WAIT_S)
        assert limits.unavailable_since is not None
        assert limits.problem
        assert [known.account for known in limits.associations] == [known.account for known in before.associations]
    async with asyncio.timeout(60):
        while limits.unavailable_since is not None:
            limits = await gateway.client.limits(after=limits.serial, wait_s=25)


async def test_an_account_that_may_not_be_used_is_refused_by_name(gateway: Stage) -> None:
    if gateway.account_of(gateway.user) == gateway.account_of(gateway.other):
        pytest.skip("everybody shares one account here")
    with pytest.raises(FabricError) as refused:
        await gateway.client.submit(gateway.request(new_session(), user="nobody.of.that.name"))
    assert refused.value.status == 403
    assert "nobody.of.that.name" in refused.value.message


async def test_nothing_is_done_as_somebody_who_is_in_no_project(gateway: Stage) -> None:
    session, stranger = new_session(), "operator"  # an account like the others', and no member
    verbs = (
        gateway.client.cancel(CancelRequest(session=session, user=stranger)),
        gateway.client.extend(gateway.more(session, 1, 4, user=stranger)),
        gateway.client.log(session, stranger),
        gateway.client.remove(session, stranger),
        gateway.client.storage(stranger),
    )
    for verb in verbs:
        with pytest.raises(FabricError, match="operator isn't in a project yet") as refused:
            await verb
        assert (refused.value.status, refused.value.reason) == (403, "project")


async def test_a_malformed_request_is_refused_without_repeating_what_was_sent(gateway: Stage) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(gateway.client._socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        body = {"session": "UPPER", "user": gateway.user, "environment": {"TOKEN": 5.5, "bad name": "a-secret"}}
        answer = await http.post("/v1/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["reason"] == "malformed"
    assert "session" in answer.json()["message"]
    assert "a-secret" not in answer.text


async def test_health_counts_questions(gateway: Stage) -> None:
    health = await gateway.client.health()
    assert health.uptime_s >= 0
    assert "squeue" in health.questions


async def test_accounting_is_told_by_window_and_no_window_is_longer_than_a_few_days(gateway: Stage) -> None:
    now = time.time()
    past = await gateway.client.accounting(now - 3600, now)
    assert (past.start, past.end) == (now - 3600, now)
    assert past.at >= now
    for start, end in ((now - 30 * 86400, now), (now, now - 1)):
        with pytest.raises(FabricError) as refused:
            await gateway.client.accounting(start, end)
        assert refused.value.status == 422


async def test_storage_is_told_of_accounts_that_may_be_used(gateway: Stage) -> None:
    asked = time.time()
    answer = await gateway.client.storage(gateway.user)
    assert answer.at >= asked
    # the embedded run has folders of its projects, and measures nothing else
    assert all(one.title.startswith("Folder of project ") for one in answer.quotas)
    if gateway.account_of(gateway.user) != gateway.account_of(gateway.other):
        with pytest.raises(FabricError) as refused:
            await gateway.client.storage("nobody.of.that.name")
        assert refused.value.status == 403


async def test_a_running_session_is_given_more_time_and_never_less(gateway: Stage) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    before = await gateway.until(session, lambda job: job.state == "RUNNING")
    assert before.started_at is not None
    for minutes in (30, 20):
        await gateway.client.extend(gateway.more(session, before.job_id, minutes))
        job = await gateway.until(session, lambda job: job.limit_s == 30 * 60)
        assert job.ends_at == pytest.approx(before.started_at + 30 * 60, abs=1)


async def test_nobody_gives_somebody_elses_session_or_one_that_waits_more_time(gateway: Stage) -> None:
    session, waiting = new_session(), new_session()
    runs = await gateway.client.submit(gateway.request(session))
    waits = await gateway.client.submit(gateway.request(waiting, waits=True))
    await gateway.until(session, lambda job: job.state == "RUNNING")
    for wish in (
        gateway.more(session, runs.job_id, 30, user=gateway.other),
        gateway.more(waiting, waits.job_id, 30),
        gateway.more(new_session(), runs.job_id, 30),
    ):
        with pytest.raises(FabricError) as refused:
            await gateway.client.extend(wish)
        assert (refused.value.reason, refused.value.status) == ("extend", 409)


async def test_a_job_is_found_by_its_number_and_only_as_its_own_session(gateway: Stage) -> None:
    session = new_session()
    submitted = await gateway.client.submit(gateway.request(session))
    found = (await gateway.client.find(session, gateway.user, submitted.job_id)).job
    assert found is not None
    assert (found.job_id, found.name) == (submitted.job_id, job_name(gateway.hub, session))
    assert (await gateway.client.find(new_session(), gateway.user, submitted.job_id)).job is None
    assert (await gateway.client.find(session, gateway.other, submitted.job_id)).job is None
    assert (await gateway.client.find(session, gateway.user, submitted.job_id + 100_000)).job is None


async def test_a_job_that_only_has_a_sessions_name_is_neither_adopted_nor_given_more_time(gateway: Stage) -> None:
    session = new_session()
    gateway.forge(session, "")
    await gateway.until(session, running)
    mine = await gateway.client.submit(gateway.request(session, again=True))
    assert not mine.adopted
    before = await gateway.until(session, lambda job: job.job_id == mine.job_id and running(job))
    forged = gateway.forge(session, "")
    await gateway.until(session, lambda job: job.job_id == forged and running(job))
    await gateway.client.extend(gateway.more(session, mine.job_id, 30))
    snapshot = await gateway.client.snapshot(fresh=time.time(), wait_s=LONGEST_WAIT_S)
    limits = {job.job_id: job.limit_s for job in gateway.jobs_of(snapshot, session)}
    assert (before.limit_s, limits[mine.job_id], limits[forged]) == (300, 1800, 300)
    assert (await gateway.client.submit(gateway.request(session, again=True, job_id=mine.job_id))).job_id == mine.job_id
    await gateway.client.cancel(CancelRequest(session=session, user=gateway.user))


async def test_a_job_that_is_no_longer_in_the_sessions_account_or_partition_gets_no_more_time(gateway: Stage) -> None:
    session = new_session()
    mine = await gateway.client.submit(gateway.request(session))
    await gateway.until(session, running)
    for kind in ("account", "partition"):
        with pytest.raises(FabricError, match=f"is in {kind} .*; its session was started in elsewhere") as refused:
            await gateway.client.extend(gateway.more(session, mine.job_id, 30, **{kind: "elsewhere"}))
        assert (refused.value.reason, refused.value.status) == ("extend", 403)


async def test_a_stray_ends_only_by_a_record_that_must_have_had_it(gateway: Stage) -> None:
    """The hub says how far its record is; the gateway knows by which it was asked for the job."""
    session = new_session()
    mark = RecordMark(identity="a" * 32, generation=7)
    submitted = await gateway.client.submit(gateway.request(session).model_copy(update={"record": mark}))
    await gateway.until(session, running)
    await gateway.client.listens(session, PortNote(user=gateway.user, port=4711))
    older = mark.model_copy(update={"generation": 6})
    other = RecordMark(identity="b" * 32, generation=99)
    told = await gateway.client.records(RecordStatement(lines=(other,), sessions=(session,), held=1))
    assert told.seen == mark
    assert [(one.user, one.mark, one.port) for one in told.sessions] == [(gateway.user, mark, 4711)]
    assert (await gateway.client.health()).held_sessions == 1
    asked = CancelRequest(session=session, user=gateway.user, why="stray")
    for lines in ((older,), (other,), (other, older), ()):
        with pytest.raises(FabricError) as refused:
            await gateway.client.cancel(asked.model_copy(update={"lines": lines}))
        assert (refused.value.status, refused.value.reason) == (409, "other-record")
        assert "was submitted by another record than the hub's: it is not ended" in str(refused.value)
    assert (await gateway.until(session, running)).job_id == submitted.job_id
    await gateway.client.cancel(asked.model_copy(update={"lines": (other, mark)}))
    await gateway.until(session, lambda job: job.phase is Phase.ENDED)
    await gateway.client.records(RecordStatement(lines=(other,), held=0))
    assert (await gateway.client.health()).held_sessions == 0
