"""Nothing is ended that may be another record's, and never many at once."""

from __future__ import annotations

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.service.tasks.strays import orphans, sort, too_many
from fabric_hub.sessions.held import Held, Why
from fabric_hub.slurm.model import Job
from fabric_hub.slurm.records import RecordMark, SessionFacts, Witness, Witnessed
from tests.support.builders import NOW, SESSION, a_job

OURS = RecordMark(identity="a" * 32, generation=9)
THEIRS = RecordMark(identity="b" * 32, generation=2)
FACTS = SessionFacts(
    project="physics", account="phys", profile="cpu", image="base", hours=1.0, created_at=1.0,
    token_hash="abcd sha512:1:00ff:" + "0" * 128,
)  # fmt: skip


def names(count: int) -> list[str]:
    return [f"{'abcdefghijklmnopqrstuvwxyz'[number]}" * 12 for number in range(count)]


def judged(
    site: Settings,
    jobs: list[Job],
    *witnesses: Witness,
    began_at: float = NOW - 10,
    held: dict[str, Held] | None = None,
) -> tuple[list[str], dict[str, Held]]:
    """The sessions that end, and those that are held, by name."""
    strays = orphans(site, tuple(jobs), {}, NOW)
    told = Witnessed(began_at=began_at, sessions=witnesses)
    ending, left = sort(site, strays, jobs, (OURS,), told, held or {}, NOW)
    return [orphan.session for orphan in ending], {one.session: one for one in left}


def witnessed(session: str = SESSION, mark: RecordMark | None = OURS, **changes: object) -> Witness:
    return Witness.model_validate({"session": session, "user": "jan", "mark": mark, **changes})


def test_a_stray_that_the_record_must_have_had_ends_alone(site: Settings) -> None:
    assert judged(site, [a_job()], witnessed()) == ([SESSION], {})


@pytest.mark.parametrize("mark", [THEIRS, RecordMark(identity=OURS.identity, generation=10)])
def test_what_another_record_or_a_newer_one_submitted_is_held(site: Settings, mark: RecordMark) -> None:
    ending, held = judged(site, [a_job(node="gpu1")], witnessed(mark=mark, facts=FACTS, port=4711))
    assert ending == []
    assert (held[SESSION].why, held[SESSION].openable, held[SESSION].node) == (Why.OTHER_RECORD, True, "gpu1")


def test_what_is_from_before_the_gateway_kept_anything_is_held(site: Settings) -> None:
    ending, held = judged(site, [a_job()], began_at=NOW + 1)
    assert ending == []
    assert (held[SESSION].why, held[SESSION].openable) == (Why.NO_WITNESS, False)
    assert judged(site, [a_job(submitted_at=None)])[0] == [], "nor what Slurm has no time of"


def test_without_its_port_a_running_session_cannot_be_opened_and_a_waiting_one_can(site: Settings) -> None:
    told = witnessed(mark=THEIRS, facts=FACTS)
    assert not judged(site, [a_job()], told)[1][SESSION].openable
    assert judged(site, [a_job(state="PENDING")], told)[1][SESSION].openable


def test_the_workers_of_a_held_session_are_held_with_it(site: Settings) -> None:
    workers = a_job(job_id=8, name=f"fabric-main-{SESSION}-dask-one", submitted_at=NOW + 5)
    ending, held = judged(site, [a_job(), workers], witnessed(mark=THEIRS))
    assert ending == []
    assert held[SESSION].job_id == 7


def test_the_name_of_a_held_session_protects_nobody_elses_job(site: Settings) -> None:
    forged = a_job(job_id=8, user="left", account="phys")
    ending, held = judged(site, [a_job(), forged], witnessed(mark=THEIRS))
    assert ending == [SESSION]
    assert held[SESSION].unix_account == "jan"


@pytest.mark.parametrize("number", [6, 8])
def test_a_job_with_the_name_of_a_held_session_hides_it_from_nobody(site: Settings, number: int) -> None:
    # from before the gateway kept anything, and given the name since
    forged = a_job(job_id=number, user="left", account="phys", node="gpu9", submitted_at=NOW - 20)
    jobs = sorted((a_job(node="gpu1"), forged), key=lambda job: job.job_id)
    ending, held = judged(site, jobs, witnessed(mark=THEIRS, facts=FACTS, port=4711))
    assert ending == []
    assert (held[SESSION].user, held[SESSION].node, held[SESSION].openable) == ("jan", "gpu1", True)


def test_of_many_a_job_with_the_name_of_somebody_elses_session_is_not_theirs(site: Settings) -> None:
    others = [a_job(job_id=number, name=f"fabric-main-{name}") for number, name in enumerate(names(6), 11)]
    forged = a_job(job_id=8, user="left", account="phys", node="gpu9")
    told = [witnessed(name) for name in names(6)]
    ending, held = judged(site, [*others, forged], *told, witnessed(facts=FACTS, port=4711))
    assert ending == []
    assert (held[SESSION].user, held[SESSION].openable) == ("left", False)


def test_more_than_a_handful_end_only_with_a_persons_word(site: Settings) -> None:
    jobs = [a_job(job_id=number, name=f"fabric-main-{name}") for number, name in enumerate(names(6), 1)]
    told = [witnessed(name) for name in names(6)]
    assert len(judged(site, jobs[:5], *told)[0]) == 5
    ending, held = judged(site, jobs, *told)
    assert ending == []
    assert {one.why for one in held.values()} == {Why.MANY}
    assert judged(site, jobs[:2], *told, held=held)[0] == [], "and go on to wait when some of them are gone"


def test_of_many_that_run_a_tenth_may_end() -> None:
    assert [too_many(ending, 100) for ending in (5, 6, 10, 11)] == [False, False, False, True]
    assert [too_many(ending, 10) for ending in (5, 6)] == [False, True]


def test_one_who_gives_many_jobs_our_names_is_one_person(site: Settings) -> None:
    jobs = [a_job(job_id=number, name=f"fabric-main-{name}") for number, name in enumerate(names(12), 1)]
    assert len(judged(site, jobs)[0]) == 12
    people = [job.model_copy(update={"user": f"p{number}", "account": "phys"}) for number, job in enumerate(jobs)]
    assert judged(site, people)[0] == [], "many people's are somebody's: of a hub with another gateway"
