"""Sessions in a reservation on a real Slurm: they are told when it begins and ends, and end with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.messages.formats import clock
from tests.conftest import new_prefix
from tests.support.broken_site import SOON_S, BrokenSite
from tests.support.person import words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]


@pytest.fixture(scope="module")
def _monday(sandbox: Path, images: Path) -> Iterator[BrokenSite]:
    extra = sandbox / "monday.py"
    extra.write_text('c.FabricSlurmSpawner.req_reservation = "monday"\n')
    made = BrokenSite.make(sandbox / "monday", new_prefix(), images / "base", extra_config=str(extra))
    try:
        made.up()
        yield made
    finally:
        made.close()


@pytest.fixture
def monday(_monday: BrokenSite) -> Iterator[BrokenSite]:
    """A site whose sessions all start in reservation ``monday`` of its CPU node, which begins in an hour."""
    _monday.clean()
    _monday.run.slurm(
        "scontrol", "create", "reservation", "ReservationName=monday", "StartTime=now+60minutes", "Duration=30",
        "Nodes=cpu1", "Accounts=proteins",
    )  # fmt: skip
    yield _monday
    _monday.clean()
    with suppress(AssertionError):  # it may be over
        _monday.run.slurm("scontrol", "delete", "ReservationName=monday")


def _change(site: BrokenSite, **fields: str) -> tuple[float, float]:
    """Change the reservation as an operator does; when it now begins and ends, in Slurm's own word."""
    site.run.slurm("scontrol", "update", "ReservationName=monday", *(f"{name}={to}" for name, to in fields.items()))
    return _times(site)


def _times(site: BrokenSite) -> tuple[float, float]:
    said = site.run.slurm("env", "SLURM_TIME_FORMAT=%s", "scontrol", "--oneliner", "show", "reservation", "monday")
    told = dict(word.split("=", 1) for word in said.split())
    return float(told["StartTime"]), float(told["EndTime"])


class Told:
    """What a session is told of itself, with its own token; it reads that before the session's server has."""

    def __init__(self, site: BrokenSite, session: str) -> None:
        private = site.run.home("researcher") / ".fabric-hub" / session / "env.json"
        token = json.loads(private.read_text())["environment"]["JUPYTERHUB_API_TOKEN"]
        self._site, self._headers = site, {"Authorization": f"token {token}"}

    def __call__(self, path: str) -> dict[str, Any]:
        url = f"{self._site.address}/services/fabric/api/session{path}"
        answer = httpx.get(url, headers=self._headers, timeout=60, verify=False)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def end(self, end: float) -> dict[str, Any]:
        """What is told of the session's time, once it ends then."""
        assert self._site.settings.slurm
        began, limit_s = time.monotonic(), self._site.settings.slurm.nodes_interval_s + SOON_S
        quota = until(lambda: found if (found := self("/quota"))["time"]["ends_at"] == end else None, f"{end}", limit_s)
        print(f"the end was told after {time.monotonic() - began:.1f} s")
        found: dict[str, Any] = quota["time"]
        return found


@pytest.mark.timeout(600)
def test_a_session_is_told_when_its_reservation_begins_and_ends_and_that_it_was_moved(monday: BrokenSite) -> None:
    person = monday.person("researcher")
    begins, _ = _times(monday)
    start = monday.hands.submit(person.start, "", project="proteins", profile="small", image="tiny", hours=4)
    session = monday.session_of(person)
    for event in person.progress():
        if "reservation" in event["message"] and "begins" in event["message"]:
            break
    assert f"It waits for its reservation monday, which begins at {clock(begins)}." in event["message"]
    told = Told(monday, session.id)

    _, ends = _change(monday, StartTime="now", EndTime="now+40minutes")
    start.result(60)
    person.until_ready()
    said = monday.run.slurm("env", "SLURM_TIME_FORMAT=%s", "squeue", "-h", "-j", str(session.job_id), "-o", "%e")
    job_ends = float(said)
    assert job_ends > ends + 3600, "Slurm's own word on the job is its time limit"
    time_left = told.end(ends)
    assert (time_left["why"], time_left["can_extend"]) == ("reservation", False)
    assert time_left["text"] == f"This session ends at {clock(ends)} (end of its reservation)."
    assert told("")["ends_at"] == ends
    home = person.log_in().browser
    until(lambda: f"until {clock(ends)}" in words(home.get("/hub/home")), "the hub has heard it, too")

    _, ends = _change(monday, EndTime="now+90minutes")
    assert told.end(ends)["why"] == "reservation"
    _change(monday, EndTime="now+10hours")
    assert told.end(job_ends)["why"] == "limit"

    _, ends = _change(monday, EndTime="now+60seconds")
    told.end(ends)
    monday.until_state(session.job_id, "TIMEOUT", limit_s=150)  # Slurm looks every 30 s
    assert time.time() >= ends
    print(f"Slurm ended the session {time.time() - ends:.0f} s after its reservation")
    until(lambda: monday.session(session.id).ended_at, "the hub has noticed", SOON_S)
    text = str(monday.session(session.id).end_text)
    assert text.startswith("The session ended with its reservation, before its time limit (4 h 00 min)."), text


@pytest.fixture
def lenient(monday: BrokenSite) -> Iterator[BrokenSite]:
    """Its Slurm lets jobs go on for a minute after their reservation."""
    _let_go_on(monday, minutes=1)
    yield monday
    _let_go_on(monday, minutes=0)


def _let_go_on(site: BrokenSite, minutes: int) -> None:
    """As an operator sets it. A gateway reads that at its start, and then every tenth time that it asks for limits."""
    site.set_in_slurm(f"ResvOverRun={minutes}\n")
    site.kill()  # the supervisor ends it with the gateway, for it was started beside
    site.kill_gateway()
    site.up()


@pytest.mark.timeout(600)
def test_where_slurm_lets_sessions_go_on_after_their_reservation_they_are_told_that_end(lenient: BrokenSite) -> None:
    person = lenient.person("researcher")
    start = lenient.hands.submit(person.start, "", project="proteins", profile="small", image="tiny", hours=4)
    session = lenient.session_of(person)
    told = Told(lenient, session.id)
    _change(lenient, StartTime="now", EndTime="now+40minutes")
    start.result(60)
    person.until_ready()
    _, ends = _change(lenient, EndTime="now+60seconds")
    time_left = told.end(ends + 60)
    assert time_left["why"] == "reservation"
    why = "Slurm lets it go on for 1 min after its reservation"
    assert time_left["text"] == f"This session ends at {clock(ends + 60)}: {why}."
    lenient.until_state(session.job_id, "TIMEOUT", limit_s=210)  # Slurm looks every 30 s
    assert time.time() >= ends + 60
    print(f"Slurm ended the session {time.time() - ends:.0f} s after its reservation")
