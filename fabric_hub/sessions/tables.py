"""The tables of the sessions' database as the code reads them; migrations/ makes them."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from fabric_hub.messages.reader import ENGLISH, reading
from fabric_hub.messages.text import Text, verbatim

metadata = sa.MetaData()


class Sentence(sa.TypeDecorator[Text]):
    """A text as JSON, so that each reader has it in their own language; None: NULL.

    A sentence that an earlier release kept is read as it is. Each has its English beside its code: whoever does not
    know the code has that.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        text = Text.model_validate(value)
        with reading(ENGLISH):
            return text.model_dump_json()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Text | None:
        if value is None:
            return None
        try:
            kept = json.loads(value) if value.startswith("{") else value
            return Text.model_validate(kept)
        except ValueError:  # a sentence that looks like one; pydantic's error is a ValueError, too
            return verbatim(value)


sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("server_name", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("project", sa.String(40), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("profile", sa.String(40), nullable=False),
    sa.Column("image", sa.String(40), nullable=False),
    sa.Column("hours", sa.Float, nullable=False),
    sa.Column("datasets", sa.JSON, nullable=False),
    sa.Column("gpus", sa.Integer, nullable=False, default=0),
    sa.Column("token", sa.String(64)),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("submitted_at", sa.Float),
    sa.Column("job_id", sa.BigInteger),
    sa.Column("port", sa.Integer),
    sa.Column("announced_at", sa.Float),
    sa.Column("phases", sa.JSON),
    sa.Column("node", sa.String(255)),
    sa.Column("ready_at", sa.Float),
    sa.Column("start_seconds", sa.JSON),
    sa.Column("ended_at", sa.Float),
    sa.Column("end_reason", sa.String(40)),
    sa.Column("end_text", Sentence),
    sa.Column("end_log", sa.JSON),
    sa.Column("follows", sa.String(12)),
    sa.Column("reopen", sa.JSON),
    sa.Column("returned_gpu_hours", sa.Float),
    sa.Column("token_digest", sa.String(64)),
    sa.Column("token_hash", sa.String(200)),
    sa.Column("adopted_at", sa.Float),
    sa.Column("ends_when_followed", sa.Boolean),
    sa.Column("removed_at", sa.Float),
    sa.Column("paired_with", sa.String(12)),
    sa.Column("began_at", sa.Float),
    sa.Column("end_steps", sa.JSON),
)
sa.Index(
    "one_live_session_per_server",
    sessions.c.user,
    sessions.c.server_name,
    unique=True,
    sqlite_where=sessions.c.ended_at.is_(None),
    postgresql_where=sessions.c.ended_at.is_(None),
)
sa.Index("sessions_by_end", sessions.c.ended_at)
sa.Index("sessions_by_user_and_end", sessions.c.user, sessions.c.ended_at)
sa.Index("sessions_by_token", sessions.c.token_digest)

# Sessions that are about to be started to continue another one: taken by the start of that server.
successors = sa.Table(
    "successors",
    metadata,
    sa.Column("predecessor", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("server_name", sa.String(40), nullable=False),
    sa.Column("reopen", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

# Each threshold that a subject has passed: what it says, since when, when that was seen last, whether it is so now,
# and whether the hook was told.
quota_warnings = sa.Table(
    "quota_warnings",
    metadata,
    sa.Column("subject", sa.String(300), primary_key=True),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("level", sa.String(10), nullable=False),
    sa.Column("text", Sentence, nullable=False),
    sa.Column("in_force", sa.Boolean, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("told_at", sa.Float),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("retry_at", sa.Float, nullable=False),
)

# GPU-hours by day (the hub's local days), summed up from Slurm's accounting: see fabric_hub.budgets.history.
usage_days = sa.Table(
    "usage_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("account", sa.String(64), primary_key=True),
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("profile", sa.String(40), primary_key=True),
    sa.Column("gpu_hours", sa.Float, nullable=False),
    sa.Column("cpu_hours", sa.Float, nullable=False),
    sa.Column("jobs", sa.Integer, nullable=False),
)
sa.Index("usage_by_project", usage_days.c.project, usage_days.c.day)

# GPU-hours of a day by what Slurm charges them to: account and QOS ("": not known).
usage_charged = sa.Table(
    "usage_charged",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("account", sa.String(64), primary_key=True),
    sa.Column("qos", sa.String(64), primary_key=True),
    sa.Column("gpu_hours", sa.Float, nullable=False),
)

# When a day was summed up last; a day without jobs has a row here, and none above.
usage_rolls = sa.Table(
    "usage_rolls",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("rolled_at", sa.Float, nullable=False),
)

# What each live session last said of itself: see fabric_hub.sessions.reports.
session_reports = sa.Table(
    "session_reports",
    metadata,
    sa.Column("session", sa.String(12), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kernels_busy", sa.Integer),
    sa.Column("others_busy", sa.Boolean),
    sa.Column("unsaved", sa.Integer),
    sa.Column("gpu_percent", sa.Text),
)

# Sessions that an operator ends, and did end or let go on: see fabric_hub.sessions.stops.
session_stops = sa.Table(
    "session_stops",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("session", sa.String(12), nullable=False),
    sa.Column("operator", sa.String(255), nullable=False),
    sa.Column("reason", sa.String(300), nullable=False),
    sa.Column("ordered_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("withdrawn_at", sa.Float),
    sa.Column("withdrawn_by", sa.String(255)),
)
sa.Index("stops_by_session", session_stops.c.session)

# What operators announce, and who has put it away: see fabric_hub.sessions.announcements.
announcements = sa.Table(
    "announcements",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("level", sa.String(10), nullable=False),
    sa.Column("words", sa.JSON, nullable=False),
    sa.Column("begins_at", sa.Float, nullable=False),
    sa.Column("ends_at", sa.Float, nullable=False),
    sa.Column("operator", sa.String(255), nullable=False),
    sa.Column("written_at", sa.Float, nullable=False),
)
announcements_dismissed = sa.Table(
    "announcements_dismissed",
    metadata,
    sa.Column("announcement", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(255), primary_key=True),
)

# The language that a person chose on a page of the hub.
readers = sa.Table(
    "readers",
    metadata,
    sa.Column("user", sa.String(255), primary_key=True),
    sa.Column("language", sa.String(20), nullable=False),
)

# What a person started last (name ""), and the choices that they saved: see fabric_hub.sessions.choices.
start_choices = sa.Table(
    "start_choices",
    metadata,
    sa.Column("user", sa.String(255), primary_key=True),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("saved_at", sa.Float, nullable=False),
)

# Which operators opened a session that is not their own, and when: see fabric_hub.sessions.visits.
operator_visits = sa.Table(
    "operator_visits",
    metadata,
    sa.Column("session", sa.String(12), primary_key=True),
    sa.Column("operator", sa.String(255), primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
)

# What people reported to the site's support, and whether it was sent: see fabric_hub.sessions.problems.
problem_reports = sa.Table(
    "problem_reports",
    metadata,
    sa.Column("reference", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(255), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("retry_at", sa.Float, nullable=False),
    sa.Column("sent_at", sa.Float),
    sa.Column("trouble", sa.Text),
)
sa.Index("problem_reports_by_user", problem_reports.c.user, problem_reports.c.at)
sa.Index("problem_reports_by_state", problem_reports.c.state)

# What a month's sheet needs of a day's jobs: see fabric_hub.budgets.month.
month_days = sa.Table(
    "month_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("piece", sa.JSON, nullable=False),
)

# A month as its sheet has it, and when it was made: see fabric_hub.budgets.months.
month_sheets = sa.Table(
    "month_sheets",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("sheet", sa.JSON, nullable=False),
)

# How often in an hour (Unix seconds of its beginning) the service looked whether sessions have all that they need, and
# how often they had.
readiness_hours = sa.Table(
    "readiness_hours",
    metadata,
    sa.Column("hour", sa.BigInteger, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("ready", sa.Integer, nullable=False),
)

# GPU-hours of a month that sessions had and, by their own word, did not use; ``watched``: of so many there is a word.
idle_months = sa.Table(
    "idle_months",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("project", sa.String(40), primary_key=True),
    sa.Column("watched", sa.Float, nullable=False),
    sa.Column("idle", sa.Float, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
)

# The lines in which this record is written, the last one its own: see fabric_hub.slurm.records.
record_lines = sa.Table(
    "record_lines",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("identity", sa.String(32), nullable=False, unique=True),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("began_at", sa.Float, nullable=False),
)

# Sessions that run and of which this record has no row, or whose end waits for an operator.
held_sessions = sa.Table(
    "held_sessions",
    metadata,
    sa.Column("session", sa.String(12), primary_key=True),
    sa.Column("user", sa.String(255), nullable=False),
    sa.Column("held", sa.JSON, nullable=False),
)
sa.Index("held_by_user", held_sessions.c.user)

# Everything that somebody is told: see fabric_hub.notices.book. The key is a digest of what it is about, so that the
# same fact makes one notice however often it is looked at.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("person", sa.String(255), nullable=False),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("text", Sentence, nullable=False),
    sa.Column("entry", sa.JSON),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("read_at", sa.Float),
)
sa.Index("notices_by_person", notices.c.person, notices.c.created_at)

# How a notice fares on a channel that can fail.
notice_sends = sa.Table(
    "notice_sends",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("channel", sa.String(10), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("retry_at", sa.Float, nullable=False),
    sa.Column("sent_at", sa.Float),
    sa.Column("trouble", sa.Text),
)
sa.Index("notice_sends_by_state", notice_sends.c.channel, notice_sends.c.state, notice_sends.c.retry_at)

# What a person's calendar was last told of a date, and how often that has changed.
notice_dates = sa.Table(
    "notice_dates",
    metadata,
    sa.Column("person", sa.String(255), primary_key=True),
    sa.Column("subject", sa.String(300), primary_key=True),
    sa.Column("moment", sa.String(32), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("told_at", sa.Float, nullable=False),
)

# Whether a person wants mail; without a row they do.
notice_choices = sa.Table(
    "notice_choices",
    metadata,
    sa.Column("user", sa.String(255), primary_key=True),
    sa.Column("mail", sa.Boolean, nullable=False),
)
