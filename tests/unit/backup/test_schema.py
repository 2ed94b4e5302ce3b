"""Schemas go forward and back under what is on record; a step that fails changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from fabric_hub import cli
from fabric_hub.backup.manifest import DatabaseState, Manifest, Part
from fabric_hub.catalogue.database import CATALOGUE
from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import SESSIONS, Kept, downgrade, open_database, revision_of
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import fields_of_a_session, least_site_text
from tests.support.datasets_site import apart

# It has done something to the tables, and to what is in them, before it fails.
FAILS = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{before}"

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("DELETE FROM {table}")
    with op.batch_alter_table("{table}") as batch:
        batch.add_column(sa.Column("more", sa.Integer))
    raise RuntimeError("the disk is on fire")

def downgrade():
    pass
"""


def with_failing_step(kept: Kept, place: Path, table: str) -> Kept:
    """The migrations of a next release, of which the last step fails."""
    shutil.copytree(kept.migrations, place)
    before = max(path.name[:4] for path in (place / "versions").glob("[0-9]*.py"))
    (place / "versions" / "9999_fails.py").write_text(FAILS.format(before=before, table=table))
    return replace(kept, migrations=place)


def content(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    try:
        return list(database.iterdump())
    finally:
        database.close()


@pytest.mark.parametrize(
    ("kept", "table"), [(SESSIONS, "sessions"), (CATALOGUE, "counter")], ids=["record", "catalogue"]
)
def test_a_migration_that_fails_leaves_the_old_state(kept: Kept, table: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite"
    url = f"sqlite:///{path}"
    open_database(url, kept).dispose()
    if kept is SESSIONS:
        store = SessionStore(url)
        store.create(**fields_of_a_session())
        store.close()
    before = content(path)
    with pytest.raises(FabricError, match="could not be brought to another release's schema: the disk is on fire"):
        open_database(url, with_failing_step(kept, tmp_path / "next", table))
    assert content(path) == before
    open_database(url, kept).dispose()  # the release that was here before goes on


def test_a_release_of_an_older_schema_is_gone_back_to_with_its_sessions_alive(tmp_path: Path) -> None:
    """Up from the schema before the latest, and back to it: what began in between stays on record."""
    url = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path))
    open_database(url).dispose()
    latest = revision_of(url)
    downgrade(url, SESSIONS, "0005")  # what an earlier release had
    backup = tmp_path / "backup"

    def command(*argv: str) -> tuple[int, str, str]:
        done = apart(lambda: cli.main([*argv, "--site", str(site)]))
        return done.status, done.out, done.err

    assert command("backup", str(backup), "--without-secrets")[0] == 0
    store = SessionStore(url)  # the upgrade
    session = store.create(**fields_of_a_session())
    store.close()
    assert revision_of(url) == latest

    status, out, err = command("rollback", str(backup))
    assert status == 0, err
    assert f"sessions: schema {latest} is 0005 again" in out
    assert "now, and not this one: it would go forward again" in out
    assert revision_of(url) == "0005"
    assert "Every database has the schema of that release already" in command("rollback", str(backup))[1]
    store = SessionStore(url)  # and forward again
    assert [one.id for one in store.live_all()] == [session.id]
    store.close()


def test_a_backup_of_a_later_release_and_of_another_kind_of_database_are_refused(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path))
    open_database(f"sqlite:///{tmp_path / 'sessions.sqlite'}").dispose()
    backup = tmp_path / "backup"
    assert apart(lambda: cli.main(["backup", str(backup), "--without-secrets", "--site", str(site)])).status == 0
    made = Manifest.model_validate_json((backup / "manifest.json").read_bytes())

    def refused(**state: str) -> str:
        databases = {"sessions": DatabaseState.model_validate({"kind": "sqlite", **state})}
        part = Part.model_validate({**made.parts["hub"].model_dump(), "databases": databases})
        changed = made.model_copy(update={"parts": {"hub": part}})
        (backup / "manifest.json").write_text(changed.model_dump_json())
        done = apart(lambda: cli.main(["restore", str(backup), "--site", str(site)]))
        assert done.status == 1
        return done.err

    assert "The database sessions of the backup has schema 9999" in refused(revision="9999")
    assert "of the backup is postgresql, and the site's file names sqlite" in refused(
        kind="postgresql", revision="0006"
    )
    (backup / "hub.tar").write_bytes(b"")
    assert "hub.tar of the backup is not as it was made: its digest differs" in refused()
    (backup / "hub.tar").unlink()
    assert "is no backup that this release can read: hub.tar" in refused()
    (backup / "manifest.json").write_text("{}")
    done = apart(lambda: cli.main(["restore", str(backup), "--site", str(site)]))
    assert "is no backup that this release can read" in done.err
    done = apart(lambda: cli.main(["backup", str(backup), "--without-secrets", "--site", str(site)]))
    assert "is there already, and a backup overwrites nothing" in done.err
