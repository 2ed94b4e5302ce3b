"""A series of backups: one more each night, so many kept, and never the last good one removed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fabric_hub.backup import manifest, series
from fabric_hub.backup.manifest import Manifest
from fabric_hub.backup.series import Kept, good, name_at, too_many
from fabric_hub.cli import doctor
from fabric_hub.config.settings import load
from fabric_hub.unix import last_backup
from fabric_hub.unix.last_backup import LastBackup
from tests.support.datasets_site import apart

from .conftest import command

NIGHT = 86400.0


def a_backup(directory: Path, at: float, hub: str = "main") -> Path:
    """The directory of one, with a manifest and no part."""
    path = directory / name_at(at)
    path.mkdir(parents=True)
    made = Manifest(id="a" * 16, release="1", hub_id=hub, at=at, held_s=0.0, secrets=False, parts={})
    (path / manifest.FILE).write_text(made.model_dump_json())
    return path


@pytest.mark.parametrize(("keep", "removed"), [(1, [1, 2, 3]), (3, [1]), (4, []), (9, [])])
def test_the_oldest_of_more_than_are_kept_are_too_many(keep: int, removed: list[int]) -> None:
    found = [Kept(Path(str(number)), float(number)) for number in (3, 1, 4, 2)]
    assert sorted(one.at for one in too_many(found, keep)) == removed


def test_only_good_ones_of_this_hub_count(tmp_path: Path) -> None:
    right = a_backup(tmp_path, 1000 * NIGHT)
    a_backup(tmp_path, 1001 * NIGHT, hub="other")
    (a_backup(tmp_path, 1002 * NIGHT) / manifest.FILE).write_text("{}")
    (tmp_path / name_at(1003 * NIGHT)).symlink_to(right)
    shutil.copytree(right, tmp_path / "by-hand")
    short = a_backup(tmp_path, 1004 * NIGHT)
    told = json.loads((short / manifest.FILE).read_text())
    part = {"file": "hub.tar", "sha256": "a" * 64, "bytes": 3, "databases": {}}
    (short / manifest.FILE).write_text(json.dumps({**told, "parts": {"hub": part}}))
    (short / "hub.tar").write_bytes(b"12")
    assert [one.directory for one in good(tmp_path, "main")] == [right]
    (short / "hub.tar").write_bytes(b"123")
    assert [one.directory for one in good(tmp_path, "main")] == [right, short]


def test_a_night_adds_one_and_removes_the_oldest_and_is_on_record(site: Path, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    old = [a_backup(directory, number * NIGHT) for number in (1000, 1001, 1002)]
    directory.chmod(0o700)
    killed = directory / f".{name_at(900 * NIGHT)}.partial"
    killed.mkdir()
    damaged = directory / name_at(2000 * NIGHT)
    damaged.mkdir()
    done = command(site, "backup", "--into", directory, "--keep", "2", "--without-secrets")
    assert done.status == 0, done.err
    assert "2 older backups are removed: 19720927T000000Z, 19720928T000000Z" in done.out
    left = sorted(path.name for path in directory.iterdir())
    [new] = set(left) - {old[2].name, damaged.name}
    assert len(left) == 3
    assert abs(time.time() - datetime.strptime(new, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()) < 600
    state = load(site).hub.state_dir
    found = last_backup.read(state)
    assert found
    made = manifest.read(directory / new)
    assert (found.id, found.at, found.directory) == (made.id, made.at, str(directory / new))
    assert (state / last_backup.FILE).stat().st_uid == state.stat().st_uid, "the hub reads it"

    # a night that fails removes nothing, and is not on record
    (state / "sessions.sqlite").write_bytes(b"no database" * 1000)
    failed = command(site, "backup", "--into", directory, "--keep", "1", "--without-secrets")
    assert failed.status == 1
    assert sorted(path.name for path in directory.iterdir()) == left
    assert last_backup.read(state) == found


def test_a_series_is_one_accounts_own_and_one_backups_at_a_time(site: Path, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    directory.mkdir()
    directory.chmod(0o777)
    refused = command(site, "backup", "--into", directory, "--keep", "2", "--without-secrets")
    assert "can be written by others than the account that makes backups" in refused.err
    directory.chmod(0o700)
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert "Another backup into" in command(site, "backup", "--into", directory, "--without-secrets").err
    finally:
        os.close(handle)
    where = "Name a directory that does not exist yet, or a series with --into, and --keep only with a series."
    for arguments in ((directory / "a", "--into", directory), (directory / "a", "--keep", "2")):
        assert where in command(site, "backup", *arguments, "--without-secrets").err
    none = command(site, "backup", "--into", directory, "--keep", "0", "--without-secrets")
    assert "must be a whole number, at least 1" in none.err
    assert list(directory.iterdir()) == []


def stamp(state: Path, directory: Path, hours: float) -> None:
    last_backup.write(state, LastBackup(at=time.time() - hours * 3600, id="a" * 16, directory=str(directory)))


def test_doctor_tells_of_an_old_a_missing_and_a_damaged_backup(site: Path, tmp_path: Path) -> None:
    hub = load(site).hub

    def told() -> tuple[str, str]:
        found = doctor.newest_backup(hub)
        return found.state, found.about.code

    assert told() == ("NOTE", "doctor-backup-none")
    backup = a_backup(tmp_path / "backups", 1000 * NIGHT)
    stamp(hub.state_dir, backup, 40)
    assert told() == ("PROBLEM", "doctor-backup-old")
    stamp(hub.state_dir, backup, 3)
    assert told() == ("OK", "doctor-backup-new")
    (backup / manifest.FILE).write_text("{}")
    assert told() == ("PROBLEM", "doctor-backup-damaged")
    shutil.rmtree(backup)
    assert told() == ("NOTE", "doctor-backup-gone")
    # what the hub's account could put there keeps nobody waiting, and is not followed
    file = hub.state_dir / last_backup.FILE
    file.unlink()
    os.mkfifo(file)
    assert told() == ("NOTE", "doctor-backup-none")
    file.unlink()
    (tmp_path / "elsewhere").write_text('{"at": 1, "id": "x", "directory": "/"}')
    file.symlink_to(tmp_path / "elsewhere")
    assert told() == ("NOTE", "doctor-backup-none")


def test_who_may_not_look_is_told_how_to(site: Path) -> None:
    hub = load(site).hub
    hub.state_dir.chmod(0)

    def looks() -> int:
        if os.geteuid() == 0:
            os.setuid(65534)
        found = doctor.newest_backup(hub)
        print(*found.lines())
        return 0

    try:
        said = apart(looks).out
    finally:
        hub.state_dir.chmod(0o700)
    assert "SKIPPED" in said
    assert "the newest backup" in said
    assert "this account may not look there" in said


def test_a_backup_of_which_the_hub_cannot_be_told_says_so_and_removes_none(site: Path, tmp_path: Path) -> None:
    old = a_backup(tmp_path / "backups", 1000 * NIGHT)
    (tmp_path / "backups").chmod(0o700)
    (load(site).hub.state_dir / last_backup.FILE).mkdir()
    done = command(site, "backup", "--into", tmp_path / "backups", "--keep", "1", "--without-secrets")
    assert done.status == 1
    assert "The backup is made and whole, and the hub could not be told of it" in done.err
    assert len(good(tmp_path / "backups", "main")) == 2
    assert old.is_dir()


def test_an_older_backup_is_never_put_on_record_over_a_newer(tmp_path: Path) -> None:
    stamp(tmp_path, tmp_path / "new", 1)
    stamp(tmp_path, tmp_path / "old", 2)
    found = last_backup.read(tmp_path)
    assert found
    assert found.directory.endswith("new")
    assert series.whole(tmp_path) is None
