"""Slurm's controller, its database and munge go away for a while: nobody is dropped, nothing hangs, all comes back.

``FABRIC_TEST_OUTAGE_S`` is how long each outage lasts (default 30 s, past every time-out of this site).
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest

from tests.support.broken_site import QUERY_TIMEOUT_S, SUBMIT_TIMEOUT_S, WATCH_S, BrokenSite
from tests.support.person import Person, words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(600)]

OUTAGE_S = float(os.environ.get("FABRIC_TEST_OUTAGE_S", "30"))
ANSWERS_WITHIN_S = 2.0
# a question is under way, the next one starts after an interval (doubled by a first failure) and times out
HEARD_WITHIN_S = 2 * QUERY_TIMEOUT_S + 4 * WATCH_S
# slurmctld asks nodes that it has lost again every third of SlurmdTimeout, and places no job on them before
NODES_BACK_S = 150.0
SINCE = re.compile(r"Slurm has not answered since (\d+ \w+ )?\d\d:\d\d [A-Z]+ ?\.")

assert OUTAGE_S > QUERY_TIMEOUT_S + SUBMIT_TIMEOUT_S, "an outage shorter than a time-out proves nothing"


class Visitor(threading.Thread):
    """Opens pages and asks the API all along, and remembers how long the slowest answer took."""

    def __init__(self, site: BrokenSite, person: Person) -> None:
        super().__init__(daemon=True)
        self.slowest: tuple[float, str] = (0.0, "")
        self.wrong: list[str] = []
        self._enough = threading.Event()
        self._person = person
        self._form = f"/hub/spawn/{person.name}/form"
        self._service = site.settings.service_url_for_nodes

    def run(self) -> None:
        while not self._enough.wait(0.3):
            self._look("/hub/api/users/NAME", lambda: self._person.api.get(f"/users/{self._person.name}"))
            self._look("/hub/home", lambda: self._person.browser.get("/hub/home"))
            self._look("the start form", lambda: self._person.browser.get(self._form))
            self._look("/offer", self._offer)

    def _offer(self) -> httpx.Response:
        headers = {"Authorization": str(self._person.api.headers["Authorization"])}
        return httpx.get(f"{self._service}/offer", headers=headers, timeout=30)

    def _look(self, what: str, ask: Callable[[], httpx.Response]) -> None:
        began = time.monotonic()
        answer = ask()
        self.slowest = max(self.slowest, (round(time.monotonic() - began, 2), what))
        if answer.status_code != 200:
            self.wrong.append(f"{what}: {answer.status_code} {words(answer)[:200]}")

    def finish(self) -> None:
        self._enough.set()
        self.join(60)


def _slurmctld_hangs(site: BrokenSite) -> AbstractContextManager[None]:
    return site.run.silent("slurmctld")


def _slurmdbd_hangs(site: BrokenSite) -> AbstractContextManager[None]:
    return site.run.silent("slurmdbd")


def _munge_hangs(site: BrokenSite) -> AbstractContextManager[None]:
    return site.run.silent("munged")


@contextmanager
def _munge_is_gone(site: BrokenSite) -> Iterator[None]:
    """Nobody finds munge's socket, as after ``systemctl stop munge``."""
    socket = site.run.directory / "run" / "munge.socket"
    away = socket.with_name("munge.away")
    socket.rename(away)
    try:
        yield
    finally:
        away.rename(socket)


@contextmanager
def _visited(site: BrokenSite, person: Person) -> Iterator[Visitor]:
    visitor = Visitor(site, person)
    visitor.start()
    try:
        yield visitor
    finally:
        visitor.finish()


def _until_time(moment: float) -> None:
    until(lambda: time.monotonic() >= moment, "the outage has lasted long enough", OUTAGE_S + 60)


def _offer(site: BrokenSite, person: Person) -> dict[str, object]:
    headers = {"Authorization": str(person.api.headers["Authorization"])}
    offer: dict[str, object] = httpx.get(
        f"{site.settings.service_url_for_nodes}/offer", headers=headers, timeout=30
    ).json()
    return offer


