"""Hub, record and catalogue on PostgreSQL: backup and restore, a migration that fails, and the way back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from jupyterhub.orm import User, new_session_factory

from fabric_hub.config.settings import load
from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import (
    SESSIONS,
    database_url,
    downgrade,
    hub_database_url,
    open_database,
    revision_of,
)
from fabric_hub.sessions.store import SessionStore
from tests.support import postgresql
from tests.support.builders import fields_of_a_session
from tests.support.catalogue_process import NEEDS_OTHERS, Daemon

from .conftest import PROJECTS, BackedUp
from .test_schema import with_failing_step

pytestmark = [pytest.mark.long, NEEDS_OTHERS]


@pytest.fixture
def on_postgresql(sandbox: Path) -> Iterator[BackedUp]:
    """A site whose three databases are PostgreSQL's, with its catalogue service."""
    with postgresql.server(sandbox) as home:
        postgresql.create(home, "jupyterhub", "sessions", "catalogue")
        daemon = Daemon(sandbox / "backup-on-postgresql")
        daemon.prepare()
        text = daemon.site.read_text()
        hub = f'database = "{postgresql.url(home, "jupyterhub")}"\n'
        hub += f'sessions_database = "{postgresql.url(home, "sessions")}"\n'
        text = text.replace("[hub]\n", f"[hub]\n{hub}")
        own = f'[catalogue]\ndatabase = "{postgresql.url(home, "catalogue")}"\n'
        daemon.site.write_text(text.replace("[catalogue]\n", f"{PROJECTS}{own}"))
        daemon.start()
        yield BackedUp(daemon, "")
        if daemon.process and daemon.process.poll() is None:
            daemon.stop()
    shutil.rmtree(daemon.directory)


def users(url: str) -> set[str]:
    session = new_session_factory(url)()
    try:
        return {user.name for user in session.query(User)}
    finally:
        session.close()
        session.get_bind().dispose()


def add_user(url: str, name: str) -> None:
    session = new_session_factory(url)()
    session.add(User(name=name))
    session.commit()
    session.close()
    session.get_bind().dispose()


def test_all_three_databases_are_taken_and_put_back_and_what_was_revoked_stays_so(
    on_postgresql: BackedUp, tmp_path: Path
) -> None:
    site, settings = on_postgresql, load(on_postgresql.daemon.site)
    hub_url, record_url = hub_database_url(settings), database_url(settings)
    assert not list(site.root.rglob("*.sqlite"))
    add_user(hub_url, "before")
    store = SessionStore(record_url)
    session = store.create(**fields_of_a_session())
    site.daemon.offer()
    site.done("datasets", "grant", "wind", "--project", "maths")
    backup = site.root / "kept-elsewhere"
    site.done("backup", backup, "--without-secrets")

    add_user(hub_url, "after")
    store.create(**fields_of_a_session(user="ada"))
    site.done("datasets", "revoke", "wind", "--project", "maths")
    site.daemon.stop()
    site.done("restore", backup)
    assert users(hub_url) == {"before"}
    assert [one.id for one in store.live_all()] == [session.id]
    store.close()
    kept = {path.name for path in site.root.glob("before-restore-*/*")}
    assert kept == {"jupyterhub.dump", "sessions.dump"}
    site.daemon.start()
    assert site.granted() == {"physics"}

    # the schema goes back and forward in one transaction each, or not at all
    latest = revision_of(record_url)
    before = tables(record_url)
    with pytest.raises(FabricError, match="could not be brought to another release's schema: the disk is on fire"):
        open_database(record_url, with_failing_step(SESSIONS, tmp_path / "next", "sessions"))
    assert (revision_of(record_url), tables(record_url)) == (latest, before)
    downgrade(record_url, SESSIONS, "0005")
    store = SessionStore(record_url)
    assert [one.id for one in store.live_all()] == [session.id]
    store.close()
    assert revision_of(record_url) == latest


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()
