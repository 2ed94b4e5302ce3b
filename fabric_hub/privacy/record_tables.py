"""The record of sessions: every column of every table, and what it is of a person. Pure.

A column is one line: :class:`.model.Personal`, or None where it says nothing of a person.
"""

from __future__ import annotations

from typing import Final

from fabric_hub.messages.texts import privacy as texts

from .model import (
    CODE,
    NO_LIST,
    NO_TEXT,
    NULL,
    NUMBER,
    SUM,
    Link,
    Personal,
    Purpose,
    Store,
    Table,
    Whose,
    kept,
)

SETTING: Final = texts.SETTING_DAYS(setting="privacy.keep_days", days=730)
_OF_SESSION: Final = (("sessions", "id", "user"),)
_WHEN: Final = Personal(texts.WHEN())
_ID: Final = Personal(texts.SESSION(), kept(texts.KEPT_SESSION()))
_TIME_FOR_SUMS: Final = Personal(texts.WHEN(), SUM)
_OUTCOME: Final = Personal(texts.OUTCOME(), SUM)
_CHOICE: Final = Personal(texts.CHOICE(), SUM)

SESSIONS: Final = Table(
    Store.SESSIONS,
    "sessions",
    Purpose.SESSIONS,
    SETTING,
    links=(Link("user", rows=False),),
    columns={
        "id": _ID,
        "user": Personal(texts.NAME(), NUMBER),
        "server_name": Personal(texts.GIVEN(), NO_TEXT),
        "kind": _CHOICE,
        "project": _CHOICE,
        "account": _CHOICE,
        "profile": _CHOICE,
        "image": _CHOICE,
        "hours": _CHOICE,
        "datasets": Personal(texts.DATASET(), NO_LIST),
        "gpus": _CHOICE,
        "token": Personal(texts.SECRET(), NULL, secret=True),
        "created_at": _TIME_FOR_SUMS,
        "submitted_at": _TIME_FOR_SUMS,
        "job_id": Personal(texts.PLACE(), NULL),
        "port": Personal(texts.PLACE(), NULL),
        "announced_at": _TIME_FOR_SUMS,
        "phases": Personal(texts.OUTCOME(), NULL),
        "node": Personal(texts.PLACE(), NULL),
        "ready_at": _TIME_FOR_SUMS,
        "start_seconds": Personal(texts.OUTCOME(), NULL),
        "ended_at": _TIME_FOR_SUMS,
        "end_reason": _OUTCOME,
        "end_text": Personal(texts.OUTCOME(), CODE),
        "end_log": Personal(texts.OUTPUT(), NO_LIST),
        "follows": _ID,
        "reopen": Personal(texts.OPEN_FILES(), NULL),
        "returned_gpu_hours": Personal(texts.USE(), SUM),
        "token_digest": Personal(texts.SECRET(), NULL, secret=True),
        "token_hash": Personal(texts.SECRET(), NULL, secret=True),
        "adopted_at": _TIME_FOR_SUMS,
        "ends_when_followed": _CHOICE,
        "removed_at": Personal(texts.WHEN(), NULL),
        "paired_with": _ID,
        "began_at": _TIME_FOR_SUMS,
        "end_steps": _OUTCOME,
    },
)

SUCCESSORS: Final = Table(
    Store.SESSIONS,
    "successors",
    Purpose.SESSIONS,
    texts.DAYS(n=1),
    links=(Link("user"),),
    columns={
        "predecessor": Personal(texts.SESSION()),
        "user": Personal(texts.NAME()),
        "server_name": Personal(texts.GIVEN()),
        "reopen": Personal(texts.OPEN_FILES()),
        "created_at": _WHEN,
    },
)

QUOTA_WARNINGS: Final = Table(
    Store.SESSIONS,
    "quota_warnings",
    Purpose.NOTICES,
    texts.DAYS(n=400),
    links=(Link("subject", Whose.SUBJECT),),
    columns={
        "subject": Personal(texts.NAME()),
        "name": Personal(texts.USE()),
        "level": Personal(texts.USE()),
        "text": Personal(texts.USE()),
        "in_force": Personal(texts.USE()),
        "since": _WHEN,
        "seen_at": _WHEN,
        "told_at": _WHEN,
        "tries": None,
        "retry_at": None,
    },
)

