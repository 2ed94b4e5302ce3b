"""The sessions' database is made by its migrations, and they say what the code says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.tables import metadata, usage_charged, usage_days


def test_the_migrations_make_exactly_the_tables_that_the_code_reads(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/sessions.sqlite")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    open_database(url).dispose()
    before = (tmp_path / "sessions.sqlite").read_bytes()
    open_database(url).dispose()
    assert (tmp_path / "sessions.sqlite").read_bytes() == before


def test_what_was_summed_up_before_counts_towards_accounts_from_the_first_day(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    engine = open_database(url)
    row = {"day": date(2026, 11, 20), "account": "lab", "user": "ann", "profile": "gpu", "cpu_hours": 1.0, "jobs": 1}
    with engine.begin() as connection:
        for project, hours in (("one", 2.0), ("two", 3.0)):
            connection.execute(sa.insert(usage_days).values(project=project, gpu_hours=hours, **row))
        later = ["usage_charged", "readers", "record_lines", "held_sessions", "session_reports", "start_choices"]
        later += ["session_stops", "announcements", "announcements_dismissed", "operator_visits"]
        later += ["problem_reports", "month_days", "month_sheets", "readiness_hours", "idle_months"]
        later += ["notices", "notice_sends", "notice_dates", "notice_choices"]
        for table in later:
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("DROP INDEX sessions_by_user_and_end"))
        for column in (
            "token_hash",
            "adopted_at",
            "ends_when_followed",
            "removed_at",
            "paired_with",
            "began_at",
            "end_steps",
        ):
            connection.execute(sa.text(f"ALTER TABLE sessions DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0004'"))
    engine.dispose()
    with open_database(url).connect() as connection:
        assert connection.execute(sa.select(usage_charged)).all() == [(date(2026, 11, 20), "lab", "", 5.0)]


def test_a_database_of_a_later_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(FabricError, match="not of this release") as refused:
        open_database(url)
    assert refused.value.reason == "database"
