"""On a real Slurm: a new, an older and another hub's record end nobody's session."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import httpx
import pytest

from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.held import HeldSessions, Why
from fabric_hub.sessions.store import Session, SessionStore
from tests.support.broken_site import BrokenSite
from tests.support.embedded_run import fabric_hub
from tests.support.person import Person
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.long, pytest.mark.timeout(900)]

DATABASES = ("sessions.sqlite", "jupyterhub.sqlite")


def held(site: BrokenSite) -> dict[str, Why]:
    store = SessionStore(database_url(site.settings))
    try:
        return {one.session: one.why for one in HeldSessions(store.engine).all()}
    finally:
        store.close()


def started(site: BrokenSite, person: Person, name: str) -> Session:
    project = {"researcher": "proteins"}.get(person.name, "ml-course")
    person.start(name, project=project, profile="small", image="tiny")
    person.until_ready(name)
    return site.session_of(person, name)


def command(site: BrokenSite, *arguments: str) -> str:
    done = fabric_hub("sessions", *arguments, "--site", str(site.site), "--yes")
    assert done.returncode == 0, done.stderr
    return done.stdout


def put_back(site: BrokenSite, source: Path | None) -> None:
    """While no hub runs: its databases are these, or gone."""
    state = site.settings.hub.state_dir
    for name in DATABASES:
        for path in state.glob(f"{name}*"):
            path.unlink()
        if source:
            shutil.copy(source / name, state / name)
            account = site.hub_account
            os.chown(state / name, account.uid, account.gid)


def copy(site: BrokenSite, target: Path) -> Path:
    """Of the hub's databases as they are now."""
    target.mkdir()
    for name in DATABASES:
        with sqlite3.connect(site.settings.hub.state_dir / name) as there, sqlite3.connect(target / name) as here:
            there.backup(here)
    return target


def run_on(site: BrokenSite, sessions: list[Session]) -> None:
    assert {session.job_id for session in sessions} <= set(site.jobs()), "they run on"


