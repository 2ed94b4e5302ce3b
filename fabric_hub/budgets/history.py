"""What was used, by day, project, user and profile: summed up from Slurm's accounting into our own database.

Days are the local days of the hub's machine. A day is summed up anew for as long as jobs of it may still change, and
replaces what was there before in one transaction: doing it twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from fabric_hub.config.settings import Settings
from fabric_hub.sessions.database import Transaction, open_database
from fabric_hub.sessions.store import Session
from fabric_hub.sessions.tables import month_days, usage_charged, usage_days, usage_rolls
from fabric_hub.slurm.accounting import PastJob
from fabric_hub.slurm.model import CLUSTER_JOB_NAME, JOB_NAME
from fabric_hub.types import Frozen, slurm_key
from fabric_hub.unix.accounts import hub_name

from .schemas import DayUse

HOUR_S = 3600.0
# Jobs of no session of ours, and workers of a session's Dask cluster.
OTHER, DASK = "other", "dask"
# How far back days are summed up that never were: a first start, or a service that was away.
BACK_DAYS = 35
# slurmdbd may learn of a job's end late: a day is final this long after it.
SETTLED_S = 24 * HOUR_S
OVER_EVERY_S = 6 * HOUR_S


class UsageRow(Frozen):
    """Use of one day. ``project`` is empty where an account of several projects was used without a session."""

    day: date
    project: str
    account: str
    user: str
    profile: str
    gpu_hours: float
    cpu_hours: float
    jobs: int


class Charged(Frozen):
    """GPU-hours of one day by what Slurm charges them to; ``qos`` is empty where it is not known."""

    day: date
    account: str
    qos: str
    gpu_hours: float


def bounds(day: date) -> tuple[float, float]:
    """The Unix times at which a local day begins and ends (23, 24 or 25 hours)."""
    begin, after = (datetime.combine(found, time()).timestamp() for found in (day, day + timedelta(days=1)))
    return begin, after


def due(rolled: Mapping[date, float], now: float, back: int = BACK_DAYS) -> list[date]:
    """The days to sum up now, newest first: today, days that may still have changed, and days that never were.

    Of a day that is over little changes: it is summed up when it is, a few times more, and when it is final.

    :param rolled: when each day was summed up last.
    """
    today = datetime.fromtimestamp(now).astimezone().date()
    wanted = []
    for age in range(back + 1):
        day = today - timedelta(days=age)
        last, over = rolled.get(day, 0.0), bounds(day)[1]
        if last < over + SETTLED_S and (last < over or now >= over + SETTLED_S or now - last >= OVER_EVERY_S):
            wanted.append(day)
    return wanted


def unfinished(rolled: Mapping[date, float], days: Iterable[date], *, settled: bool = False) -> list[date]:
    """Those days that were never summed up, or last before they were over, newest first.

    :param rolled: when each day was summed up last.
    :param settled: or before they were final.
    """
    late_s = SETTLED_S if settled else 0.0
    return [day for day in sorted(days, reverse=True) if rolled.get(day, 0.0) < bounds(day)[1] + late_s]


def session_of(name: str, hub: str) -> tuple[str, bool]:
    """(session, whether it is its cluster's) of a job of this hub, by its name; ("", False) of any other."""
    match = JOB_NAME.fullmatch(name)
    worker = CLUSTER_JOB_NAME.fullmatch(name) if match is None else None
    found = match or worker
    return (found[2], worker is not None) if found and found[1] == hub else ("", False)


def summed(
    settings: Settings,
    jobs: Iterable[PastJob],
    sessions: Mapping[str, Session],
    day: date,
    now: float,
    below: Mapping[str, str] | None = None,
) -> tuple[UsageRow, ...]:
    """The use of a day, by project, account, user and profile.

    A job counts for a session only when account and user are the session's own: its name is its owner's text.

    :param now: until when a running job has run, in Unix seconds.
    :param below: accounts below those of projects, each with that: their use is the project's, as in Slurm's limits.
    """
    projects: dict[str, list[str]] = defaultdict(list)
    for name, project in settings.project.items():
        projects[project.account].append(name)
    totals: dict[tuple[str, str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
    for job in jobs:
        seconds = _seconds(job, day, now)
        if seconds <= 0:
            continue
        user = _user_of(settings, job)
        named, worker = session_of(job.name, settings.hub.id)
        session = sessions.get(named)
        if session and (slurm_key(session.account) != job.account or (session.user != user and not _shared(settings))):
            session = None
        if session:
            owner, profile, user = session.project, DASK if worker else session.profile, session.user
        else:
            account = (below or {}).get(job.account, job.account)
            if below is not None and account not in projects:
                continue  # it only shares a budget with a project
            mine = projects.get(account, [])
            owner, profile = (mine[0] if len(mine) == 1 else ""), OTHER
        total = totals[owner, job.account, user, profile]
        total[0] += job.gpus * seconds / HOUR_S
        total[1] += job.cpus * seconds / HOUR_S
        total[2] += 1
    return tuple(
        UsageRow(
            day=day, project=project, account=account, user=user, profile=profile,
            gpu_hours=total[0], cpu_hours=total[1], jobs=int(total[2]),
        )
        for (project, account, user, profile), total in sorted(totals.items())
    )  # fmt: skip


def charged(jobs: Iterable[PastJob], day: date, now: float) -> tuple[Charged, ...]:
    """The GPU-hours of a day, by account and QOS; parameters as of :func:`summed`."""
    totals: dict[tuple[str, str], float] = defaultdict(float)
    for job in jobs:
        if job.gpus and (seconds := _seconds(job, day, now)) > 0:
            totals[job.account, job.qos] += job.gpus * seconds / HOUR_S
    return tuple(
        Charged(day=day, account=account, qos=qos, gpu_hours=hours) for (account, qos), hours in sorted(totals.items())
    )


def _seconds(job: PastJob, day: date, now: float) -> float:
    begin, after = bounds(day)
    return min(job.ended_at or now, after, now) - max(job.started_at, begin)


def _user_of(settings: Settings, job: PastJob) -> str:
    return hub_name(settings.users, job.user) or job.user


def _shared(settings: Settings) -> bool:
    return settings.users.shared_account


class History:
    """The days on record.

    :param database: the sessions', by its URL, or as somebody has opened it.
    :raises FabricError: it cannot be opened.
    """

    def __init__(self, database: str | sa.Engine) -> None:
        self._engine = open_database(database) if isinstance(database, str) else database

    def close(self) -> None:
        self._engine.dispose()

    def replace(
        self,
        day: date,
        rows: Sequence[UsageRow],
        rolled_at: float,
        charges: Sequence[Charged] = (),
        piece: Frozen | None = None,
    ) -> None:
        """Put a day's use in the place of what was there.

        :param piece: what the month's sheet needs of the day (:class:`fabric_hub.budgets.month.DayPiece`).
        """
        with Transaction(self._engine) as connection:
            for table in (usage_days, usage_charged, usage_rolls, month_days):
                connection.execute(sa.delete(table).where(table.c.day == day))
            if rows:
                connection.execute(sa.insert(usage_days), [row.model_dump() for row in rows])
            if charges:
                connection.execute(sa.insert(usage_charged), [row.model_dump() for row in charges])
            if piece:
                connection.execute(sa.insert(month_days).values(day=day, piece=piece.model_dump(mode="json")))
            connection.execute(sa.insert(usage_rolls).values(day=day, rolled_at=rolled_at))

    def rolled(self) -> dict[date, float]:
        """When each day was summed up last, in Unix seconds."""
        with Transaction(self._engine) as connection:
            found = connection.execute(sa.select(usage_rolls.c.day, usage_rolls.c.rolled_at))
            return {row.day: row.rolled_at for row in found}

    def daily(self, project: str, user: str | None = None, days: int = 28) -> tuple[DayUse, ...]:
        """GPU-hours of the last days that are on record, today included, oldest first.

        Days that were summed up and had no use are 0; others are left out.
        """
        since = datetime.now().astimezone().date() - timedelta(days=days)
        used = usage_days.c
        wanted = [used.project == project, used.day >= since, *([used.user == user] if user is not None else [])]
        query = sa.select(used.day, sa.func.sum(used.gpu_hours)).where(*wanted).group_by(used.day)
        with Transaction(self._engine) as connection:
            found = {day: float(hours) for day, hours in connection.execute(query)}
            known = connection.execute(sa.select(usage_rolls.c.day).where(usage_rolls.c.day >= since)).scalars()
            return tuple(DayUse(day=day, gpu_hours=found.get(day, 0.0)) for day in sorted(known))

    def charged(self, days: int = 28) -> tuple[Charged, ...]:
        """What was charged to all accounts and QOS in the last days, today included."""
        since = datetime.now().astimezone().date() - timedelta(days=days)
        with Transaction(self._engine) as connection:
            found = connection.execute(sa.select(usage_charged).where(usage_charged.c.day >= since))
            return tuple(Charged.model_construct(**row) for row in found.mappings())

    def rows(self, project: str, first: date, last: date) -> tuple[UsageRow, ...]:
        """A project's use from one day to another, both included."""
        used = usage_days.c
        query = (
            sa.select(usage_days)
            .where(used.project == project, used.day >= first, used.day <= last)
            .order_by(used.day, used.user, used.profile)
        )
        with Transaction(self._engine) as connection:
            return tuple(UsageRow.model_validate(dict(row)) for row in connection.execute(query).mappings())
