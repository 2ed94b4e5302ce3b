"""However a session ends, or does not begin, the hub says why in words, within two watch intervals."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fabric_hub.sessions.store import Session
from tests.conftest import new_prefix
from tests.support.broken_site import SOON_S, BrokenSite
from tests.support.person import Person, words
from tests.support.session_process import server_process
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]

STOPPED = "The session was stopped. Its job was cancelled in Slurm by root, which is an administrator"
SMALL = {"project": "proteins", "profile": "small", "image": "tiny"}


def _running(site: BrokenSite, server: str = "", **options: object) -> tuple[Person, Session]:
    person = site.person("researcher")
    person.start(server, **{**SMALL, **options})
    person.until_ready(server)
    return person, site.session_of(person, server)


def _ended_soon(site: BrokenSite, session: Session, *states: str, limit_s: float = 60) -> Session:
    """The record of a session that has ended, at most two watch intervals after Slurm said so."""
    site.until_state(session.job_id, *states, limit_s=limit_s)
    said = time.monotonic()
    until(lambda: site.session(session.id).ended_at, "the hub has noticed", SOON_S)
    print(f"{states}: noticed after {time.monotonic() - said:.1f} s")
    return site.session(session.id)


def _page(person: Person, server: str = "") -> str:
    return words(person.log_in().browser.get(f"/hub/user/{person.name}/{server + '/' if server else ''}"))


@pytest.mark.timeout(400)
def test_a_session_that_reaches_its_time_limit_says_so(site: BrokenSite) -> None:
    person, session = _running(site, hours=0.01)  # Slurm's shortest: one minute, looked at every 30 s
    end = _ended_soon(site, session, "TIMEOUT", limit_s=200)
    assert str(end.end_text) == ("Time limit reached (1 min). Choose a longer time if you need it.")
    person.until_gone()
    assert "Time limit reached (1 min)." in _page(person)


def test_scancel_from_outside_ends_the_session_and_says_so(site: BrokenSite) -> None:
    person, session = _running(site)
    site.run.slurm("scancel", str(session.job_id))
    end = _ended_soon(site, session, "CANCELLED")
    assert str(end.end_text).startswith(STOPPED)
    person.until_gone()


def test_scancel_of_a_waiting_session_ends_its_start_and_says_so(site: BrokenSite) -> None:
    person = site.person("researcher")
    with _partition_down(site):
        start = site.hands.submit(person.start, "", project="proteins", profile="gpu-1", image="tiny")
        session = site.session_of(person)
        site.run.slurm("scancel", str(session.job_id))
        end = _ended_soon(site, session, "CANCELLED")
    assert str(end.end_text).startswith(STOPPED)
    assert start.result(30).status_code in (202, 424)
    person.until_gone()


@contextmanager
def _partition_down(site: BrokenSite) -> Iterator[None]:
    site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        yield
    finally:
        site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=UP")


def test_a_node_that_goes_down_takes_its_sessions_along_and_says_so(site: BrokenSite) -> None:
    person, session = _running(site)
    site.run.slurm("scontrol", "update", "NodeName=cpu1", "State=DOWN", "Reason=test")
    try:
        end = _ended_soon(site, session, "NODE_FAIL")
    finally:
        until(lambda: _node_is_back(site), "the node is back", 60)
    assert str(end.end_text) == "The node cpu1 broke down. Start again; files that were saved are still there."
    person.until_gone()
    assert "The node cpu1 broke down." in _page(person)


def _node_is_back(site: BrokenSite) -> bool:
    # it may come back by itself (ReturnToService), and then it cannot be resumed
    site.run.slurm("sh", "-c", "scontrol update NodeName=cpu1 State=RESUME 2>/dev/null || true")
    return site.run.slurm("sinfo", "-h", "-n", "cpu1", "-o", "%T") in ("idle", "mixed")


def test_a_session_that_takes_more_memory_than_it_asked_for_is_told_so(site: BrokenSite) -> None:
    person = site.person("researcher")
    site.hands.submit(person.start, "", **{**SMALL, "image": "hungry"})
    end = _ended_soon(site, site.session_of(person), "OUT_OF_MEMORY", "FAILED")  # FAILED: in Slurm 22.05
    assert str(end.end_text) == "The session used more memory than it asked for. Choose a profile with more memory."
    person.until_gone()


def test_an_image_that_is_not_there_is_named(site: BrokenSite) -> None:
    person = site.person("researcher")
    site.hands.submit(person.start, "", **{**SMALL, "image": "missing"})
    end = _ended_soon(site, site.session_of(person), "FAILED")
    assert str(end.end_text).startswith("Image missing is not there on node cpu1."), end.end_text
    assert "fabric-hub images build missing" in str(end.end_text)
    person.until_gone()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (["chmod", "0500", "."], "may not write there. Make {home} writable for yourself"),
        (["sh", "-c", "mv .fabric-hub .aside; touch .fabric-hub"], "something else is in its place. Rename or remove"),
    ],
    ids=["read-only", "in the way"],
)
def test_a_home_that_cannot_be_written_is_named(site: BrokenSite, spoil: list[str], sentence: str) -> None:
    person = site.person("researcher")
    home = site.run.home("researcher")
    site.run.as_user("researcher", "mkdir", "-p", ".fabric-hub")
    if spoil[0] == "chmod":
        site.run.as_user("researcher", "sh", "-c", "mv .fabric-hub .aside")
    try:
        assert site.run.as_user("researcher", *spoil).returncode == 0
        answer = person.start("", **SMALL)
    finally:
        site.run.as_user("researcher", "sh", "-c", "chmod 0700 .; rm -rf .fabric-hub; mv .aside .fabric-hub")
    assert answer.status_code == 409, answer.text
    assert sentence.format(home=home) in answer.json()["message"], answer.text
    assert site.jobs() == {}
    person.until_gone()


@pytest.fixture(scope="module")
def _late(sandbox: Path, images: Path) -> Iterator[BrokenSite]:
    made = BrokenSite.make(sandbox / "late", new_prefix(), images / "base", limits_interval_s=3600)
    try:
        made.up()
        yield made
    finally:
        made.close()


@pytest.fixture
def late(_late: BrokenSite) -> Iterator[BrokenSite]:
    """A site whose hub has not heard yet that a limit has changed: what Slurm then says must be told."""
    _late.clean()
    yield _late
    _late.clean()


@contextmanager
def _limited(site: BrokenSite, limit: str) -> Iterator[None]:
    """A limit of account ``bakery`` while a block lasts."""
    old = site.run.slurm("sacctmgr", "-n", "-P", "show", "assoc", "account=bakery", "user=", "format=grptresmins")
    modify = ["sacctmgr", "-i", "-Q", "modify", "account", "bakery", "set"]
    site.run.slurm(*modify, limit)
    try:
        yield
    finally:
        back = f"GrpTRESMins={old.splitlines()[0]}" if "GrpTRESMins" in limit else f"{limit.rpartition('=')[0]}=-1"
        site.run.slurm(*modify, back)


@pytest.mark.parametrize(
    ("limit", "profile", "sentence"),
    [
        (
            "GrpTRESMins=gres/gpu=0",
            "gpu-1",
            r"The GPU hours of account bakery are used up\. It starts when the operators",
        ),
        ("GrpTRES=cpu=0", "small", r"All CPUs that account bakery may use at a time are in use\."),
        ("GrpJobs=0", "small", r"All jobs that account bakery may use at a time are in use\."),
    ],
)
def test_over_the_accounts_limit_the_progress_names_the_limit(
    late: BrokenSite, limit: str, profile: str, sentence: str
) -> None:
    site = late
    person = site.person("staff")
    with _limited(site, limit):
        site.hands.submit(person.start, "", project="bakery", profile=profile, image="tiny")
        session = site.session_of(person)
        until(lambda: "Assoc" in site.run.slurm("squeue", "-h", "-j", str(session.job_id), "-o", "%r"), "it waits", 30)
        said = time.monotonic()
        for event in person.progress():
            if re.search(sentence, event["message"]):
                break
            assert time.monotonic() - said < SOON_S, event
        assert person.servers()[""]["pending"] == "spawn", "it waits, it has not failed"
        person.stop()
        person.until_gone()


def test_more_jobs_than_the_account_may_submit_are_refused_with_the_limit(late: BrokenSite) -> None:
    person = late.person("staff")
    with _limited(late, "GrpSubmitJobs=0"):
        answer = person.start("", project="bakery", profile="small", image="tiny")
    assert answer.status_code == 409, answer.text
    assert "as many jobs in Slurm as account bakery lets you have" in answer.json()["message"], answer.text
    person.until_gone()


def test_a_session_whose_own_server_dies_says_so_with_its_log(site: BrokenSite) -> None:
    person, session = _running(site)
    os.kill(server_process(session), signal.SIGKILL)
    end = _ended_soon(site, session, "FAILED")
    assert "signal" in str(end.end_text), end.end_text
    person.until_gone()