def test_a_backup_that_is_put_back_ends_nobody_and_a_stray_still_ends_alone(site: BrokenSite, tmp_path: Path) -> None:
    person, other = site.person("researcher"), site.person("student1")
    before = started(site, person, "before")
    backup = copy(site, tmp_path / "backup")
    after = [started(site, who, "after") for who in (person, other)]
    site.kill()
    put_back(site, backup)
    site.kill_gateway()
    site.up()
    until(lambda: held(site) == dict.fromkeys((one.id for one in after), Why.OTHER_RECORD), "both are held", 120)
    done = site.run.as_user(
        "researcher", "sbatch", "--parsable", "--account=proteins", "--mem=10", "--job-name=fabric-demo-aaaaaaaaaaaa",
        "--output=/dev/null", input="#!/bin/sh\nexec sleep 600\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    until(lambda: int(done.stdout) not in site.jobs(), "one that nobody submitted is ended", 120)
    run_on(site, [before, *after])
    assert site.live()[0].id == before.id
    said = fabric_hub("doctor", "--site", str(site.run.site)).stdout
    assert "2 sessions run that this hub does not know to be its own; they are left alone." in said
    command(site, "adopt", "--all")
    until(lambda: set(person.servers()) == {"before", "after"}, "the hub takes it up", 120)
    for who, session in zip((person, other), after, strict=True):
        who.until_ready("after")
        answer = httpx.get(f"{site.address}/user/{who.name}/after/x", follow_redirects=False).json()
        assert answer["session"] == session.id
        assert site.session_of(who, "after").job_id == session.job_id
    until(lambda: held(site) == {}, "nothing is held any more", 60)
    assert person.stop("after").status_code in (202, 204)
    until(lambda: after[0].job_id not in site.jobs(), "it ends as any other", 60)


def test_a_new_state_directory_ends_nobody_and_an_operator_can(site: BrokenSite) -> None:
    names = ("researcher", "trainer", "student1")
    sessions = [started(site, site.person(name), "lost") for name in names]
    site.kill()
    put_back(site, None)
    site.up()
    site.forget_people()
    until(lambda: set(held(site)) == {session.id for session in sessions}, "all are held", 120)
    run_on(site, sessions)
    page = site.person("trainer").log_in().browser.get("/hub/home").text
    assert f"job {sessions[1].job_id}" in page
    kept, *ended = sessions
    command(site, "end", *(session.id for session in ended))
    until(lambda: set(site.jobs()) == {kept.job_id}, "these end, and no other", 120)
    command(site, "adopt", kept.id)
    site.person("researcher").until_ready("lost")
    assert site.session(kept.id).job_id == kept.job_id


def test_two_hubs_of_one_id_end_nothing_of_each_other(site: BrokenSite, tmp_path: Path) -> None:
    """One after the other, each with its own record: what each does when it finds the other's jobs."""
    first = started(site, site.person("researcher"), "first")
    site.kill()
    records = copy(site, tmp_path / "first")
    put_back(site, None)
    site.up()
    site.forget_people()
    second = started(site, site.person("student1"), "second")
    until(lambda: set(held(site)) == {first.id}, "the second holds what is the first's", 120)
    site.kill()
    put_back(site, records)
    site.up()
    site.forget_people()
    until(lambda: set(held(site)) == {second.id}, "and the first what is the second's", 120)
    run_on(site, [first, second])
    assert [session.id for session in site.live()] == [first.id]
    command(site, "end", second.id)
    until(lambda: set(site.jobs()) == {first.job_id}, "it is the operator's to end", 120)


def said(site: BrokenSite, *arguments: str) -> str:
    """What an operator of one of the hubs reads."""
    return fabric_hub(*arguments, "--site", str(site.site)).stdout


def test_two_hubs_of_one_id_that_run_at_once_leave_each_others_sessions_alone(site: BrokenSite) -> None:
    mine = started(site, site.person("researcher"), "mine")
    with site.another_hub() as other:
        until(lambda: set(held(other)) == {mine.id}, "the second holds what is the first's", 120)
        theirs = started(other, other.person("student1"), "theirs")
        until(lambda: held(site) == {theirs.id: Why.OTHER_RECORD}, "the first holds what is the second's", 120)
        assert held(other) == {mine.id: Why.OTHER_RECORD}
        # both end what is nobody's, so both have looked at what there is
        stray = site.run.as_user(
            "researcher", "sbatch", "--parsable", "--account=proteins", "--mem=10",
            "--job-name=fabric-demo-bbbbbbbbbbbb", "--output=/dev/null", input="#!/bin/sh\nexec sleep 600\n",
        )  # fmt: skip
        assert stray.returncode == 0, stray.stderr
        until(lambda: int(stray.stdout) not in site.jobs(), "one that nobody submitted is ended", 120)
        # and what a hub itself ends does not reach the other's
        gone = started(site, site.person("trainer"), "gone")
        until(lambda: set(held(other)) == {mine.id, gone.id}, "the second holds that, too", 120)
        assert site.person("trainer").stop("gone").status_code in (202, 204)
        until(lambda: gone.job_id not in site.jobs(), "its own hub ends it", 60)
        until(lambda: set(held(other)) == {mine.id}, "the second hears of it", 120)
        run_on(site, [mine, theirs])
        assert [session.id for session in site.live()] == [mine.id]
        assert [session.id for session in other.live()] == [theirs.id]
        # both people reach theirs, and both operators are told
        for where, who, name, session in ((site, "researcher", "mine", mine), (other, "student1", "theirs", theirs)):
            where.person(who).until_ready(name)
            answer = httpx.get(f"{where.address}/user/{who}/{name}/x", follow_redirects=False).json()
            assert answer["session"] == session.id
        for where, foreign in ((site, theirs), (other, mine)):
            assert foreign.id in said(where, "sessions", "list")
            assert "1 session runs that this hub does not know to be its own" in said(where, "doctor")
            assert foreign.id in where.log.read_text()
        # the second ends while the first runs on: its session waits for an operator, as before
        other.kill()
        assert held(site) == {theirs.id: Why.OTHER_RECORD}
        run_on(site, [mine, theirs])
    command(site, "end", theirs.id)
    until(lambda: set(site.jobs()) == {mine.job_id}, "it is the operator's to end", 120)
