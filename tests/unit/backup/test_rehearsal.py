"""Backup and restore as an operator rehearses them, with a catalogue service that runs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.backup.restore import unpack
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.publish import grants_file
from fabric_hub.unix import state_lock
from tests.support.catalogue_process import CATALOGUE, CODE, MEMBER, NEEDS_OTHERS, ROOT

from .conftest import BackedUp

pytestmark = NEEDS_OTHERS


def published(site: BackedUp) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(grants_file(site.daemon.datasets).read_text())
    return content


def accounts(site: BackedUp) -> list[str]:
    """The Slurm accounts for which the nodes open the dataset."""
    return [entry["account"] for entry in published(site)["grants"].get("wind", [])]


async def accept(site: BackedUp, project: str, user: str) -> None:
    async with site.daemon.client as client:
        await client.accept(user, project, "wind", "1", "research")


async def test_what_was_revoked_after_a_backup_stays_revoked_and_sessions_stay_on_record(backed_up: BackedUp) -> None:
    backup = backed_up.root / "kept-elsewhere"
    await accept(backed_up, "physics", MEMBER)
    said = backed_up.done("backup", backup, "--with-secrets")
    assert "writers waited" in said
    assert "It holds the cookie secret and the keys of the authorities: keep it as you keep those." in said
    assert {path.name for path in backup.iterdir()} == {"manifest.json", "site.toml", "hub.tar", "catalogue.tar"}
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}

    backed_up.done("datasets", "revoke", "wind", "--project", "maths")
    serial = published(backed_up)["serial"]
    refused = backed_up.command("restore", backup)
    assert refused.status == 1
    assert "A daemon or a command works on" in refused.err
    told = backed_up.done("restore", backup, "--dry-run")  # the daemons go on
    assert "not brought back: the grant of wind to maths was revoked since" in told
    assert "can be restored. Nothing was changed (--dry-run)." in told

    backed_up.daemon.stop()
    (backed_up.root / "cookie_secret").write_text("another")
    told = backed_up.done("restore", backup)
    assert "kept: chemistry may use wind" in told
    assert "Restored: the state of" in told
    assert "shut" not in told  # the audit log is whole, and tells of every grant
    assert (backed_up.root / "cookie_secret").read_text() == "c" * 64
    (before,) = backed_up.root.glob("before-restore-*")
    assert (before / "cookie_secret").read_text() == "another"
    store = backed_up.store()
    assert [session.id for session in store.live_all()] == [backed_up.session]
    store.close()

    backed_up.daemon.start()
    assert backed_up.granted() == {"physics", "chemistry"}
    await backed_up.daemon.until(lambda: published(backed_up)["serial"] > serial, "the nodes are told")
    assert accounts(backed_up) == ["phys"]
    assert "is whole" in backed_up.done("audit", "verify")
    assert [record["event"] for record in backed_up.daemon.records()][-2:] == ["revoked", "restored"]


@pytest.mark.long
async def test_where_the_host_is_lost_only_what_the_nodes_were_told_opens_until_the_steward_confirms(
    backed_up: BackedUp,
) -> None:
    """Of physics the nodes know; the grant of maths was revoked, and nobody had used that of chemistry."""
    backup = backed_up.root / "kept-elsewhere"
    await accept(backed_up, "physics", MEMBER)
    said = backed_up.done("backup", backup, "--without-secrets")
    assert "It holds no keys: where the hub's own are lost, running sessions cannot be reached again." in said
    backed_up.done("datasets", "revoke", "wind", "--project", "maths")
    backed_up.daemon.stop()
    state = backed_up.root / "state"
    for path in state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    told = backed_up.done("restore", backup)
    assert "kept: physics may use wind" in told
    assert "shut: only the backup knows the grant of wind to maths" in told
    assert "shut: only the backup knows the grant of wind to chemistry" in told
    assert "2 grants stay shut until the steward confirms them: fabric-hub datasets held" in told
    backed_up.daemon.start()
    assert backed_up.granted() == {"physics"}
    held = backed_up.done("datasets", "held")
    assert "wind: chemistry, granted by" in held
    assert "shut by a restore at" in held

    assert "Confirmed: chemistry may use wind again." in backed_up.done(
        "datasets", "confirm", "wind", "--project", "chemistry"
    )
    assert "Dropped: the grant of wind to maths is gone." in backed_up.done(
        "datasets", "confirm", "wind", "--project", "maths", "--drop"
    )
    assert "No grant waits for the steward's word." in backed_up.done("datasets", "held")
    refused = backed_up.command("datasets", "confirm", "wind", "--project", "maths")
    assert "No grant of the dataset wind to the project maths waits" in refused.err
    assert backed_up.granted() == {"physics", "chemistry"}
    assert accounts(backed_up) == ["phys"]
    assert "is whole" in backed_up.done("audit", "verify")

    # a copy of the audit log tells what the lost state no longer can; what the nodes were told after its last record
    # does not list chemistry, which nobody has used, so that stays with the steward
    copy = backed_up.root / "exported"
    shutil.copytree(state / "audit", copy)
    backed_up.daemon.stop()
    for path in state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    told = backed_up.done("restore", backup, "--audit-log", copy)
    assert "not brought back: the grant of wind to maths was revoked since" in told
    assert "1 grant stays shut until the steward confirms it" in told
    assert "is whole" in backed_up.done("audit", "verify")
    assert "confirmed" in [record["event"] for record in backed_up.daemon.records()]


@pytest.mark.long
def test_a_restore_that_is_cut_short_leaves_the_state_before_it_to_the_next(backed_up: BackedUp) -> None:
    backup = backed_up.root / "kept-elsewhere"
    backed_up.done("backup", backup, "--with-secrets")
    backed_up.done("datasets", "retire", "wind")
    backed_up.daemon.stop()
    state, aside = backed_up.root / "state", backed_up.root / "state" / "before-restore-x"
    aside.mkdir()
    if ROOT:
        shutil.chown(aside, CATALOGUE)
    (state / "catalogue.sqlite").rename(aside / "catalogue.sqlite")
    (state / "catalogue.sqlite").write_text("half")
    mark = {"aside": aside.name, "files": ["catalogue.sqlite", "new"], "there": ["catalogue.sqlite"]}
    (state / "new").write_text("half")
    (state / state_lock.UNFINISHED).write_text(json.dumps(mark))
    assert "was cut short: what is there is half of a state" in backed_up.command("datasets", "list").err

    told = backed_up.done("restore", backup)
    assert "retired: wind was taken out of use, or narrowed, since" in told
    assert not (state / state_lock.UNFINISHED).exists()
    assert not (state / "new").exists()
    kept = [path for path in state.glob("before-restore-*") if path != aside]
    assert integrity(kept[0] / "catalogue.sqlite") == integrity(state / "catalogue.sqlite") == "ok"
    assert backed_up.granted() == {"physics", "maths", "chemistry"}


def integrity(path: Path) -> str:
    database = sqlite3.connect(path)
    (said,) = database.execute("PRAGMA integrity_check").fetchone()
    database.close()
    return str(said)


CHANGES = """
import sys
from pathlib import Path
from fabric_hub.config import settings
from fabric_hub.catalogue.admin import opened
with opened(settings.load(Path(sys.argv[1]))) as desk:
    while not Path(sys.argv[2]).exists():
        desk.revoke("wind", "maths")
        print("changed", flush=True)
        desk.grant("wind", "maths")
