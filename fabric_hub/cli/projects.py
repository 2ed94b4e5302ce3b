"""``fabric-hub projects``: its parts and arguments; :mod:`.project_commands` does what they say.

Each parser's ``work`` default names what is done; it takes the site's settings, its file and the parsed arguments.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from typing import Any, get_args

from fabric_hub.config.assurance import AssuranceValue
from fabric_hub.config.login import AcrValue
from fabric_hub.config.settings import OrNothing, load
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.changes import GpuHours, InvitationId, MailDomain, Role, Uses, Why
from fabric_hub.types import AccountName, HubUser, OneLine, Slug

from . import project_accounts, project_folders, project_requests
from .datasets import add_catalogue_arguments, site_of
from .project_arguments import KINDS, checked, day

DATA = ("public", "non-public")
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
    project_requests.add_verbs(parts)
    project_folders.add_verbs(parts)


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

    name: Argument = ("name", {"metavar": _("NAME"), "type": checked(Slug), "help": _("name of the project")})
    user: Argument = ("user", {"metavar": _("USER"), "type": checked(HubUser), "help": _("a person's name at the hub")})

    making = command("create", _("make a project; its Slurm account is named after it"), name)
    making.add_argument("--title", metavar=_("TEXT"), type=checked(OneLine), required=True, help=_("what people read"))
    making.add_argument(
        "--owner", metavar=_("USER"), type=checked(HubUser), action="append", required=True,
        help=_("who is responsible for it; may be given again"),
    )  # fmt: skip
    about = _("a template of the site's file, which fills in what these options do not say")
    making.add_argument("--template", metavar=_("TEMPLATE"), type=checked(Slug), help=about)
    making.add_argument("--kind", choices=KINDS, help=_("default: the template's, or research"))
    _describing(making, default="")
    making.add_argument(
        "--data", choices=DATA, default=DATA[0], help=_("non-public: the hub adds nobody (default: %(default)s)")
    )
    about = _("its Slurm account, which no other project has (default: catalogue.account_prefix and the name)")
    making.add_argument("--account", metavar=_("ACCOUNT"), type=checked(AccountName), help=about)
    making.add_argument("--budget", metavar=_("HOURS"), type=checked(GpuHours), help=_("GPU-hours granted in all"))
    about = _("a profile of the site's file, its default first; may be given again (default: all)")
    making.add_argument("--profile", metavar=_("PROFILE"), type=checked(Slug), action="append", default=[], help=about)
    about = _("an image of the site's file, its default first; may be given again (default: all)")
    making.add_argument("--image", metavar=_("IMAGE"), type=checked(Slug), action="append", default=[], help=about)
    making.add_argument("--start", metavar=_("DATE"), type=day, help=_("first day on which sessions start"))
    making.add_argument("--end", metavar=_("DATE"), type=day, help=_("last day on which sessions start"))

    command("list", _("all projects, those of the site's file too"))
    command("show", _("one project: what it is, its people, since when and by whom"), name)
    describing = command("describe", _("change what a project is called, and whose it is"), name)
    describing.add_argument("--title", metavar=_("TEXT"), type=checked(OneLine), help=_("what people read"))
    _describing(describing, default=None)
    describing.add_argument("--data", choices=DATA, help=_("whether it works with data that not everybody may see"))
    describing.add_argument(
        "--assurance", metavar=_("VALUE"), action="append", default=[], type=checked(AssuranceValue),
        help=_("a login's eduperson_assurance must have one of these (again for each)"),
    )  # fmt: skip
    describing.add_argument(
        "--acr", metavar=_("VALUE"), action="append", default=[], type=checked(AcrValue),
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
    inviting = command("invite", _("make an invitation; its link is printed once"), name)
    inviting.add_argument(
        "--role", choices=get_args(Role), default="member",
        help=_("a visitor is in when somebody has confirmed who they are (default: %(default)s)"),
    )  # fmt: skip
    about = _("how many people may accept it (default: %(default)s)")
    inviting.add_argument("--uses", metavar=_("NUMBER"), type=_number(Uses), default=1, help=about)
    about = _("last day on which it can be accepted, as 2027-03-31")
    inviting.add_argument("--until", metavar=_("DATE"), type=day, required=True, help=about)
    about = _("only for people whose mail address is at this domain, as their institution claims it")
    inviting.add_argument("--domain", metavar=_("DOMAIN"), type=checked(MailDomain), default="", help=about)
    command("invitations", _("the open invitations of a project, and who waits to be confirmed"), name)
    invitation = (
        "invitation", {"metavar": _("INVITATION"), "type": checked(InvitationId), "help": _("as the list calls it")},
    )  # fmt: skip
    command("withdraw", _("let nobody in by an invitation any more"), name, invitation)
    command("turn-away", _("do not let somebody in who waits to be confirmed"), name, user)
    hours = ("hours", {"metavar": _("HOURS"), "type": _of_or_none(checked(GpuHours)), "help": _("in all, or none")})
    command("budget", _("set the GPU-hours that a project may use"), name, hours)
    dating = command("dates", _("set the first and the last day on which sessions start"), name)
    about = _("first day, as 2027-03-31, or none (default: as it is)")
    dating.add_argument("--start", metavar=_("DATE"), type=_of_or_none(day), default=..., help=about)
    about = _("last day, as 2027-03-31, or none (default: as it is)")
    dating.add_argument("--end", metavar=_("DATE"), type=_of_or_none(day), default=..., help=about)
    pausing = command("pause", _("start nothing in a project for now"), name)
    pausing.add_argument(
        "--why", metavar=_("TEXT"), type=checked(Why), required=True, help=_("its people read it: one line")
    )
    command("resume", _("let a paused project go on"), name)
    importing = command("import", _("keep projects of the site's file from now on"))
    importing.add_argument(
        "names", metavar=_("NAME"), type=checked(Slug), nargs="*", help=_("only these; default: all of the site's file")
    )


def _describing(parser: argparse.ArgumentParser, default: str | None) -> None:
    for option, about in (
        ("--organisation", _("whose project it is, for the month sheet")),
        ("--sector", _("the sector of that organisation, for the month sheet")),
    ):
        parser.add_argument(option, metavar=_("TEXT"), type=checked(OrNothing), default=default, help=about)


def _number(kind: Any) -> Callable[[str], Any]:
    check: Callable[[Any], Any] = checked(kind)
    return lambda text: check(int(text) if text.isascii() and text.isdigit() else text)


def _of_or_none(check: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text == NONE else check(text)
