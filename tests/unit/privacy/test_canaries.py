"""An export finds every mark that was planted of a person, and an erasure leaves only the exceptions; others' stay."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.budgets.month import starts_of
from fabric_hub.catalogue import tables
from fabric_hub.catalogue.audit.log import audit_directory, named, persons_in
from fabric_hub.catalogue.audit.reading import Reading, verify
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.tables import projects
from fabric_hub.config.settings import Settings
from fabric_hub.privacy import audit_part, erase, session_files
from fabric_hub.privacy.person import person_of, pseudonym
from fabric_hub.projects.live import with_live_projects
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from tests.support.canaries import OPERATOR, Planted, found, usage_of
from tests.support.catalogue_process import NEEDS_OTHERS
from tests.support.privacy_site import Run, place_of

pytestmark = NEEDS_OTHERS
# What stays of a person, by place: what the register lists as kept.
EXCEPTIONS = {
    "state/audit": {"proj"},
    "hub/sessions.sqlite": {"session"},
    "state/catalogue.sqlite": {"granted"},  # a project of others, which has a grant that they decided
}


def left_of(settings: Settings, planted: Planted) -> dict[str, set[str]]:
    """What is left of a person, by place: the first two parts of its path."""
    places: dict[str, set[str]] = {}
    for what, paths in found(place_of(settings), planted.marks | planted.secrets).items():
        for path in paths:
            places.setdefault("/".join(path.split("/")[:2]), set()).add(what)
    return places


def test_an_export_has_every_mark_of_a_person_and_none_of_another(
    settings: Settings, run: Run, anna: Planted, bob: Planted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "export"
    assert run("export", anna.user, "--output", str(target)) == 0, capsys.readouterr().err
    assert f" records of {anna.user} are in {target}." in capsys.readouterr().out
    there = found(target, anna.marks)
    assert set(there) == set(anna.marks)
    assert found(target, anna.secrets) == {}
    assert found(target, bob.marks | bob.secrets) == {}
    assert OPERATOR not in (target / "sessions.json").read_text(), "who decided is somebody else"
    assert {oct(path.stat().st_mode & 0o777) for path in target.iterdir()} == {"0o600"}
    assert oct(target.stat().st_mode & 0o777) == "0o700"
    assert run("export", anna.user, "--output", str(target)) == 1
    assert f"{target} is there already." in capsys.readouterr().err


def test_the_index_is_in_the_readers_language(
    run: Run, anna: Planted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, says in (("en", "What is kept of annaq7canary"), ("nl", "Wat er van annaq7canary bewaard wordt")):
        target = tmp_path / language
        assert run("export", anna.user, "--output", str(target), "--language", language) == 0
        assert (target / "README.md").read_text().startswith(f"# {says}\n")
    english = (tmp_path / "en" / "README.md").read_text()
    for said in (
        "Made on ",
        "One file for each store, as JSON. Where other people are named in the same records",
        "Not in this export:",
        "`sessions.json`, `problem_reports`: 1 record (help where something does not work; as reports.keep_days says",
        "fabric-hub backup (kept: backups go when their time is over",
    ):  # fmt: skip
        assert said in english
    capsys.readouterr()


def test_an_erasure_leaves_only_the_exceptions_and_all_of_the_other_person(
    settings: Settings, run: Run, anna: Planted, bob: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    state = place_of(settings)
    of_bob = found(state, bob.marks | bob.secrets)
    assert set(of_bob) == set(bob.marks | bob.secrets) - {"token", "apitoken"}, "tokens are kept as digests"
    assert set(found(state, anna.marks)) == set(anna.marks)
    assert run("erase", anna.user, "--dry-run") == 0
    said = capsys.readouterr().out
    assert f"What would be done to what is kept of {anna.user}; nothing is changed now:" in said
    assert "sessions.problem_reports: 1 deleted" in said
    assert "sessions.sessions: 1 stays for sums, without the person" in said
    assert "What stays, and why:" in said
    assert "audit/*.jsonl: kept: the audit log is proof" in said
    for did in (
        "identities: 1 deleted", "accounts: 1 deleted", "hub_names: 1 stays, without the name",
        "projects: 2 stay, without the name", "project_people: 1 stays, without the name",
    ):  # fmt: skip
        assert f"  catalogue.{did}\n" in said
    assert set(found(state, anna.marks)) == set(anna.marks), "it only said so"

    assert run("erase", anna.user) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"What is done to what is kept of {anna.user}:" in said
    assert f"{anna.user} is erased. Where sums are kept, erased-" in said
    assert said.endswith(" stands in their place; the audit log says so.\n")
    assert left_of(settings, anna) == EXCEPTIONS
    assert found(state, bob.marks | bob.secrets) == of_bob


def test_sums_stay_and_the_audit_log_says_what_was_done_without_the_name(
    settings: Settings, run: Run, anna: Planted, bob: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.catalogue is not None
    store = SessionStore(database_url(settings))
    before = starts_of(store.known([*anna.sessions, *bob.sessions]).values())
    assert run("erase", anna.user) == 0, capsys.readouterr().err
    [row] = store.known(anna.sessions).values()
    stands = row.user
    assert stands.startswith("erased-")
    assert sorted(usage_of(settings)) == sorted([(bob.user, 2.5, 3), (stands, 2.5, 3)])
    assert starts_of(store.known([*anna.sessions, *bob.sessions]).values()) == before
    assert row.end_text is not None
    assert (row.end_text.code, row.end_text.params) == ("stop-no-session", {"session": ""})
    store.close()
    verify(audit_directory(settings.catalogue), None)
    last = list(Reading(audit_directory(settings.catalogue)).records())[-1]
    assert last["event"] == "erased"
    assert last["why"].startswith(f"{stands}: ")
    assert anna.user not in json.dumps(last)


def test_the_audit_log_keeps_their_number_alone_and_nobody_else_is_given_the_name(
    settings: Settings, run: Run, anna: Planted, bob: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.catalogue is not None
    engine = sa.create_engine(f"sqlite:///{settings.catalogue.state_dir}/catalogue.sqlite")
    people, directory = PeopleStore(engine), audit_directory(settings.catalogue)
    number, of_bob = people.number_of(anna.user), people.number_of(bob.user)
    assert number is not None
    assert of_bob is not None
    before = list(Reading(directory).records())
    assert [record["event"] for record in before if number in persons_in(record)] == ["first-login", "accepted"]
    assert run("erase", anna.user) == 0, capsys.readouterr().err

    verify(directory, None)
    *after, last = Reading(directory).records()
    assert after == before
    assert (last["event"], last["person"]) == ("erased", number)
    assert PeopleStore(engine).names().keys() >= {of_bob}
    assert number not in PeopleStore(engine).names()
    assert named(after[1], PeopleStore(engine).names())["user"] == f"person {number}"
    left = people.person(number)
    assert left is not None
    assert (left.account, left.names, left.identities) == (None, (), ())
    conflict = people.conflict(anna.user, None)
    assert conflict is not None, "a name is never given to another person"
    assert conflict.same == number
    with engine.connect() as connection:
        by = {row.by for row in connection.execute(sa.select(tables.project_people.c.by))}
        made = {tuple(row) for row in connection.execute(sa.select(projects.c.created_by, projects.c.paused_by))}
    assert by == {"owner erased", f"owner {bob.user}"}
    assert made == {("operator erased", "owner erased"), (f"operator {bob.user}", f"owner {bob.user}")}


def test_it_is_done_once_and_says_so_the_second_time(
    settings: Settings, run: Run, anna: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.catalogue is not None
    assert run("erase", anna.user) == 0
    n = len(list(Reading(audit_directory(settings.catalogue)).records()))
    capsys.readouterr()
    assert run("erase", anna.user) == 0
    assert f"Nothing is kept of {anna.user} but what stands below." in capsys.readouterr().out
    assert len(list(Reading(audit_directory(settings.catalogue)).records())) == n
    target = place_of(settings) / "after"
    assert run("export", anna.user, "--output", str(target)) == 0
    assert {path.name for path in target.iterdir()} == {"README.md"}, "nothing leads to their number any more"


@pytest.mark.parametrize("dies_before", ["note", "remove", "erased", "forget_uid", "forget"])
def test_one_that_was_killed_in_the_middle_is_finished_by_the_next(
    settings: Settings, run: Run, anna: Planted, bob: Planted, dies_before: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A kill takes the process that works: its parent sees that it is gone."""
    module = {"note": audit_part, "remove": session_files, "forget_uid": audit_part, "erased": erase}.get(
        dies_before, PeopleStore
    )
    person = person_of(settings, anna.user)
    live = with_live_projects(settings)
    plan = erase.plan(live, person)
    with monkeypatch.context() as patch:
        patch.setattr(module, dies_before, lambda *_: os.kill(os.getpid(), 9))
        with pytest.raises(Exception, match="was killed"):
            erase.carry_out(live, plan, "root", pseudonym())
    assert found(place_of(settings), {"name": anna.user})["name"]
    assert run("erase", anna.user) == 0, capsys.readouterr().err
    assert left_of(settings, anna) == EXCEPTIONS
    assert set(found(place_of(settings), bob.marks)) == set(bob.marks)


def test_the_databases_hold_no_bytes_of_what_was_deleted_before(settings: Settings, run: Run, anna: Planted) -> None:
    """What somebody deleted long ago still stands on free pages: these go as well."""
    path = settings.hub.state_dir / "sessions.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("DELETE FROM problem_reports")
    connection.close()
    assert found(settings.hub.state_dir, {"report": anna.marks["report"]})
    assert run("erase", anna.user) == 0
    assert found(settings.hub.state_dir, {"report": anna.marks["report"]}) == {}
