"""``kill -9`` of the hub on a real Slurm: every session is adopted, none submitted twice or left alone."""

from __future__ import annotations

import os
import signal
import time

import httpx
import pytest

from fabric_hub.slurm.model import JOB_NAME
from tests.support.broken_site import TOGETHER, BrokenSite
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]

ADOPTED_WITHIN_S = 30.0
PEOPLE = ("researcher", "trainer", "student1", "student2")


def _state(site: BrokenSite) -> dict[tuple[str, str], str]:
    """What the hub says of every server: ready or pending."""
    return {
        (name, server): "ready" if found["ready"] else str(found["pending"])
        for name in PEOPLE
        for server, found in site.person(name).servers().items()
    }


@pytest.mark.timeout(400)
def test_ten_running_and_ten_waiting_sessions_survive_the_hub(site: BrokenSite) -> None:
    project = {"researcher": "proteins"}

    def begin(numbers: range) -> list[tuple[str, str]]:
        servers = [(PEOPLE[number % len(PEOPLE)], f"s{number}") for number in numbers]
        for name, server in servers:
            image = "base" if server == "s0" else "tiny"  # one of them with the real launcher
            options = {"project": project.get(name, "ml-course"), "profile": "tenth", "image": image}
            site.hands.submit(site.person(name).start, server, **options)
        return servers

    for name in PEOPLE:
        site.person(name)
    running = begin(range(TOGETHER))
    until(lambda: sum(value == "ready" for value in _state(site).values()) == TOGETHER, "ten run", 180, every_s=1)
    waiting = begin(range(TOGETHER, 2 * TOGETHER))
    until(lambda: sum(bool(item.job_id) for item in site.live()) == 2 * TOGETHER, "ten more wait", 120, every_s=0.5)
    assert sorted(state for _, state in site.jobs().values()) == ["PENDING"] * TOGETHER + ["RUNNING"] * TOGETHER
    before = {(item.user, item.server_name): (item.id, item.job_id) for item in site.live()}

    site.kill()
    answered = site.up()

    wanted = dict.fromkeys(running, "ready") | dict.fromkeys(waiting, "spawn")
    until(lambda: _state(site) == wanted, "all twenty are adopted", ADOPTED_WITHIN_S, every_s=0.2)
    took = time.monotonic() - answered
    assert took <= ADOPTED_WITHIN_S
    after = {(item.user, item.server_name): (item.id, item.job_id) for item in site.live()}
    assert after == before, "every server has the session and the job that it had"
    assert {number for _, number in before.values()} == set(site.jobs()), "no job without an owner, none lost"
    assert all(site.jobs_of(session) == [session.job_id] for session in site.live())
    for name, server in running:  # each user reaches their own session through the new proxy, and no other's
        if server != "s0":
            answer = httpx.get(f"{site.address}/user/{name}/{server}/x").json()
            assert answer["session"] == before[name, server][0]
    assert httpx.get(f"{site.address}/user/{running[0][0]}/s0/api").json()["version"], "Jupyter's own"

    # those that were adopted in the queue get their turn, and are opened
    for name, server in running[:3]:
        assert site.person(name).stop(server).status_code in (202, 204)
    until(lambda: sum(_state(site).get(one) == "ready" for one in waiting) >= 3, "three of them start", 90, every_s=0.5)
    assert all(len(jobs) == 1 for session, jobs in site.ever_submitted().items() if session in dict(before.values()))


@pytest.mark.parametrize("gateway_too", [False, True], ids=["the hub", "hub and gateway"])
def test_killed_between_the_submit_and_its_answer(site: BrokenSite, gateway_too: bool) -> None:
    person = site.person("researcher")
    site.hold.touch()
    site.hands.submit(person.start, "", project="proteins", profile="small", image="tiny")
    jobs = until(site.jobs, "sbatch has submitted", 60)
    (session,) = site.live()
    assert session.job_id is None, "and nobody has heard so yet"
    site.kill()
    if gateway_too:
        site.kill_gateway()
    site.hold.unlink()
    site.up()
    person.until_ready()
    (again,) = site.live()
    assert (again.id, again.job_id) == (session.id, *jobs)
    assert list(site.jobs()) == list(jobs)
    assert site.jobs_of(session) == list(jobs)


def test_killed_before_the_submit_the_session_is_submitted_once(site: BrokenSite) -> None:
    person = site.person("researcher")
    gateway = site.run.pid("gateway")
    os.kill(gateway, signal.SIGSTOP)
    try:
        site.hands.submit(person.start, "", project="proteins", profile="small", image="tiny")
        (session,) = until(site.live, "the session is on record", 30)
        site.kill()
    finally:
        os.kill(gateway, signal.SIGCONT)
    site.up()
    person.until_ready()
    (again,) = site.live()
    assert again.id == session.id
    assert site.jobs_of(session) == [again.job_id]


def test_a_job_that_nobody_owns_ends_and_anothers_does_not(site: BrokenSite) -> None:
    """A session on record keeps its job; a job of this hub that is on no record is ended within 60 s."""
    person = site.person("researcher")
    person.start("", project="proteins", profile="small", image="tiny")
    person.until_ready()
    session = site.session_of(person)
    names = {"orphan": "fabric-demo-aaaaaaaaaaaa", "another hub's": "fabric-other-bbbbbbbbbbbb", "own": "my-work"}
    made = {}
    for what, name in names.items():
        assert bool(JOB_NAME.fullmatch(name)) == (what != "own")
        done = site.run.as_user(
            "researcher", "sbatch", "--parsable", "--account=proteins", "--mem=10", f"--job-name={name}",
            "--output=/dev/null", input="#!/bin/sh\nexec sleep 600\n",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        made[what] = int(done.stdout)
    until(lambda: made["orphan"] not in site.jobs(), "the orphan is ended", 60)
    left = site.jobs()
    assert {made["another hub's"], made["own"], session.job_id} <= set(left)
