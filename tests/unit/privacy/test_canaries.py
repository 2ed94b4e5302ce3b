"""An export finds every mark that was planted of a person, and an erasure leaves only the exceptions; others' stay."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabric_hub.budgets.month import starts_of
from fabric_hub.catalogue.audit.log import audit_directory
from fabric_hub.catalogue.audit.reading import Reading, verify
from fabric_hub.cli import main
from fabric_hub.config.settings import Settings, load
from fabric_hub.privacy import erase
from fabric_hub.privacy.person import person_of, pseudonym
from fabric_hub.projects.live import with_live_projects
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import catalogue_text, least_site_text
from tests.support.canaries import (
    OPERATOR,
    Planted,
    found,
    plant_catalogue,
    plant_certificate,
    plant_files,
    plant_hub,
    plant_ledger,
    plant_record,
    usage_of,
)
from tests.support.catalogue_process import NEEDS_OTHERS

ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.geteuid()).pw_name
HUB, CATALOGUE = ("games", "daemon") if ROOT else (ME, ME)
pytestmark = NEEDS_OTHERS
# What stays of a person, and why: what the register lists as kept.
EXCEPTIONS = {
    "state/audit": {"name", "proj"},
    "hub/sessions.sqlite": {"session"},
    "state/catalogue.sqlite": {"granted"},  # a project of others, which has a grant that they decided
}
OWNERS = {
    "hub": HUB, "home": HUB, "gateway": HUB, "state": CATALOGUE, "store": CATALOGUE, "published": CATALOGUE,
    "socket": CATALOGUE,
}  # fmt: skip

Run = Callable[..., int]


@pytest.fixture
def settings(sandbox: Path) -> Iterator[Settings]:
    """A site with nobody in a project; as root each part belongs to an account of its own."""
    run = Path(tempfile.mkdtemp(dir=sandbox))
    run.chmod(0o755)
    for name in OWNERS:
        (run / name).mkdir(mode=0o755 if name == "published" else 0o700)
    text = least_site_text(
        run / "hub",
        f'[users]\nshared_account = true\nsession_dir = "{run}/home/.fabric-hub"\n'
        f'[gateway]\nsocket = "{run}/gateway/gateway.sock"\n'
        '[project.physics]\naccount = "phys"\nmembers.owner = ["ada"]\n'
        f'{catalogue_text(run, CATALOGUE)}socket = "{run}/socket/catalogue.sock"\n',
    )
    (run / "site.toml").write_text(text)
    projects = run / "socket" / "projects.json"
    projects.write_text('{"format": 1, "serial": 1, "projects": {}}')
    projects.chmod(0o640)
    yield load(run / "site.toml")
    shutil.rmtree(run)


def place_of(settings: Settings) -> Path:
    """The directory that all of a site is in."""
    return settings.hub.state_dir.parent


def hand_over(settings: Settings) -> None:
    """Give each part to its account, as it would have written it."""
    for name, account in OWNERS.items() if ROOT else ():
        entry = pwd.getpwnam(account)
        for path in (place_of(settings) / name, *(place_of(settings) / name).rglob("*")):
            os.chown(path, entry.pw_uid, entry.pw_gid)


@pytest.fixture
def run(settings: Settings) -> Run:
    return lambda *arguments: main(["privacy", *arguments, "--site", str(place_of(settings) / "site.toml")])


@pytest.fixture
def anna(settings: Settings) -> Planted:
    return plant(settings, Planted("annaq7canary"))


@pytest.fixture
def bob(settings: Settings) -> Planted:
    return plant(settings, Planted("bobz5canary"))


def plant(settings: Settings, planted: Planted) -> Planted:
    session = plant_record(settings, planted)
    plant_hub(settings, planted)
    plant_ledger(settings, planted, session)
    plant_catalogue(settings, planted)
    plant_files(place_of(settings) / "home" / ".fabric-hub", planted)
    plant_certificate(settings, planted)
    hand_over(settings)
    return planted


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
        "Made on ", "One file for each store, as JSON.", "Not in this export:",
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
    assert set(found(state, anna.marks)) == set(anna.marks), "it only said so"

    assert run("erase", anna.user) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"What is done to what is kept of {anna.user}:" in said
    assert f"{anna.user} is erased. Where sums are kept, erased-" in said
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
    kept = json.loads((target / "audit.json").read_text())
    assert {path.name for path in target.iterdir()} == {"README.md", "audit.json"}, kept


@pytest.mark.parametrize("dies_before", ["note", "remove", "erased", "forget_uid"])
def test_one_that_was_killed_in_the_middle_is_finished_by_the_next(
    settings: Settings, run: Run, anna: Planted, bob: Planted, dies_before: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A kill takes the process that works: its parent sees that it is gone."""
    module = {"note": erase.audit_part, "remove": erase.session_files, "forget_uid": erase.audit_part, "erased": erase}[
        dies_before
    ]
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