USAGE_DAYS: Final = Table(
    Store.SESSIONS,
    "usage_days",
    Purpose.USAGE,
    SETTING,
    links=(Link("user", rows=False),),
    columns={
        "day": _TIME_FOR_SUMS,
        "project": _CHOICE,
        "account": _CHOICE,
        "user": Personal(texts.NAME(), NUMBER),
        "profile": _CHOICE,
        "gpu_hours": Personal(texts.USE(), SUM),
        "cpu_hours": Personal(texts.USE(), SUM),
        "jobs": Personal(texts.USE(), SUM),
    },
)

USAGE_CHARGED: Final = Table(
    Store.SESSIONS,
    "usage_charged",
    Purpose.USAGE,
    texts.UNTIL_ERASED(),
    columns={"day": None, "account": None, "qos": None, "gpu_hours": None},
)

USAGE_ROLLS: Final = Table(
    Store.SESSIONS,
    "usage_rolls",
    Purpose.USAGE,
    texts.UNTIL_ERASED(),
    columns={"day": None, "rolled_at": None},
)

SESSION_REPORTS: Final = Table(
    Store.SESSIONS,
    "session_reports",
    Purpose.SESSIONS,
    texts.WHILE_SESSION(),
    links=(Link("session", through=_OF_SESSION),),
    columns={
        "session": Personal(texts.SESSION()),
        "at": _WHEN,
        "kernels_busy": Personal(texts.ACTIVITY()),
        "others_busy": Personal(texts.ACTIVITY()),
        "unsaved": Personal(texts.ACTIVITY()),
        "gpu_percent": Personal(texts.ACTIVITY()),
    },
)

SESSION_STOPS: Final = Table(
    Store.SESSIONS,
    "session_stops",
    Purpose.OPERATION,
    texts.DAYS(n=400),
    links=(
        Link("session", through=_OF_SESSION, only=("session", "reason", "ordered_at", "due_at", "withdrawn_at")),
        Link("operator", Whose.AUTHOR, only=("operator", "ordered_at"), rows=False),
        Link("withdrawn_by", Whose.AUTHOR, only=("withdrawn_by", "withdrawn_at"), rows=False),
    ),
    columns={
        "number": None,
        "session": Personal(texts.SESSION()),
        "operator": Personal(texts.NAME(), NUMBER),
        "reason": Personal(texts.DECISION()),
        "ordered_at": _TIME_FOR_SUMS,
        "due_at": _TIME_FOR_SUMS,
        "withdrawn_at": _TIME_FOR_SUMS,
        "withdrawn_by": Personal(texts.NAME(), NUMBER),
    },
)

ANNOUNCEMENTS: Final = Table(
    Store.SESSIONS,
    "announcements",
    Purpose.NOTICES,
    texts.DAYS(n=30),
    links=(Link("operator", Whose.AUTHOR, only=("id", "operator", "words", "written_at"), rows=False),),
    columns={
        "id": None,
        "level": None,
        "words": None,
        "begins_at": None,
        "ends_at": None,
        "operator": Personal(texts.NAME(), NUMBER),
        "written_at": _TIME_FOR_SUMS,
    },
)

ANNOUNCEMENTS_DISMISSED: Final = Table(
    Store.SESSIONS,
    "announcements_dismissed",
    Purpose.NOTICES,
    texts.DAYS(n=30),
    links=(Link("user"),),
    columns={"announcement": Personal(texts.CHOICE()), "user": Personal(texts.NAME())},
)

READERS: Final = Table(
    Store.SESSIONS,
    "readers",
    Purpose.COMFORT,
    texts.WHILE_USER(),
    links=(Link("user"),),
    columns={"user": Personal(texts.NAME()), "language": Personal(texts.LANGUAGE())},
)

START_CHOICES: Final = Table(
    Store.SESSIONS,
    "start_choices",
    Purpose.COMFORT,
    texts.WHILE_USER(),
    links=(Link("user"),),
    columns={
        "user": Personal(texts.NAME()),
        "name": Personal(texts.GIVEN()),
        "options": Personal(texts.CHOICE()),
        "saved_at": _WHEN,
    },
)

OPERATOR_VISITS: Final = Table(
    Store.SESSIONS,
    "operator_visits",
    Purpose.PROOF,
    SETTING,
    links=(
        Link("session", through=_OF_SESSION, only=("session", "at")),
        Link("operator", Whose.AUTHOR, only=("operator", "at"), rows=False),
    ),
    columns={
        "session": Personal(texts.SESSION()),
        "operator": Personal(texts.NAME(), NUMBER),
        "at": _TIME_FOR_SUMS,
    },
)

