"""Summing up what was used, day by day: asks the gateway for Slurm's accounting and keeps it in our database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import date
from typing import Protocol

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts.projects import NOT_KNOWN
from fabric_hub.projects.live import are_known
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.accounting import Accounting

from .history import History, bounds, charged, due, session_of, summed
from .month import piece_of

log = logging.getLogger(__name__)

EVERY_S = 3600.0
RETRY_S = 300.0
# Slurm's database may hear of a job as late as this.
LATE_S = 900.0


class AccountingSource(Protocol):
    async def accounting(self, start: float, end: float) -> Accounting: ...


async def roll(
    settings: Settings,
    source: AccountingSource,
    store: SessionStore,
    history: History,
    *,
    days: list[date] | None = None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Sum up days; returns how many.

    :param days: default: those that are due (:func:`fabric_hub.budgets.history.due`).
    :raises FabricError: not all projects are known yet; gateway, Slurm's database or our own does not answer; the days
        before are done. Or Slurm's answer has none of the sessions that ran on some days: those stay as they were, and
        all others are done.
    """
    if not are_known(settings):  # the use of a project that is not known would not be on record
        raise FabricError(NOT_KNOWN())
    wanted = due(await asyncio.to_thread(history.rolled), clock()) if days is None else days
    accounts = {project.account for project in settings.project.values()}
    hidden: list[date] = []
    for day in wanted:
        begin, after = bounds(day)
        now = clock()
        found = await source.accounting(begin, min(after, now) if now > begin else after)
        until = min(after, now - LATE_S)
        ours = await asyncio.to_thread(store.ran_between, begin, until, accounts) if until > begin else set()
        if ours and ours.isdisjoint(job.job_id for job in found.jobs):
            hidden.append(day)
            continue
        named = {session_of(job.name, settings.hub.id)[0] for job in found.jobs} - {""}
        sessions = await asyncio.to_thread(store.known, named)
        rows = summed(settings, found.jobs, sessions, day, found.at, found.below)
        charges = charged(found.jobs, day, found.at)
        piece = piece_of(settings, found.jobs, sessions, day, found.at, found.below)
        await asyncio.to_thread(history.replace, day, rows, found.at, charges, piece)
    if hidden:
        raise FabricError(
            f"Slurm's accounting shows none of the sessions that ran on {', '.join(map(str, sorted(hidden)))}.",
            reason="accounting-hidden",
            hint="What was on record of these days stays. The operators should look at PrivateData in slurmdbd.conf, "
            "and at the rights of the gateway's account: fabric-hub doctor.",
            status=503,
        )
    return len(wanted)


async def keep_rolling(settings: Settings, source: AccountingSource, store: SessionStore, history: History) -> None:
    """Sum up what is due every hour, until cancelled; what does not answer is asked again soon."""
    while True:
        wait_s = EVERY_S
        try:
            await roll(settings, source, store, history)
        except FabricError as error:
            log.warning("Use is not summed up now: %s", error)
            wait_s = RETRY_S
        await asyncio.sleep(wait_s)
