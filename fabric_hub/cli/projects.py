"""``fabric-hub projects``: its parts and arguments; :mod:`.project_commands` does what they say.

Each parser's ``work`` default names what is done; it takes the site's settings, its file and the parsed arguments.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from datetime import date
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.assurance import AssuranceValue
from fabric_hub.config.login import AcrValue
from fabric_hub.config.mistakes import what_is_wrong
from fabric_hub.config.settings import OrNothing, load
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.changes import GpuHours, Role, Why
from fabric_hub.types import AccountName, HubUser, OneLine, Slug

from . import project_accounts
from .datasets import add_catalogue_arguments, site_of

KINDS, DATA = ("research", "course", "client"), ("public", "non-public")
NONE = "none"  # no such limit, no such day

Argument = tuple[str, dict[str, Any]]


def add_parser(commands: Any) -> None:
    """Add the command and its parts."""
    top = commands.add_parser("projects", help=_("the projects that the catalogue service keeps, and their people"))
    parts = top.add_subparsers(dest="part", metavar=_("PART"), required=True)
    add_parts(parts)
    for part in parts.choices.values():
        part.add_argument("--json", action="store_true", help=_("print JSON"))
        add_catalogue_arguments(part)
        part.set_defaults(run=_run)
    project_accounts.add_verbs(parts)


def _run(arguments: argparse.Namespace) -> int:
    path = site_of(arguments.site, arguments.dir)
    found = load(path)
    if found.catalogue is None:
        raise FabricError(texts.SITE_WITHOUT(path=str(path)))
    # the database's libraries take longer to import than any other command needs
    work = importlib.import_module("fabric_hub.cli.project_commands").WORK[arguments.part]
    status: int = work(found, path, arguments)
    return status


def add_parts(commands: Any) -> None:
    """Every part with its arguments."""

    def command(name: str, about: str, *arguments: Argument) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        for argument, settings in arguments:
            parser.add_argument(argument, **settings)
        return parser

    name: Argument = ("name", {"metavar": _("NAME"), "type": _of(Slug), "help": _("name of the project")})
    user: Argument = ("user", {"metavar": _("USER"), "type": _of(HubUser), "help": _("a person's name at the hub")})

    making = command("create", _("make a project; its Slurm account is named after it"), name)
    making.add_argument("--title", metavar=_("TEXT"), type=_of(OneLine), required=True, help=_("what people read"))
    making.add_argument(
        "--owner", metavar=_("USER"), type=_of(HubUser), action="append", required=True,
        help=_("who is responsible for it; may be given again"),
    )  # fmt: skip
    making.add_argument("--kind", choices=KINDS, default=KINDS[0], help=_("default: %(default)s"))
    _describing(making, default="")
    making.add_argument(
        "--data", choices=DATA, default=DATA[0], help=_("non-public: the hub adds nobody (default: %(default)s)")
    )
    about = _("its Slurm account, which no other project has (default: catalogue.account_prefix and the name)")
    making.add_argument("--account", metavar=_("ACCOUNT"), type=_of(AccountName), help=about)
    making.add_argument("--budget", metavar=_("HOURS"), type=_of(GpuHours), help=_("GPU-hours granted in all"))
    about = _("a profile of the site's file, its default first; may be given again (default: all)")
    making.add_argument("--profile", metavar=_("PROFILE"), type=_of(Slug), action="append", default=[], help=about)
    about = _("an image of the site's file, its default first; may be given again (default: all)")
    making.add_argument("--image", metavar=_("IMAGE"), type=_of(Slug), action="append", default=[], help=about)
    making.add_argument("--start", metavar=_("DATE"), type=_day, help=_("first day on which sessions start"))
    making.add_argument("--end", metavar=_("DATE"), type=_day, help=_("last day on which sessions start"))

    command("list", _("all projects, those of the site's file too"))
    command("show", _("one project: what it is, its people, since when and by whom"), name)
    describing = command("describe", _("change what a project is called, and whose it is"), name)
    describing.add_argument("--title", metavar=_("TEXT"), type=_of(OneLine), help=_("what people read"))
    _describing(describing, default=None)
    describing.add_argument("--data", choices=DATA, help=_("whether it works with data that not everybody may see"))
    describing.add_argument(
        "--assurance", metavar=_("VALUE"), action="append", default=[], type=_of(AssuranceValue),
        help=_("a login's eduperson_assurance must have one of these (again for each)"),
    )  # fmt: skip
    describing.add_argument(
        "--acr", metavar=_("VALUE"), action="append", default=[], type=_of(AcrValue),
        help=_("a login must be made in one of these ways, as a second factor (again for each)"),
    )  # fmt: skip
    describing.add_argument("--max-age", metavar=_("MINUTES"), type=int, help=_("how long ago that may have been"))
    describing.add_argument("--asks-nothing", action="store_true", help=_("ask nothing of a login any more"))
    adding = command("add", _("give somebody a role; they keep the others that they have"), name, user)
    adding.add_argument(
        "--role", choices=get_args(Role), default="member",
        help=_("all but visitors may start sessions (default: %(default)s)"),
    )  # fmt: skip
    removing = command("remove", _("take somebody out of a project, at once"), name, user)
    removing.add_argument("--role", choices=get_args(Role), help=_("only this role; default: all of them"))
    hours = ("hours", {"metavar": _("HOURS"), "type": _of_or_none(_of(GpuHours)), "help": _("in all, or none")})
    command("budget", _("set the GPU-hours that a project may use"), name, hours)
    dating = command("dates", _("set the first and the last day on which sessions start"), name)
    about = _("first day, as 2027-03-31, or none (default: as it is)")
    dating.add_argument("--start", metavar=_("DATE"), type=_of_or_none(_day), default=..., help=about)
    about = _("last day, as 2027-03-31, or none (default: as it is)")
    dating.add_argument("--end", metavar=_("DATE"), type=_of_or_none(_day), default=..., help=about)
    pausing = command("pause", _("start nothing in a project for now"), name)
    pausing.add_argument(
        "--why", metavar=_("TEXT"), type=_of(Why), required=True, help=_("its people read it: one line")
    )
    command("resume", _("let a paused project go on"), name)
    importing = command("import", _("keep projects of the site's file from now on"))
    importing.add_argument(
        "names", metavar=_("NAME"), type=_of(Slug), nargs="*", help=_("only these; default: all of the site's file")
    )


def _describing(parser: argparse.ArgumentParser, default: str | None) -> None:
    for option, about in (
        ("--organisation", _("whose project it is, for the month sheet")),
        ("--sector", _("the sector of that organisation, for the month sheet")),
    ):
        parser.add_argument(option, metavar=_("TEXT"), type=_of(OrNothing), default=default, help=about)


def _of(kind: Any) -> Callable[[str], Any]:
    """A check of an argument: what it must be is said as for the site's file."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def check(text: str) -> Any:
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise argparse.ArgumentTypeError(what_is_wrong(error.errors()[0]).say()) from None

    return check


def _of_or_none(check: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text == NONE else check(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a day as 2027-03-31").format(text=repr(text))) from None