PROBLEM_REPORTS: Final = Table(
    Store.SESSIONS,
    "problem_reports",
    Purpose.SUPPORT,
    texts.SETTING_DAYS(setting="reports.keep_days", days=90),
    links=(Link("user"),),
    columns={
        "reference": None,
        "user": Personal(texts.NAME()),
        "at": _WHEN,
        "report": Personal(texts.WORDS()),
        "state": None,
        "tries": None,
        "retry_at": None,
        "sent_at": _WHEN,
        "trouble": None,
    },
)

MONTH_DAYS: Final = Table(
    Store.SESSIONS,
    "month_days",
    Purpose.USAGE,
    texts.UNTIL_ERASED(),
    columns={"day": None, "piece": None},  # by session, never by person: see the document
)

MONTH_SHEETS: Final = Table(
    Store.SESSIONS,
    "month_sheets",
    Purpose.USAGE,
    texts.UNTIL_ERASED(),
    columns={"month": None, "made_at": None, "sheet": None},
)

READINESS_HOURS: Final = Table(
    Store.SESSIONS,
    "readiness_hours",
    Purpose.OPERATION,
    texts.UNTIL_ERASED(),
    columns={"hour": None, "looks": None, "ready": None},
)

IDLE_MONTHS: Final = Table(
    Store.SESSIONS,
    "idle_months",
    Purpose.USAGE,
    texts.UNTIL_ERASED(),
    columns={"month": None, "project": None, "watched": None, "idle": None, "since": None},
)

RECORD_LINES: Final = Table(
    Store.SESSIONS,
    "record_lines",
    Purpose.OPERATION,
    texts.DAYS(n=400),
    columns={"number": None, "identity": None, "generation": None, "began_at": None},
)

HELD_SESSIONS: Final = Table(
    Store.SESSIONS,
    "held_sessions",
    Purpose.SESSIONS,
    texts.WHILE_SESSION(),
    links=(Link("user"),),
    columns={
        "session": Personal(texts.SESSION()),
        "user": Personal(texts.NAME()),
        "held": Personal(texts.PLACE()),
    },
)

_OF_NOTICE: Final = (("notices", "key", "person"),)
_NOTICES_DAYS: Final = texts.SETTING_DAYS(setting="notices.keep_days", days=400)

NOTICES: Final = Table(
    Store.SESSIONS,
    "notices",
    Purpose.NOTICES,
    _NOTICES_DAYS,
    links=(Link("person"),),
    columns={
        "key": None,
        "kind": None,
        "person": Personal(texts.NAME()),
        "subject": Personal(texts.TOLD()),
        "text": Personal(texts.TOLD()),
        "entry": Personal(texts.TOLD()),
        "created_at": _WHEN,
        "read_at": _WHEN,
    },
)

NOTICE_SENDS: Final = Table(
    Store.SESSIONS,
    "notice_sends",
    Purpose.NOTICES,
    _NOTICES_DAYS,
    links=(Link("key", through=_OF_NOTICE),),
    columns={
        "key": Personal(texts.TOLD()),
        "channel": Personal(texts.CHOICE()),
        "state": Personal(texts.OUTCOME()),
        "tries": None,
        "retry_at": None,
        "sent_at": _WHEN,
        "trouble": Personal(texts.OUTCOME()),
    },
)

NOTICE_DATES: Final = Table(
    Store.SESSIONS,
    "notice_dates",
    Purpose.NOTICES,
    _NOTICES_DAYS,
    links=(Link("person"),),
    columns={
        "person": Personal(texts.NAME()),
        "subject": Personal(texts.TOLD()),
        "moment": Personal(texts.TOLD()),
        "sequence": None,
        "gone": None,
        "told_at": _WHEN,
    },
)

NOTICE_CHOICES: Final = Table(
    Store.SESSIONS,
    "notice_choices",
    Purpose.COMFORT,
    texts.WHILE_USER(),
    links=(Link("user"),),
    columns={"user": Personal(texts.NAME()), "mail": Personal(texts.CHOICE())},
)

# In the order of an erasure: what is somebody's by their session comes before the sessions.
TABLES: Final = (
    NOTICE_SENDS, NOTICES, NOTICE_DATES, NOTICE_CHOICES,
    SUCCESSORS, QUOTA_WARNINGS, USAGE_DAYS, SESSION_REPORTS, SESSION_STOPS, ANNOUNCEMENTS, ANNOUNCEMENTS_DISMISSED,
    READERS, START_CHOICES, OPERATOR_VISITS, PROBLEM_REPORTS, HELD_SESSIONS, SESSIONS, USAGE_CHARGED, USAGE_ROLLS,
    MONTH_DAYS, MONTH_SHEETS, READINESS_HOURS, IDLE_MONTHS, RECORD_LINES,
)  # fmt: skip
