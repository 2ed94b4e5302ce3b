"""``fabric-hub sessions stop`` and ``stops``: an operator ends a person's session, with a reason that they read."""

from __future__ import annotations

import argparse
import json
import re
import time
from typing import Any

from fabric_hub.catalogue.switch_user import caller
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.texts import stops as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.stops import LONGEST_NOTICE_S, StopBook
from fabric_hub.sessions.store import Session, SessionStore

from .record import opened
from .site import add_site_arguments

_NOTICE = re.compile(r"([0-9]{1,5})(m|h)")


def add_verbs(verbs: Any) -> None:
    """Add both verbs of ``fabric-hub sessions``."""
    stop = verbs.add_parser("stop", help=_("end a person's session, with a reason that they read"))
    stop.add_argument("session", metavar=_("PERSON/SESSION"), help=_("whose session it is, and its name"))
    which = stop.add_mutually_exclusive_group(required=True)
    which.add_argument("--reason", help=_("one line of plain text, which the person reads"))
    which.add_argument("--withdraw", action="store_true", help=_("let it go on: take back what was ordered"))
    stop.add_argument(
        "--in", dest="notice", default="now", metavar=_("TIME"), help=_("as 15m or 2h; without it the session ends now")
    )
    stop.set_defaults(run=_stop)
    add_site_arguments(stop)
    listing = verbs.add_parser("stops", help=_("the sessions that operators ended or are to end, the last one first"))
    listing.add_argument("--json", action="store_true", help=_("an object for each of them"))
    listing.set_defaults(run=_list)
    add_site_arguments(listing)


def seconds_of(notice: str) -> float:
    """The seconds of a notice: ``now``, ``15m`` or ``2h``. Pure.

    :raises FabricError: it is none of these, or longer than a session is warned before.
    """
    if notice == "now":
        return 0.0
    found = _NOTICE.fullmatch(notice)
    seconds = float(found[1]) * {"m": 60, "h": 3600}[found[2]] if found else -1.0
    if not 0 <= seconds <= LONGEST_NOTICE_S:
        raise FabricError(texts.NOTICE_UNREADABLE(told=notice, most=LONGEST_NOTICE_S))
    return seconds


def _stop(arguments: argparse.Namespace) -> int:
    notice, operator = seconds_of(arguments.notice), f"{caller()} (command line)"
    with opened(arguments) as (_site, store):
        session, book = _named(store, arguments.session), StopBook(store.engine)
        named = {"name": session.server_name or DEFAULT, "user": session.user}
        if arguments.withdraw:
            book.withdraw(session.id, operator, time.time())
            print(texts.WITHDRAWN(**named).say())
        else:
            stop = book.order(session.id, operator, arguments.reason, notice, time.time())
            print(texts.ORDERED(at=stop.due_at, **named).say())
    return 0


def _named(store: SessionStore, told: str) -> Session:
    """The live session that PERSON/SESSION names; without a name the one that people call default."""
    user, _slash, name = told.partition("/")
    session = store.live(user, "" if name == DEFAULT else name)
    if session is None:
        raise FabricError(texts.NO_LIVE_SESSION(session=told))
    return session


def _list(arguments: argparse.Namespace) -> int:
    with opened(arguments) as (_site, store):
        found = StopBook(store.engine).all()
    if arguments.json:
        print(json.dumps([stop.model_dump(mode="json") for stop in found], indent=2))
        return 0
    for stop in found:
        about = {"ordered": stop.ordered_at, "due": stop.due_at, "why": stop.reason}
        print(escaped(texts.LISTED(session=stop.session, operator=stop.operator, **about).say()).rstrip())
        if stop.withdrawn_at is not None:
            print(f"{'':14}{texts.LISTED_WITHDRAWN(at=stop.withdrawn_at, operator=stop.withdrawn_by).say()}")
    if not found:
        print(texts.LISTED_NONE().say())
    return 0