@pytest.mark.parametrize(
    ("outage", "problem"),
    [
        (_slurmctld_hangs, r"slurmctld|Slurm is too slow"),
        (_munge_is_gone, "munge does not answer"),
        (_munge_hangs, r"munge does not answer|Slurm is too slow"),
    ],
)
def test_an_outage_drops_nobody_and_everybody_is_told(
    site: BrokenSite, outage: Callable[[BrokenSite], AbstractContextManager[None]], problem: str
) -> None:
    runs, other = site.person("researcher"), site.person("student1")
    runs.log_in()
    small = {"profile": "small", "image": "tiny"}
    runs.start("", project="proteins", **small)
    runs.start("stop", project="proteins", **small)
    runs.until_ready()
    runs.until_ready("stop")
    running, stopped = site.session_of(runs), site.session_of(runs, "stop")
    # one that waits in the queue, and somebody who watches its progress
    site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        site.hands.submit(other.start, "", profile="gpu-1", image="tiny")
        waiting = site.session_of(other)
        told: list[str] = []

        def watch() -> None:
            told.extend(str(event.get("message")) for event in other.progress())

        site.hands.submit(watch)
        with _visited(site, runs) as visitor:
            with outage(site):
                began, wall = time.monotonic(), time.time()
                until(lambda: _offer(site, runs)["unavailable_since"], "the service hears of it", HEARD_WITHIN_S)
                said = _offer(site, runs)
                assert re.search(problem, str(said["problem"]))
                assert abs(float(str(said["unavailable_since"])) - wall) < HEARD_WITHIN_S
                until(lambda: SINCE.search(words(runs.browser.get("/hub/home"))), "the page says so and since when")
                # a start is kept until Slurm is back; a stop is taken and done later
                late = site.hands.submit(other.start, "late", **small)
                assert runs.stop("stop").status_code in (202, 204)
                _until_time(began + OUTAGE_S)
                assert late.result(60).status_code == 202
                assert runs.servers()[""]["ready"]
                assert other.servers()[""]["pending"] == "spawn"
            back = time.monotonic()
            until(lambda: not _offer(site, runs)["unavailable_since"], "Slurm is back by itself", 90)
            recovered = time.monotonic() - back
        print(f"slowest answer {visitor.slowest}, heard of the end after {recovered:.1f} s")
        assert visitor.wrong == []
        assert visitor.slowest[0] <= ANSWERS_WITHIN_S, visitor.slowest
    finally:
        until(lambda: site.run.slurm("scontrol", "ping"), "slurmctld is back", 60)
        site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=UP")

    for server in ("", "late"):

        def ready(name: str = server) -> bool:
            return bool(other.servers()[name]["ready"])

        until(ready, "what waited starts by itself", NODES_BACK_S)
    assert (site.session_of(runs).id, site.session_of(other).id) == (running.id, waiting.id)
    assert any(SINCE.search(message) and "keeps its place" in message for message in told), told
    assert not SINCE.search(words(runs.browser.get("/hub/home")))
    # whatever was cancelled meanwhile ends; whatever was begun is either a session or nothing
    until(lambda: stopped.job_id not in site.jobs(), "the stopped session's job ends", 90)
    late_one = site.session_of(other, "late")
    assert {running.job_id, waiting.job_id, late_one.job_id} == set(site.jobs()), "no job is without an owner"
    assert site.jobs_of(late_one) == [late_one.job_id]


def test_without_slurms_database_sessions_run_start_and_end(site: BrokenSite) -> None:
    runs, other = site.person("researcher"), site.person("student1")
    runs.log_in()
    small = {"profile": "small", "image": "tiny"}
    runs.start("", project="proteins", **small)
    runs.until_ready()
    running = site.session_of(runs)
    with _visited(site, runs) as visitor, _slurmdbd_hangs(site):
        began = time.monotonic()
        # slurmctld knows accounts and limits by heart: all goes on, and no page says otherwise
        other.start("", **small)
        other.until_ready()
        ended = site.session_of(other)
        site.run.slurm("scancel", str(ended.job_id))
        other.until_gone()
        assert site.session(ended.id).end_reason == "cancelled"
        _until_time(began + OUTAGE_S)
        assert not SINCE.search(words(runs.browser.get("/hub/home")))
        assert runs.servers()[""]["ready"]
    print(f"slowest answer {visitor.slowest}")
    assert visitor.wrong == []
    assert visitor.slowest[0] <= ANSWERS_WITHIN_S, visitor.slowest
    assert site.session_of(runs).id == running.id
    until(lambda: ended.id in site.ever_submitted(), "the database has caught up", 120)
