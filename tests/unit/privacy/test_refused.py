"""Who is at work here, in a project or named in the site's file is not erased: what to do first is said."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fabric_hub.budgets.history import SETTLED_S, bounds
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.people.rows import Account
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.cli import main
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.privacy.audit_part import about
from fabric_hub.privacy.checks import jobs_of, not_final, refuse_at_work
from fabric_hub.privacy.person import Person
from fabric_hub.privacy.rows import only_code, only_role
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from fabric_hub.unix import state_lock
from tests.support.builders import NOW, SESSION, a_job, a_snapshot, fields_of_a_session
from tests.support.canaries import Planted, found
from tests.support.catalogue_process import NEEDS_OTHERS, run_as
from tests.support.privacy_site import Run, hand_over, make_site, place_of, plant

pytestmark = NEEDS_OTHERS


def refused(run: Run, user: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run("erase", user) == 1
    return capsys.readouterr().err


def test_whoever_is_in_a_project_in_any_role_is_taken_out_first(
    run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for user in ("ada", "vera"):
        said = refused(run, user, capsys)
        assert f"{user} is in physics. Take {user} out of them first" in said


def test_what_the_catalogue_service_keeps_counts_too(
    run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    projects = place_of(settings) / "socket" / "projects.json"
    kept = '{"format": 1, "serial": 2, "projects": {"kept": {"account": "fh-kept", "members": {"visitor": ["anna"]}}}}'
    projects.write_text(kept)
    assert "anna is in kept." in refused(run, "anna", capsys)
    projects.unlink()
    said = refused(run, "anna", capsys)
    assert "It is not known in which projects anna is: the catalogue service has published none yet." in said
    assert "Start the catalogue service" in said


def test_a_membership_that_is_not_published_yet_counts_too(
    run: Run, settings: Settings, anna: Planted, bob: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.catalogue is not None
    with sqlite3.connect(settings.catalogue.state_dir / "catalogue.sqlite") as connection:
        [name] = connection.execute("SELECT name FROM projects WHERE created_by LIKE ?", [f"%{bob.user}"]).fetchone()
        connection.execute("INSERT INTO project_people VALUES (?, ?, 'visitor', 1.0, 'sam')", [name, anna.user])
    connection.close()
    hand_over(settings)
    assert f"{anna.user} is in {name}. Take {anna.user} out of them first" in refused(run, anna.user, capsys)


def test_whoever_has_another_name_now_is_erased_by_that_one_first(
    run: Run, settings: Settings, anna: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.catalogue is not None
    engine = open_catalogue(settings.catalogue)
    people = PeopleStore(engine)
    number = people.number_of(anna.user)
    assert number is not None
    account = Account(name="annanew", unix_account="annanew", uid=None, mapped_by="operator")
    people.set_account(number, account, lambda _: None)
    engine.dispose()
    hand_over(settings)
    said = refused(run, anna.user, capsys)
    assert f"{anna.user} is called annanew now. Erase annanew first, and then give the command again." in said
    assert run("erase", "annanew") == 0, capsys.readouterr().err
    assert (
        f"annanew had another name here: {anna.user}. Erase that name, too, after this one." in capsys.readouterr().out
    )
    assert run("erase", anna.user) == 0, capsys.readouterr().err
    assert f"{anna.user} is erased." in capsys.readouterr().out
    several = texts.OTHER_NAMES(user="annanew", names=("ann", "anna"), n=2)
    assert str(several) == "annanew had other names here: ann and anna. Erase those names, too, after this one."


def test_whoever_is_an_operator_or_a_steward_is_taken_out_of_the_sites_file_first(
    sandbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_site(sandbox, '[login]\nadmins = ["root2"]\n[catalogue.stewards]\nwind = ["root2"]\n')
    try:
        assert main(["privacy", "erase", "root2", "--site", str(place_of(settings) / "site.toml")]) == 1
    finally:
        shutil.rmtree(place_of(settings))
    said = capsys.readouterr().err
    assert "The site's file names root2 in login.admins and catalogue.stewards.wind." in said


def test_a_session_that_is_not_over_is_ended_first(
    run: Run, settings: Settings, anna: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SessionStore(database_url(settings))
    alive = store.create(**fields_of_a_session(user=anna.user)).id
    store.close()
    hand_over(settings)
    said = refused(run, anna.user, capsys)
    assert f"A session of {anna.user} is not over: {alive}. End them first" in said
    assert set(found(place_of(settings), anna.marks)) == set(anna.marks)


def test_while_the_hub_runs_its_user_is_deleted_there_first(
    run: Run, settings: Settings, anna: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    """As hub and service hold it: the lock of the state directory. Once JupyterHub has no such user it may run."""
    state_lock.hold(settings.hub.state_dir)
    hand_over(settings)
    try:
        said = refused(run, anna.user, capsys)
        assert f"JupyterHub has {anna.user} as a user, and runs: it would write that again." in said
        assert "Delete the user in JupyterHub" in said
        with sqlite3.connect(settings.hub.state_dir / "jupyterhub.sqlite") as connection:
            connection.execute("DELETE FROM users WHERE name = ?", (anna.user,))
        connection.close()
        assert run("erase", anna.user) == 0, capsys.readouterr().err
    finally:
        os.close(state_lock._held.pop((os.getpid(), settings.hub.state_dir)))


def test_a_job_that_is_not_over_in_slurm_counts_and_so_does_slurms_silence() -> None:
    sessions = frozenset({SESSION})
    cluster = a_job(job_id=8, name=f"fabric-main-{SESSION}-dask-a")
    other = a_job(job_id=9, name="fabric-main-bbbbbbbbbbbb")
    over = a_job(job_id=10, state="COMPLETED")
    assert jobs_of(a_snapshot(a_job(state="COMPLETING"), cluster, other, over), "main", sessions) == ["7", "8"]
    assert jobs_of(a_snapshot(a_job()), "elsewhere", sessions) == []
    told = {"live": [], "jobs": ["7", "8"], "unknown": "", "day": None}
    with pytest.raises(FabricError, match="2 jobs of sessions of anna are not over in Slurm: 7 and 8") as jobs:
        refuse_at_work(told, "anna")
    assert jobs.value.reason == "privacy-has-jobs"
    with pytest.raises(FabricError, match="It is not known whether jobs of anna run: why"):
        refuse_at_work({"live": [], "jobs": [], "unknown": "why", "day": None}, "anna")


def test_a_day_that_is_summed_up_again_would_bring_the_name_back() -> None:
    today = datetime.fromtimestamp(NOW).astimezone().date()
    before, long_ago = today - timedelta(days=3), today - timedelta(days=36)
    final = {before: bounds(before)[1] + SETTLED_S}
    assert not_final({today, before, long_ago}, final, NOW) == [today]
    assert not_final({before}, {before: bounds(before)[1]}, NOW) == [before], "summed up, and not for the last time"
    assert not_final({before, long_ago}, final, NOW) == [], "nobody sums up what is so long ago"
    told = {"live": [], "jobs": [], "unknown": "", "day": today.isoformat()}
    with pytest.raises(FabricError, match=f"What anna used on {today} is still added up from Slurm's accounting"):
        refuse_at_work(told, "anna")


def test_without_a_gateway_nobody_knows_of_jobs_and_nothing_is_erased(
    sandbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = make_site(sandbox, "[slurm]\n")
    try:
        anna = plant(settings, Planted("annaq7canary"))
        site = str(place_of(settings) / "site.toml")
        assert main(["privacy", "erase", anna.user, "--site", site]) == 1
        assert f"It is not known whether jobs of {anna.user} run: " in capsys.readouterr().err
        assert set(found(place_of(settings), anna.marks)) == set(anna.marks)
    finally:
        shutil.rmtree(place_of(settings))


def test_a_name_that_nobody_can_have_is_no_path_and_no_question(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("../etc", "a b", "x/y", "%", ""):
        for verb in ("export", "erase"):
            assert run(verb, name) == 1
            assert "cannot be a person's name at the hub." in capsys.readouterr().err


@pytest.mark.root
def test_another_account_exports_what_it_may_read_and_says_what_not_and_erases_nothing(
    settings: Settings, anna: Planted, sandbox: Path
) -> None:
    site, target = str(place_of(settings) / "site.toml"), place_of(settings) / "home" / "mine"
    (place_of(settings) / "site.toml").chmod(0o644)
    command = "import sys; from fabric_hub.cli import main; raise SystemExit(main(sys.argv[1:]))"
    done = run_as("games", "-c", command, "privacy", "export", anna.user, "--output", str(target), "--site", site)
    assert done.returncode == 1, done.stderr
    assert "Not read: catalogue. Give the command as root, or also as the account daemon." in done.stdout
    assert (target / "sessions.json").stat().st_uid == pwd.getpwnam("games").pw_uid
    assert not (target / "catalogue.json").exists()
    done = run_as("games", "-c", command, "privacy", "erase", anna.user, "--site", site)
    assert done.returncode == 1
    assert "This account may not open catalogue, and an erasure is of all or nothing." in done.stderr


def test_a_warning_is_somebodys_by_its_subject() -> None:
    jan = Person("jan", "u-jan")
    for mine in ("storage:jan:/home", "user:physics/jan", "storage:jan"):
        assert jan.is_subject(mine), mine
    for other in ("storage:janet:/home", "user:jan/eve", "project:jan", "user:physics/Jan", "storage:eve:/home/jan"):
        assert not jan.is_subject(other), other
    assert set(jan.authors) >= {"jan", "operator jan", "steward jan", "jan (command line)", "u-jan (command line)"}
    assert "operator u-jan" not in jan.authors


def test_of_an_audit_record_a_person_gets_what_is_theirs() -> None:
    record = {"event": "granted", "user": "eve", "by": "operator eve", "responsible": ["ada", "jan"], "project": "p"}
    jan, eve = Person("jan"), Person("eve")
    assert about(record, jan) == {"event": "granted", "project": "p", "responsible": ["jan"]}
    assert about(record, eve) == {"event": "granted", "user": "eve", "by": "operator eve", "project": "p"}
    assert about(record, Person("bob")) is None


def test_of_a_record_with_numbers_a_person_gets_what_is_theirs() -> None:
    record = {"event": "granted", "person": 3, "by": "operator", "by_person": 4, "owners": [5, 6], "project": "p"}
    shared = {"event": "granted", "project": "p"}
    assert about(record, Person("jan"), {3}) == shared | {"person": 3}
    assert about(record, Person("eve"), {4}) == shared | {"by": "operator", "by_person": 4}
    assert about(record, Person("ada"), {6}) == shared | {"owners": [6]}
    assert about(record, Person("operator"), {7}) is None, "a role is no name"


def test_of_who_decided_the_role_stays() -> None:
    found = [only_role(by) for by in ("owner ada", "operator sam", "sam", "sam (command line)")]
    assert found == ["owner erased", "operator erased", "erased", "erased"]


def test_of_a_sentence_only_code_and_numbers_stay() -> None:
    told = texts.HAS_SESSIONS(user="jan", n=2, sessions=("abc", "def")).model_dump_json()
    assert "jan" not in only_code(told)
    assert "abc" not in only_code(told)
    assert "privacy-has-sessions" in only_code(told)
    assert "jan" not in only_code("jan's own words of an earlier release")
    assert "jan" not in only_code('{"code": "nobody-knows-this", "params": {}, "text": "of jan"}')


@pytest.mark.parametrize(
    "code",
    [
        "privacy-part-failed", "privacy-not-written", "privacy-no-snapshot", "privacy-still-read",
        "privacy-index-statement", "privacy-index-form", "privacy-index-empty", "privacy-erased-without-log",
    ],
)  # fmt: skip
def test_what_is_said_seldom_is_said_in_whole_sentences(code: str) -> None:
    reason = next(one for one in vars(texts).values() if getattr(one, "code", "") == code)
    facts = dict.fromkeys(reason.fields, "anna")
    assert reason(**facts).say().endswith((".", "anna")), reason.text
