"""What is over is on record without its person after the time that the site sets; what has a time of its own goes.

The register says how long each field is kept; this is what keeps that word in the record of sessions. Sums stay: of
sessions and of daily usage the rows go on without the person, all of them under one name.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from fabric_hub.sessions import announcements as announced
from fabric_hub.sessions import stops
from fabric_hub.sessions.database import Transaction
from fabric_hub.sessions.tables import (
    announcements,
    announcements_dismissed,
    operator_visits,
    quota_warnings,
    session_stops,
    sessions,
    successors,
    usage_days,
)

from .record_tables import SESSIONS
from .rows import PAST, erased_values, only_codes

DAY_S = 86400.0
# In the place of everybody whose time is over.
WARNINGS_DAYS = 400
SUCCESSORS_S = DAY_S


def forget_old(engine: sa.Engine, now: float, keep_days: int) -> int:
    """Take people out of what is older than the site keeps it with them; how many rows changed or went.

    :param keep_days: of the setting ``privacy.keep_days``.
    :raises FabricError: the database cannot be used.
    """
    before = now - keep_days * DAY_S
    with Transaction(engine) as connection:
        changed = _sessions(connection, before) + _usage(connection, before)
        for statement in (
            sa.delete(operator_visits).where(operator_visits.c.at < before),
            sa.delete(session_stops).where(session_stops.c.ordered_at < now - stops.KEPT_S),
            sa.delete(successors).where(successors.c.created_at < now - SUCCESSORS_S),
            sa.delete(quota_warnings).where(quota_warnings.c.seen_at < now - WARNINGS_DAYS * DAY_S),
        ):
            changed += connection.execute(statement).rowcount
        old = sa.select(announcements.c.id).where(announcements.c.ends_at < now - announced.KEPT_S)
        for table, column in ((announcements_dismissed, "announcement"), (announcements, "id")):
            changed += connection.execute(sa.delete(table).where(table.c[column].in_(old))).rowcount
    return changed


def _sessions(connection: sa.Connection, before: float) -> int:
    old = sa.and_(sessions.c.ended_at < before, sessions.c.user != PAST)
    if connection.execute(sa.select(sessions.c.id).where(old).limit(1)).first() is None:
        return 0
    # as it is written, not as a text that the column's type makes of it
    raw = sa.table("sessions", *(sa.column(column.name) for column in sessions.c))
    plain = sa.and_(raw.c.ended_at < before, raw.c.user != PAST)
    only_codes(connection, SESSIONS, raw, plain)
    values = {name: value for name, value in erased_values(SESSIONS, SESSIONS.links[0], PAST).items() if name in raw.c}
    return connection.execute(sa.update(sessions).where(old).values(**values)).rowcount


def _usage(connection: sa.Connection, before: float) -> int:
    """Sum up the days of everybody: several people's rows of a day and a profile become one."""
    columns = usage_days.c
    first = datetime.fromtimestamp(before).astimezone().date()
    named = sa.select(columns.day).where(columns.day < first, columns.user != PAST).distinct()
    keys = (columns.day, columns.project, columns.account, columns.profile)
    amounts = ("gpu_hours", "cpu_hours", "jobs")
    changed = 0
    for day in list(connection.execute(named).scalars()):
        sums = (sa.func.sum(columns[name]).label(name) for name in amounts)
        query = sa.select(*keys, *sums).where(columns.day == day).group_by(*keys)
        summed = [{**row, "user": PAST} for row in connection.execute(query).mappings()]
        changed += connection.execute(sa.delete(usage_days).where(columns.day == day)).rowcount
        connection.execute(sa.insert(usage_days), summed)
    return changed
