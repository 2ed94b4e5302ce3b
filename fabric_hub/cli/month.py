"""``fabric-hub month``: a month of the site on one sheet, from our own record of Slurm's accounting and of sessions."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from fabric_hub.budgets.history import History, bounds
from fabric_hub.budgets.month import MonthSheet, days_of, first_of
from fabric_hub.budgets.month_csv import as_csv
from fabric_hub.budgets.months import MonthBook
from fabric_hub.budgets.rolling import roll
from fabric_hub.config import settings
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.texts import month as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.sessions.store import SessionStore
from fabric_hub.unix import state_lock

from .record import opened
from .site import add_site_arguments
from .usage import INCOMPLETE


def add_parser(commands: Any) -> None:
    """Add the command."""
    month = commands.add_parser("month", help=_("a month on one sheet: GPUs in use, waits, starts, people"))
    month.add_argument("month", type=_month, metavar=_("MONTH"), help=_("as 2026-11"))
    month.add_argument(
        "--now",
        action="store_true",
        help=_("sum up first the days that are missing or not over, from Slurm's accounting"),
    )
    form = month.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("the sheet as JSON"))
    form.add_argument("--csv", action="store_true", help=_("one fact in a line, with each hour"))
    add_site_arguments(month)
    month.set_defaults(run=_run)


def _month(text: str) -> str:
    try:
        first_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a month (YYYY-MM)").format(text=repr(text))) from None
    return text


def _run(arguments: argparse.Namespace) -> int:
    with opened(arguments) as (site, store):
        state_lock.hold(site.hub.state_dir)
        book = MonthBook(store.engine)
        if arguments.now and not book.sheet(site, arguments.month).closed:
            asyncio.run(_roll(site, store, book, arguments.month))
        sheet = book.sheet(site, arguments.month)
    if arguments.json:
        print(sheet.model_dump_json(indent=2))
    elif arguments.csv:
        print(as_csv(sheet), end="")
    else:
        print("\n".join(_lines(sheet)))
    if sheet.missing:
        said = texts.DAYS_MISSING(n=len(sheet.missing), first=str(sheet.missing[0]))
        print("fabric-hub:", said.say(), file=sys.stderr)
    return INCOMPLETE if sheet.missing else 0


async def _roll(site: settings.Settings, store: SessionStore, book: MonthBook, month: str) -> None:
    """Sum up the days of a month that are not on record, and the one that is not over."""
    now, history = time.time(), History(store.engine)
    begun = [day for day in days_of(month) if bounds(day)[0] < now]
    wanted = sorted({*book.without_piece(begun), *(day for day in begun if bounds(day)[1] > now)}, reverse=True)
    async with GatewayClient(site.gateway.socket) as gateway:
        await roll(site, gateway, store, history, days=wanted)


def _lines(sheet: MonthSheet) -> list[str]:
    """The sheet for a terminal."""
    starts, ready, idle = sheet.starts, sheet.ready, sheet.idle
    told = [
        texts.GPU_HOURS(sessions=sheet.of_sessions, others=sheet.of_others),
        texts.STARTS(
            tried=starts.tried, succeeded=starts.succeeded, taken_back=starts.taken_back, waiting=starts.waiting
        ),
        *(texts.FAILED(code=one.code, n=one.starts) for one in starts.failed),
        *(texts.WAITS(profile=one.profile, n=one.starts, p50=one.p50, p95=one.p95) for one in sheet.waits),
        texts.READY(percent=100 * ready.ready / ready.looks, since=ready.since)
        if ready.looks and ready.since is not None
        else texts.READY_NOT_RECORDED(),
        *(
            texts.PEOPLE(
                organisation=one.organisation or texts.NOT_KNOWN(),
                sector=one.sector or texts.NOT_KNOWN(),
                n=one.people,
                sessions=one.sessions,
            )
            for one in sheet.people
        ),
        texts.IDLE(idle=idle.idle, watched=idle.watched, since=idle.since)
        if idle.since is not None
        else texts.IDLE_NOT_RECORDED(),
    ]
    return [f"{sheet.month}", *(text.say() for text in told)]
