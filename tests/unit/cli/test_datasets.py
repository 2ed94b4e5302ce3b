"""``fabric-hub datasets``: from a description to a grant, as the catalogue's account, on record, told to the nodes."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub import cli
from fabric_hub.catalogue.audit.log import named
from fabric_hub.catalogue.database import database_url, open_catalogue
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.cli.datasets import site_of
from fabric_hub.config.settings import DEFAULT_PATH, ENV
from fabric_hub.datasets.model import AccessRequest
from fabric_hub.errors import FabricError
from tests.support.datasets_site import STRANGER, Done, Place, apart, catalogue_service, command, make_site
from tests.unit.catalogue.test_pack import damage, fill
from tests.unit.datasets.test_completeness import WIND_FARM

pytestmark = pytest.mark.skipif(not shutil.which("mksquashfs"), reason="squashfs-tools is not installed")


@pytest.fixture
def place(sandbox: Path) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        made = make_site(Path(root))
        fill(made.directory("source")).chmod(0o700)
        (made.root / "wind.toml").write_text(WIND_FARM)
        (made.root / "wind.toml").chmod(0o600)
        yield made


def say(place: Place, *argv: str | Path) -> Done:
    """A command that is done; what it says."""
    done = command(place, *argv)
    assert done.status == 0, done.err
    return done


def refused(place: Place, *argv: str | Path) -> str:
    done = command(place, *argv)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("fabric-hub: ")
    return done.err.removeprefix("fabric-hub: ")


def described(place: Place) -> Place:
    say(place, "add", place.root / "wind.toml")
    return place


def offered(place: Place) -> Place:
    """One dataset with one published version."""
    described(place)
    say(place, "pack", "wind-farm", "1", place.root / "source")
    say(place, "publish", "wind-farm")
    return place


def audit_log(place: Place) -> list[dict[str, Any]]:
    files = sorted((place.datasets.state_dir / "audit").glob("*.jsonl"))
    lines = [line for path in files for line in path.read_text().splitlines()]
    engine = sa.create_engine(database_url(place.datasets))
    names = PeopleStore(engine).names()
    engine.dispose()
    return [named(json.loads(line), names) for line in lines]


def told(place: Place) -> dict[str, Any]:
    """What the nodes were told."""
    found: dict[str, Any] = json.loads((place.datasets.published / "grants.json").read_text())
    return found


def change(place: Place, file: str, old: str, new: str) -> Path:
    path = place.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_dataset_is_described_packed_published_and_granted(place: Place) -> None:
    assert "Next: fabric-hub datasets pack wind-farm" in say(place, "add", place.root / "wind.toml").out
    assert (
        "Next: fabric-hub datasets publish wind-farm 1"
        in say(place, "pack", "wind-farm", "1", place.root / "source").out
    )
    assert "latest version 1" in say(place, "publish", "wind-farm").out
    last = date.today() + timedelta(days=30)  # noqa: DTZ011
    assert (
        "that day included" in say(place, "grant", "wind-farm", "--project", "physics", "--until", last.isoformat()).out
    )
    (listed,) = json.loads(say(place, "list", "--json").out)
    shown = json.loads(say(place, "show", "wind-farm", "--json").out)
    assert listed.items() <= shown.items()
    assert [(one["project"], one["until"]) for one in shown["grants"]] == [("physics", last.isoformat())]
    assert shown["missing"] == []
    (version,) = shown["versions"]
    offer = told(place)["datasets"]["wind-farm"]
    assert offer["latest"] == "1"
    assert offer["versions"]["1"] == {key: version[key] for key in ("kind", "path", "sha256", "bytes")}
    assert "physics until" in say(place, "show", "wind-farm").out
    assert "wind-farm  published  restricted  1" in say(place, "list").out


def test_each_change_is_in_the_trail_with_who_made_it(place: Place) -> None:
    offered(place)
    say(place, "grant", "wind-farm", "--project", "physics")
    say(place, "verify")
    say(place, "revoke", "wind-farm", "--project", "physics")
    say(place, "retire", "wind-farm", "1")
    say(place, "retire", "wind-farm")
    records = audit_log(place)
    assert [record["event"] for record in records] == [
        "described", "packed", "published", "granted", "verified", "revoked", "retired", "retired",
    ]  # fmt: skip
    assert {record["dataset"] for record in records} == {"wind-farm"}
    assert all(record["by"] for record in records)
    assert (records[2]["version"], len(records[2]["sha256"]), records[2]["agreement"]) == ("1", 64, "1")
    assert (records[3]["project"], records[3]["account"], records[3]["responsible"]) == ("physics", "phys", ["ada"])


def test_doing_it_again_changes_nothing_and_is_not_recorded(place: Place) -> None:
    offered(place)
    say(place, "grant", "wind-farm", "--project", "physics")
    before = audit_log(place), told(place)
    assert "Nothing new" in say(place, "add", place.root / "wind.toml").out
    assert "had this version already" in say(place, "pack", "wind-farm", "1", place.root / "source").out
    assert "Already published" in say(place, "publish", "wind-farm", "1").out
    assert "Already granted" in say(place, "grant", "wind-farm", "--project", "physics").out
    assert (audit_log(place), told(place)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account")
def test_root_reads_its_own_files_and_writes_only_as_the_catalogue_service(place: Place) -> None:
    offered(place)
    say(place, "grant", "wind-farm", "--project", "physics")
    made = [path for name in ("state", "store", "published") for path in (place.root / name).rglob("*")]
    assert len(made) >= 6
    assert {path.stat().st_uid for path in made} == {catalogue_service().pw_uid}
    assert {path.stat().st_gid for path in made} == {catalogue_service().pw_gid}
    # and nobody else reads them: grants.json is for the group that a site may choose
    assert {path.stat().st_mode & 0o007 for path in made} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account")
def test_the_catalogue_service_itself_may_give_the_commands_and_a_stranger_may_not(place: Place) -> None:
    offered(place)
    as_catalogue_account = command(place, "list", uid=catalogue_service().pw_uid)
    assert (as_catalogue_account.status, "wind-farm" in as_catalogue_account.out) == (0, True)
    stranger = pwd.getpwnam(STRANGER).pw_uid
    for argv in (["list"], ["publish", "wind-farm"], ["pack", "wind-farm", "2", "/etc"], ["verify"]):
        done = command(place, *argv, uid=stranger)
        assert (done.status, done.out) == (1, "")
        assert f"belongs to the account {catalogue_service().pw_name}; {STRANGER} may not use it" in done.err
    unreadable = command(place, "pack", "wind-farm", "2", place.root / "source", uid=catalogue_service().pw_uid)
    assert unreadable.status == 1
    assert "Permission denied" in unreadable.err


def test_an_account_that_is_missing_or_root_is_said(place: Place) -> None:
    name = catalogue_service().pw_name
    change(place, "site.toml", f'account = "{name}"', 'account = "no-such-account"')
    assert "no account no-such-account" in refused(place, "list")
    change(place, "site.toml", '"no-such-account"', '"root"')
    assert "may not belong to root" in refused(place, "list")


def test_a_description_with_mistakes_is_refused_with_their_lines(place: Place) -> None:
    path = change(place, "wind.toml", 'access = "restricted"', 'access = "secret"\ncolour = "red"')
    said = refused(place, "add", path)
    assert "has 2 mistakes" in said
    assert f"{path}:5: access" in said
    assert f"{path}:6: colour: no such field" in said
    assert "cannot be read" in refused(place, "add", place.root / "none.toml")


def test_an_incomplete_dataset_is_not_published(place: Place) -> None:
    change(place, "wind.toml", 'retention = "Ten years."\n', "")
    change(place, "wind.toml", '[agreement]\nversion = "1"\ntext = "Do no harm."\n', "")
    out = say(place, "add", place.root / "wind.toml").out
    assert "  retention: " in out
    assert "  agreement: " in out
    said = refused(place, "publish", "wind-farm")
    for field in ("retention", "agreement", "a version"):
        assert f"  {field}: " in said
    assert told(place)["datasets"] == {}


def test_a_version_never_changes(place: Place) -> None:
    offered(place)
    (place.root / "source" / "readme").write_text("Something else.\n")
    done = command(place, "pack", "wind-farm", "1", place.root / "source")
    assert done.status == 1
    assert "Version 1 of the dataset wind-farm exists with other content" in done.err
    assert "give this content a version of its own" in done.err
    assert len(list(place.datasets.store.rglob("*.sqfs"))) == 1
    say(place, "pack", "wind-farm", "2", place.root / "source")
    say(place, "publish", "wind-farm")
    assert told(place)["datasets"]["wind-farm"]["latest"] == "2"


def test_a_directory_may_be_a_version_where_it_stands(place: Place) -> None:
    described(place)
    say(place, "link", "wind-farm", "d", place.root / "source")
    same = say(place, "pack", "wind-farm", "d", place.root / "source", "--directory")
    assert "had this version already" in same.out
    say(place, "publish", "wind-farm")
    version = told(place)["datasets"]["wind-farm"]["versions"]["d"]
    assert (version["kind"], version["path"]) == ("directory", str(place.root / "source"))
    say(place, "verify", "wind-farm", "d")
    (place.root / "source" / "readme").write_text("Something else.\n")
    assert command(place, "verify").status == 1


def test_verify_names_what_is_damaged_and_puts_it_on_record(place: Place) -> None:
    offered(place)
    change(place, "wind.toml", "wind-farm", "sea-farm")
    say(place, "add", place.root / "wind.toml")
    say(place, "pack", "sea-farm", "1", place.root / "source")
    damage(next(place.datasets.store.glob("wind-farm/*.sqfs")))
    done = command(place, "verify")
    assert done.status == 1
    assert [line.split()[:3] for line in done.out.splitlines()[:2]] == [
        ["OK", "sea-farm", "1"],
        ["DAMAGED", "wind-farm", "1"],
    ]
    assert [(record["event"], record["dataset"]) for record in audit_log(place)[-2:]] == [
        ("verified", "sea-farm"),
        ("damaged", "wind-farm"),
    ]
    say(place, "verify", "sea-farm")
    assert "no version 7" in refused(place, "verify", "sea-farm", "7")


def test_a_grant_is_for_a_project_of_the_site_and_for_a_day_to_come(place: Place) -> None:
    offered(place)
    assert "There is no project chemistry. There are: physics." in refused(
        place, "grant", "wind-farm", "--project", "chemistry"
    )
    assert "over already" in refused(place, "grant", "wind-farm", "--project", "physics", "--until", "2020-01-01")
    assert "There is no dataset sea" in refused(place, "grant", "sea", "--project", "physics")
    assert "has no grant" in refused(place, "revoke", "wind-farm", "--project", "physics")


def test_a_strict_revocation_tells_the_nodes_whose_jobs_end(place: Place) -> None:
    offered(place)
    say(place, "grant", "wind-farm", "--project", "physics")
    assert "have it open end" in say(place, "revoke", "wind-farm", "--project", "physics", "--strict").out
    (end,) = told(place)["end_jobs"]
    assert (end["dataset"], end["account"]) == ("wind-farm", "phys")
    assert audit_log(place)[-1]["why"].startswith("strict")


def test_requests_are_shown_and_answered(place: Place) -> None:
    offered(place)

    def ask() -> int:
        os.setuid(catalogue_service().pw_uid)
        store = CatalogueStore(open_catalogue(place.datasets))
        store.request(AccessRequest(user="jan", project="physics", dataset="wind-farm", why="For my thesis"))
        return 0

    assert "Nobody asks" in say(place, "requests").out
    assert apart(ask).status == 0
    assert "For my thesis" in say(place, "requests").out
    assert [one["user"] for one in json.loads(say(place, "requests", "--json").out)] == ["jan"]
    declined = say(place, "decline", "wind-farm", "--project", "physics", "--why", "Ask in May.")
    assert "1 request of physics" in declined.out
    assert audit_log(place)[-1]["why"] == "Ask in May."
    assert json.loads(say(place, "requests", "--json").out) == []
    assert apart(ask).status == 0
    say(place, "grant", "wind-farm", "--project", "physics")
    assert json.loads(say(place, "requests", "--json").out) == []


def test_nothing_changes_when_the_trail_cannot_be_written(place: Place) -> None:
    offered(place)
    head = place.datasets.state_dir / "audit" / "head.json"
    kept = head.read_text()
    head.write_text("{}x")
    assert "audit log" in refused(place, "grant", "wind-farm", "--project", "physics")
    head.write_text(kept)
    assert json.loads(say(place, "show", "wind-farm", "--json").out)["grants"] == []


@pytest.mark.parametrize(
    "argv",
    [
        ["show", "Wind"], ["pack", "wind-farm", "../1", "."], ["grant", "wind-farm", "--project", "a b"],
        ["grant", "wind-farm", "--project", "p", "--until", "tomorrow"], ["grant", "wind-farm"],
    ],
)  # fmt: skip
def test_names_and_days_are_checked_before_anything_is_opened(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["datasets", *argv, "--site", "/nonexistent/site.toml"])
    assert ended.value.code == 2


def test_a_site_without_datasets_says_so(place: Place) -> None:
    text = place.site.read_text()
    place.site.write_text(text[: text.index("[catalogue]")])
    assert "offers no datasets" in refused(place, "list")


def test_the_site_is_the_named_one_or_that_of_the_run_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENV, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert site_of(None, None) == DEFAULT_PATH
    assert site_of(None, tmp_path) == tmp_path / "site.toml"
    assert site_of(Path("mine.toml"), tmp_path) == Path("mine.toml")
    monkeypatch.setenv(ENV, "/srv/site.toml")
    assert site_of(None, None) == Path("/srv/site.toml")
    assert site_of(None, tmp_path) == tmp_path / "site.toml"


def test_the_record_names_who_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    from fabric_hub.catalogue import switch_user

    monkeypatch.setattr(Path, "read_text", lambda *_args, **_kw: "4294967295")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "operator")
    assert switch_user.caller() == "operator"
    monkeypatch.setattr(os, "getuid", lambda: catalogue_service().pw_uid)
    assert switch_user.caller() == catalogue_service().pw_name
    monkeypatch.setattr(Path, "read_text", lambda *_args, **_kw: "0")
    assert switch_user.caller() == "root"


def test_a_dataset_of_an_import_may_not_take_an_existing_name(place: Place) -> None:
    described(place)

    def add() -> int:
        from fabric_hub.catalogue import admin as desk
        from fabric_hub.catalogue import files

        with desk.opened(place.settings) as at:
            try:
                at.add(files.parse(WIND_FARM), new=True)
            except FabricError as error:
                print(error.reason)
        return 0

    assert apart(add).out == "dataset-exists\n"
