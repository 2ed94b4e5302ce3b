"""What a backup, a restore and a way back refuse, and what people are told of data that a restore shut."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from jupyterhub.orm import new_session_factory

from fabric_hub.backup import databases
from fabric_hub.backup.restore import packed_log
from fabric_hub.datasets.model import Catalogue, HeldGrant
from fabric_hub.datasets.policy import State, standing, visible
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import Reader
from fabric_hub.unix import state_lock
from tests.support.datasets_site import apart
from tests.unit.catalogue.test_store import an_entry

from .conftest import command

TODAY = date(2026, 11, 30)


def backed_up(site: Path) -> Path:
    backup = site.parent / "backup"
    done = command(site, "backup", backup, "--without-secrets")
    assert done.status == 0, done.err
    return backup


def test_a_database_that_does_not_come_to_rest_is_named_and_nothing_is_kept(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "REST_S", 0.1)
    with closing(sqlite3.connect(site.parent / "sessions.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        refused = command(site, "backup", site.parent / "backup", "--without-secrets")
    assert refused.status == 1
    assert "The database sessions did not come to rest within 0.1 seconds." in refused.err
    assert not [path for path in site.parent.iterdir() if "backup" in path.name]


def test_a_broken_database_makes_no_backup(site: Path) -> None:
    (site.parent / "sessions.sqlite").write_bytes(b"no database" * 1000)
    refused = command(site, "backup", site.parent / "backup", "--without-secrets")
    assert "The backup failed: " in refused.err
    assert not [path for path in site.parent.iterdir() if "backup" in path.name]


def test_nobody_starts_on_a_state_while_a_restore_is_at_work_on_it(tmp_path: Path) -> None:
    def start_meanwhile() -> int:
        state_lock.take(tmp_path)

        def start() -> int:
            with pytest.raises(FabricError, match="A restore is at work on") as refused:
                state_lock.hold(tmp_path)
            return refused.value.status == 503

        return apart(start).status

    assert apart(start_meanwhile).status == 1


def test_a_state_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match=r"The state directory .*/none cannot be written: No such file"):
        state_lock.hold(tmp_path / "none")


def test_a_restore_that_cannot_make_ready_changes_nothing(site: Path) -> None:
    backup = backed_up(site)
    (site.parent / ".restoring").write_text("in the way")
    before = (site.parent / "sessions.sqlite").read_bytes()
    refused = command(site, "restore", backup)
    assert "The restore failed: " in refused.err
    assert (site.parent / "sessions.sqlite").read_bytes() == before
    assert not (site.parent / state_lock.UNFINISHED).exists()


def test_a_copy_of_an_audit_log_that_is_none_is_refused(site: Path) -> None:
    refused = command(site, "restore", backed_up(site), "--audit-log", site.parent)
    assert "The copy of the audit log in" in refused.err
    assert "head.json: No such file" in refused.err


def test_a_backup_of_another_hub_and_a_database_that_lies_elsewhere_are_refused(site: Path) -> None:
    backup, text = backed_up(site), site.read_text()
    site.write_text(text.replace("[hub]\n", '[hub]\nid = "another"\n'))
    assert "The backup is of the hub main, and this is the hub another" in command(site, "restore", backup).err
    site.write_text(text.replace("[hub]\n", '[hub]\ndatabase = "sqlite:////srv/hub.sqlite"\n'))
    assert "The database jupyterhub is /srv/hub.sqlite, and a backup takes SQLite's from" in (
        command(site, "backup", site.parent / "more", "--without-secrets").err
    )


@pytest.mark.long  # JupyterHub takes seconds to make its database
def test_a_newer_jupyterhub_is_not_gone_back_from(site: Path) -> None:
    path = site.parent / "jupyterhub.sqlite"
    session = new_session_factory(f"sqlite:///{path}")()
    session.close()
    session.get_bind().dispose()
    backup = backed_up(site)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = 'abcdef'")
        database.commit()
    refused = command(site, "rollback", backup)
    assert refused.status == 1
    assert "JupyterHub's own database has schema abcdef" in refused.err


@pytest.mark.parametrize(("access", "state"), [("restricted", State.NOT_GRANTED), ("non-public", State.UNKNOWN)])
def test_who_asks_for_data_that_a_restore_shut_is_told_so_in_their_language(access: str, state: State) -> None:
    held = HeldGrant(dataset="wind-farm", project="physics", by="anna", at=1.0, held_at=2.0)
    entry = an_entry(access=access, published_at=1.0, latest="1")
    catalogue = Catalogue(serial=1, now=1.0, datasets=(entry,), held=(held,))
    decision = standing(catalogue, "wind-farm", "jan", "physics", TODAY)
    assert decision.state is state
    assert decision.why.code == "dataset-held"
    assert "must be confirmed after a restore of the hub" in str(decision.why)
    assert "moet worden bevestigd" in decision.why.say(Reader(language="nl"))
    assert standing(catalogue, "wind-farm", "jan", "maths", TODAY).why.code == "dataset-no-access"
    # a list names what is non-public to nobody whose grant may have been revoked
    assert bool(visible(catalogue, "jan", ["physics"], TODAY)) is (access == "restricted")


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "owner"])
def test_a_copy_of_an_audit_log_brings_nothing_along_that_is_not_its_owners(tmp_path: Path, kind: str) -> None:
    copy, secret = tmp_path / "copy", tmp_path / "secret"
    copy.mkdir()
    secret.write_text("root's alone")
    (copy / "head.json").write_text("{}")
    month, given = copy / "2026-11.jsonl", copy
    if kind == "link":
        month.symlink_to(secret)
    elif kind == "directory":
        given = tmp_path / "by-link"
        given.symlink_to(copy)
    elif kind == "pipe":
        os.mkfifo(month)
    elif os.geteuid() == 0:
        month.write_text("{}\n")
        os.chown(copy, 65534, 65534)
    else:
        pytest.skip("only root can have a directory of another's")
    with pytest.raises(FabricError, match="The copy of the audit log in") as refused:
        packed_log(given)
    assert refused.value.reason == "audit-log-broken"


def test_logins_are_left_as_they_were_where_that_is_asked_and_it_is_said(site: Path) -> None:
    done = command(site, "restore", backed_up(site), "--keep-logins")
    assert done.status == 0, done.err
    assert "Logins and API tokens are those of the backup, also what was revoked since." in done.out
