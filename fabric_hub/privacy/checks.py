"""What must be done before a person can be erased: no project, no role, no session, no job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fabric_hub.budgets.history import BACK_DAYS, HOUR_S, SETTLED_S, bounds, session_of, unfinished
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.projects.live import are_known
from fabric_hub.projects.membership import roles_of
from fabric_hub.sessions.tables import usage_days, usage_rolls
from fabric_hub.slurm.model import Phase, Snapshot, phase_of
from fabric_hub.unix import state_lock

from .model import Store
from .person import Person
from .stores import Part, connected


def roles(settings: Settings, user: str) -> dict[str, tuple[str, ...]]:
    """Somebody's roles by project. Pure."""
    found = {name: roles_of(project, user) for name, project in settings.project.items()}
    return {name: told for name, told in found.items() if told}


def other_places(settings: Settings, user: str) -> tuple[str, ...]:
    """The settings, beside those of projects, that name somebody. Pure."""
    found = ["login.admins"] if user in settings.login.admins else []
    stewards = settings.catalogue.stewards if settings.catalogue else {}
    return tuple(found + [f"catalogue.stewards.{name}" for name, people in stewards.items() if user in people])


def refuse_named(settings: Settings, user: str) -> None:
    """Refuse while somebody is in a project, or has a role at the site.

    :raises FabricError: they have; or it is not known.
    """
    if found := roles(settings, user):
        raise FabricError(texts.IN_PROJECTS(user=user, projects=tuple(sorted(found))))
    if not are_known(settings):
        raise FabricError(texts.PROJECTS_UNKNOWN(user=user))
    if places := other_places(settings, user):
        raise FabricError(texts.HAS_ROLE(user=user, settings=places))


def observed(settings: Settings, part: Part, person: Person) -> dict[str, Any]:
    """What the hub's databases and the gateway say: sessions that live or are held, jobs, all sessions of a person,
    and whether JupyterHub has them as a user. To be asked as the hub's account."""
    sessions: list[str] = []
    live: list[str] = []
    is_user = False
    days: set[date] = set()
    rolled: dict[date, float] = {}
    with connected(part) as engines:
        if record := engines.get(Store.SESSIONS):
            with record.connect() as connection:
                there = set(sa.inspect(connection).get_table_names())
                table = sa.table("sessions", sa.column("id"), sa.column("user"), sa.column("ended_at"))
                held = sa.table("held_sessions", sa.column("session"), sa.column("user"))
                if "sessions" in there:
                    mine = sa.select(table.c.id, table.c.ended_at).where(table.c.user == person.name)
                    found = connection.execute(mine).all()
                    sessions, live = [row[0] for row in found], [row[0] for row in found if row[1] is None]
                    days = {datetime.fromtimestamp(row[1]).astimezone().date() for row in found if row[1] is not None}
                if {"usage_days", "usage_rolls"} <= there:
                    used = sa.select(usage_days.c.day).where(usage_days.c.user == person.name).distinct()
                    days |= set(connection.execute(used).scalars())
                    rolls = sa.select(usage_rolls.c.day, usage_rolls.c.rolled_at)
                    rolled = {row[0]: row[1] for row in connection.execute(rolls)}
                if "held_sessions" in there:
                    query = sa.select(held.c.session).where(held.c.user == person.name)
                    live += [one for one in connection.execute(query).scalars() if one not in live]
        if hub := engines.get(Store.JUPYTERHUB):
            with hub.connect() as connection:
                if "users" in sa.inspect(connection).get_table_names():
                    users = sa.table("users", sa.column("name"))
                    query = sa.select(users.c.name).where(users.c.name == person.name)
                    is_user = connection.execute(query).first() is not None
    told: dict[str, Any] = {
        "sessions": sessions,
        "live": live,
        "is_user": is_user,
        "jobs": [],
        "unknown": "",
        "day": None,
    }
    if settings.slurm is not None and (open_days := not_final(days, rolled, time.time())):
        told["day"] = open_days[0].isoformat()
    if settings.slurm is not None and sessions:
        try:
            told["jobs"] = jobs_of(_snapshot(settings), settings.hub.id, frozenset(sessions))
        except FabricError as error:
            told["unknown"] = error.message
    return told


def _snapshot(settings: Settings) -> Snapshot:
    async def asked() -> Snapshot:
        async with GatewayClient(settings.gateway.socket) as gateway:
            found = await gateway.snapshot()
            if found.unavailable_since is not None or found.jobs_at is None:
                raise gateway.unavailable(found.problem or texts.NO_SNAPSHOT())
            return found

    return asyncio.run(asked())


def not_final(days: set[date], rolled: Mapping[date, float], now: float) -> list[date]:
    """The days that are summed up anew from Slurm's accounting, the last one first. Pure.

    :param rolled: when each day was summed up last.
    """
    oldest = datetime.fromtimestamp(now).astimezone().date() - timedelta(days=BACK_DAYS)
    return unfinished(rolled, [day for day in days if day >= oldest], settled=True)


def jobs_of(snapshot: Snapshot, hub: str, sessions: frozenset[str]) -> list[str]:
    """The jobs of sessions that are not over. Pure."""
    return [
        str(job.job_id)
        for job in snapshot.jobs
        if session_of(job.name, hub)[0] in sessions and phase_of(job.state) is not Phase.ENDED
    ]


def refuse_at_work(told: dict[str, Any], user: str) -> None:
    """Refuse while a session or a job of a person is not over, or what they used not added up. Pure.

    :param told: of :func:`observed`.
    :raises FabricError: one is not; or nobody knows.
    """
    if live := tuple(told["live"]):
        raise FabricError(texts.HAS_SESSIONS(user=user, n=len(live), sessions=live))
    if jobs := tuple(told["jobs"]):
        raise FabricError(texts.HAS_JOBS(user=user, n=len(jobs), jobs=jobs))
    if told["unknown"]:
        raise FabricError(texts.JOBS_UNKNOWN(user=user, cause=told["unknown"]))
    if told["day"]:
        # an hour more: that often the service adds up
        until = bounds(date.fromisoformat(told["day"]))[1] + SETTLED_S + HOUR_S
        raise FabricError(texts.STILL_SUMMED(user=user, day=told["day"], until=until))


def hold_hub(settings: Settings, user: str, *, is_user: bool) -> None:
    """Keep a restore away, and, where JupyterHub has the user, the hub: it would write that from its memory again.

    :raises FabricError: the hub runs, or a restore does.
    """
    if not is_user:
        state_lock.hold(settings.hub.state_dir)
        return
    try:
        state_lock.take(settings.hub.state_dir)
    except FabricError as error:
        raise FabricError(texts.HUB_RUNS(user=user)) from error