"""


@pytest.mark.long
def test_what_changes_while_a_backup_is_made_is_in_catalogue_and_audit_log_or_in_neither(backed_up: BackedUp) -> None:
    stop = backed_up.root / "stop"
    argv = [sys.executable, "-c", CHANGES, str(backed_up.daemon.site), str(stop)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE)}
    with subprocess.Popen(argv, cwd=CODE, env=environment, stdout=subprocess.PIPE, text=True) as changing:
        assert changing.stdout
        assert changing.stdout.readline() == "changed\n"
        for number in range(6):
            backed_up.done("backup", backed_up.root / f"kept-{number}", "--without-secrets")
        stop.touch()
        assert changing.stdout.read().count("changed") > 6
    assert changing.returncode == 0
    seen = set()
    for number in range(6):
        kept = backed_up.root / f"kept-{number}"
        manifest = json.loads((kept / "manifest.json").read_text())
        with (kept / "catalogue.tar").open("rb") as tar:
            unpack(tar, kept / "out")
        last = list(Reading(kept / "out" / "audit").records())[-1]
        assert last["seq"] == manifest["audit"]["seq"]
        granted = {grant["project"] for grant in json.loads((kept / "out" / "catalogue.json").read_text())["grants"]}
        assert ("maths" in granted) is (last["event"] == "granted")
        with closing(sqlite3.connect(kept / "out" / "catalogue.sqlite")) as database:
            (serial,) = database.execute("SELECT serial FROM counter").fetchone()
        assert serial == manifest["serial"]
        seen.add(serial)
    assert len(seen) == 6


def test_what_became_of_projects_after_a_backup_is_not_undone_by_it(backed_up: BackedUp) -> None:
    def kept(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(backed_up.done("projects", "show", name, "--json"))
        # when it was written down anew is not what it was about
        found["people"] = [(one["user"], one["role"], one["by"]) for one in found["people"]]
        return {name: value for name, value in found.items() if name not in ("serial", "created_at")}

    backup = backed_up.root / "kept-elsewhere"
    backed_up.done("projects", "create", "waves", "--title", "Waves", "--owner", "ada", "--budget", "10")
    for user in ("eve", "bo"):
        backed_up.done("projects", "add", "waves", user)
    backed_up.done("datasets", "grant", "wind", "--project", "waves")
    backed_up.done("backup", backup, "--without-secrets")
    for argv in (
        ("remove", "waves", "eve"),
        ("add", "waves", "zoe", "--role", "trainer"),
        ("budget", "waves", "5"),
        ("pause", "waves", "--why", "too hot"),
        ("create", "tides", "--title", "Tides", "--owner", "bo", "--end", "2027-01-31"),
        ("describe", "tides", "--data", "non-public"),
    ):
        backed_up.done("projects", *argv)
    before = {name: kept(name) for name in ("waves", "tides")}
    assert ("eve", "member", before["waves"]["created_by"]) not in before["waves"]["people"]

    backed_up.daemon.stop()
    assert "kept: waves may use wind" in backed_up.done("restore", backup)
    backed_up.daemon.start()
    assert {name: kept(name) for name in ("waves", "tides")} == before
    assert "is whole" in backed_up.done("audit", "verify")
