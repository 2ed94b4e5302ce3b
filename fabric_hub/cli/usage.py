"""``fabric-hub usage``: what one project used, or each of the site, from our own record of Slurm's accounting."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import date, datetime, timedelta
from typing import Any

from fabric_hub.budgets.history import History, unfinished
from fabric_hub.budgets.report import Report, as_csv, as_text, report, site_as_text, site_report
from fabric_hub.budgets.rolling import roll
from fabric_hub.config import settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.texts import usage as texts
from fabric_hub.messages.texts.projects import NOT_KNOWN
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.live import are_known, with_live_projects
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from fabric_hub.unix import state_lock

from .record import become_owner
from .site import add_site_arguments, site_to_look_at

# The exit status of a report in which days are missing.
INCOMPLETE = 3


def add_parser(commands: Any) -> None:
    """Add the command."""
    usage = commands.add_parser("usage", help=_("GPU-hours of projects by user, profile and day"))
    usage.add_argument("--project", metavar=_("NAME"), help=_("this project only (default: all of the site's file)"))
    usage.add_argument(
        "--from", dest="first", type=_day, metavar=_("DATE"), help=_("first day (default: of this month)")
    )
    usage.add_argument("--to", dest="last", type=_day, metavar=_("DATE"), help=_("last day (default: today)"))
    usage.add_argument(
        "--last-month", action="store_true", help=_("the whole of last month, in place of --from and --to")
    )
    usage.add_argument(
        "--now", action="store_true", help=_("sum up first the days that are asked for and not final, however old")
    )
    form = usage.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("the report as JSON: totals, and a row per day"))
    form.add_argument("--csv", action="store_true", help=_("one line per day, project, user and profile"))
    add_site_arguments(usage)
    usage.set_defaults(run=_run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a date (YYYY-MM-DD)").format(text=repr(text))) from None


def _run(arguments: argparse.Namespace) -> int:
    site = with_live_projects(settings.load(site_to_look_at(arguments)))
    if arguments.project is not None and arguments.project not in site.project:
        if not are_known(site):
            raise FabricError(NOT_KNOWN())
        known = tuple(site.project)
        raise FabricError(
            texts.NO_SUCH_PROJECT(project=arguments.project, projects=known)
            if known
            else texts.NO_PROJECT_AT_ALL(project=arguments.project)
        )
    today = datetime.now().astimezone().date()
    first, last = _window(arguments, today)
    span = [first + timedelta(days=number) for number in range((min(last, today) - first).days + 1)]
    become_owner(site)
    state_lock.hold(site.hub.state_dir)
    history = History(database_url(site))
    try:
        if arguments.now:
            asyncio.run(_roll(site, history, unfinished(history.rolled(), span, settled=True)))
        rolled = history.rolled()
        # of today there is never more than a part
        missing = sorted(day for day in unfinished(rolled, span) if day != today or day not in rolled)
        projects = dict(site.project)  # of one moment
        found = [
            report(name, projects[name].title or name, projects[name].account, first, last, rows, missing)
            for name in ([arguments.project] if arguments.project is not None else projects)
            for rows in [history.rows(name, first, last)]
        ]
    finally:
        history.close()
    whole = found[0] if arguments.project is not None else site_report(first, last, found, missing)
    if arguments.json:
        print(whole.model_dump_json(indent=2))
    elif arguments.csv:
        print(as_csv(sorted((row for one in found for row in one.days), key=lambda row: row.day)), end="")
    else:
        print(as_text(whole) if isinstance(whole, Report) else site_as_text(whole))
    if missing:
        said = texts.NOT_COMPLETE(missing=len(missing), days=len(span), first=str(missing[0]))
        print("fabric-hub:", said.say(), file=sys.stderr)
    return INCOMPLETE if missing else 0


def _window(arguments: argparse.Namespace, today: date) -> tuple[date, date]:
    """First and last day of the report."""
    if arguments.last_month:
        if arguments.first or arguments.last:
            raise FabricError(texts.IN_PLACE_OF())
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    last = arguments.last or today
    first = arguments.first or last.replace(day=1)
    if first > last:
        raise FabricError(texts.FROM_AFTER_TO(first=str(first), last=str(last)))
    return first, last


async def _roll(site: settings.Settings, history: History, days: list[date]) -> None:
    store = SessionStore(database_url(site))
    try:
        async with GatewayClient(site.gateway.socket) as gateway:
            await roll(site, gateway, store, history, days=days)
    finally:
        store.close()
