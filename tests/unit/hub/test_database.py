"""JupyterHub's own database does not make the hub wait for the disk, and stays a site's own affair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jupyterhub.orm import new_session_factory
from sqlalchemy import text
from traitlets.config import Config

from fabric_hub.hub.patches.database import configure_database


def configured(url: str, **more: Any) -> Any:
    c = Config()
    c.JupyterHub.db_url = url
    for name, value in more.items():
        c.JupyterHub[name] = value
    configure_database(c)
    return c


def test_jupyterhubs_sqlite_commits_to_a_write_ahead_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jupyterhub.sqlite'}"
    session = new_session_factory(url, **configured(url).JupyterHub.db_kwargs)()
    try:
        values = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")}
        # 1 is NORMAL
        assert values == {"journal_mode": "wal", "synchronous": 1}
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    finally:
        session.close()
        session.get_bind().dispose()


@pytest.mark.parametrize("url", ["postgresql://hub@db/hub", "mysql+pymysql://hub@db/hub"])
def test_another_database_gets_nothing_of_ours_also_when_the_site_chooses_it_later(url: str) -> None:
    assert not configured(url).JupyterHub.get("db_kwargs")
    c = configured("sqlite:////srv/jupyterhub.sqlite")
    c.JupyterHub.db_url = url
    configure_database(c)
    assert c.JupyterHub.db_kwargs == {}


def test_a_sites_own_arguments_win() -> None:
    own = {"connect_args": {"timeout": 60}}
    assert configured("sqlite:////srv/jupyterhub.sqlite", db_kwargs=own).JupyterHub.db_kwargs == own
