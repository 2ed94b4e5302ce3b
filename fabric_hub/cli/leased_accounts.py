"""``fabric-hub accounts list | lease | return | quarantine | release``: Unix accounts that are lent, for operators.

Given as root or as the catalogue service's account; root becomes the catalogue service before it opens a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date
from typing import Any, get_args

from fabric_hub.config.catalogue import Purpose
from fabric_hub.config.settings import load
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import dataset_files
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.types import HubUser, OneLine, Slug

from .dataset_listing import table
from .datasets import site_of
from .project_arguments import checked, day
from .site import add_site_arguments

Work = Callable[[Any, argparse.Namespace], int]  # of a LeasesAdmin, whose libraries take long to import


def add_parser(commands: Any) -> None:
    """Add the command and its parts."""
    top = commands.add_parser("accounts", help=_("Unix accounts that are lent: list, lease, return, release"))
    parts = top.add_subparsers(dest="part", metavar=_("PART"), required=True)

    def part(name: str, work: Work, about: str, *, account: bool = True) -> Any:
        parser = parts.add_parser(name, help=about)
        if account:
            parser.add_argument("account", metavar=_("ACCOUNT"), help=_("the Unix account"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))
        add_site_arguments(parser)
        parser.set_defaults(run=_doing(work))
        return parser

    part("list", _list, _("every account of the site's pools: whose it is, or why it is nobody's"), account=False)
    lending = part("lease", _lease, _("lend a free account"), account=False)
    lending.add_argument("purpose", choices=get_args(Purpose), help=_("what for"))
    lending.add_argument("--project", metavar=_("NAME"), type=checked(Slug), help=_("for which project"))
    lending.add_argument("--person", metavar=_("USER"), type=checked(HubUser), help=_("for whom, by their hub name"))
    lending.add_argument("--until", metavar=_("DATE"), type=day, help=_("its last day, as 2027-03-31"))
    returning = part("return", _return, _("take an account back; it is free when all that it left is removed"))
    returning.add_argument(
        "--force", action="store_true", help=_("also a service account whose project has not ended long ago")
    )
    apart = part("quarantine", _quarantine, _("lend an account to nobody for now"))
    apart.add_argument("--why", metavar=_("TEXT"), type=checked(OneLine), required=True, help=_("one line"))
    part("release", _release, _("let an account be lent again that was set apart, once you have looked at it"))


def _doing(work: Work) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        path = site_of(arguments.site, arguments.dir)
        found = load(path)
        if found.catalogue is None:
            raise FabricError(dataset_files.SITE_WITHOUT(path=str(path)))
        from fabric_hub.catalogue.leases.admin import opened  # the database's libraries take long to import

        with opened(found) as accounts:
            return work(accounts, arguments)

    return run


def _list(accounts: Any, arguments: argparse.Namespace) -> int:
    found = accounts.listed()
    if arguments.json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    elif not found:
        print(texts.NO_ACCOUNTS().say())
    else:
        head = (_("account"), _("uid"), _("purpose"), _("state"), _("project"), _("person"), _("until"), _("why"))
        rows = [
            (
                one.account,
                "-" if one.uid is None else str(one.uid),
                one.purpose,
                one.state,
                one.project or "-",
                one.person or "-",
                _until(one.until),
                one.why.say() if one.why else "",
            )
            for one in found
        ]
        print("\n".join(escaped(line) for line in table([head, *rows])))
    return 0


def _until(until: date | None) -> str:
    return str(until or "-")


def _lease(accounts: Any, arguments: argparse.Namespace) -> int:
    leased = accounts.lease(arguments.purpose, arguments.project, arguments.person, arguments.until)
    return _said(leased, texts.LEASED(account=leased.account, uid=leased.uid, purpose=leased.purpose), arguments)


def _return(accounts: Any, arguments: argparse.Namespace) -> int:
    leased = accounts.give_back(arguments.account, force=arguments.force)
    return _said(leased, texts.RETURNED(account=leased.account), arguments)


def _quarantine(accounts: Any, arguments: argparse.Namespace) -> int:
    leased = accounts.quarantine(arguments.account, arguments.why)
    return _said(leased, texts.QUARANTINED(account=leased.account), arguments)


def _release(accounts: Any, arguments: argparse.Namespace) -> int:
    leased = accounts.release(arguments.account)
    return _said(leased, texts.RELEASED(account=leased.account), arguments)


def _said(leased: Any, text: Text, arguments: argparse.Namespace) -> int:
    print(json.dumps(leased.model_dump(mode="json"), indent=2) if arguments.json else escaped(text.say()))
    return 0
