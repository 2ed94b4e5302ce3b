"""``fabric-hub projects requests list | show | approve | decline``: who asks for projects, and an operator's answer."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from fabric_hub.config.settings import Settings, load
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.formats import number
from fabric_hub.messages.texts import project_changes
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.changes import GpuHours, Why
from fabric_hub.projects.requests import Request, RequestNumber, Title, proposal, template_for
from fabric_hub.types import AccountName, Slug

from .dataset_listing import labelled, table
from .datasets import add_catalogue_arguments, site_of
from .project_arguments import KINDS, checked, day
from .project_templates import template_of


def add_verbs(verbs: Any) -> None:
    """Add ``requests`` and its parts to the verbs of ``fabric-hub projects``."""
    top = verbs.add_parser("requests", help=_("who asks for projects, or for more of one, and the answers"))
    parts = top.add_subparsers(dest="request_part", metavar=_("PART"), required=True)
    listing = parts.add_parser("list", help=_("the open requests"))
    listing.add_argument("--all", action="store_true", help=_("also those that are answered or withdrawn"))
    number_of = {"metavar": _("NUMBER"), "type": _number, "help": _("of the request")}
    parts.add_parser("show", help=_("one request")).add_argument("number", **number_of)
    approving = parts.add_parser("approve", help=_("give what is asked for, or what a template and these options say"))
    approving.add_argument("number", **number_of)
    about = _("fill in what it says (default: the smallest template that is enough)")
    approving.add_argument("--template", metavar=_("TEMPLATE"), type=checked(Slug), help=about)
    about = _("the project's name (default: made of its title)")
    approving.add_argument("--name", metavar=_("NAME"), type=checked(Slug), help=about)
    approving.add_argument("--title", metavar=_("TEXT"), type=checked(Title), help=_("what people read"))
    approving.add_argument("--kind", choices=KINDS, help=_("what sort of project it is"))
    about = _("its Slurm account (default: catalogue.account_prefix and the name)")
    approving.add_argument("--account", metavar=_("ACCOUNT"), type=checked(AccountName), help=about)
    approving.add_argument("--budget", metavar=_("HOURS"), type=checked(GpuHours), help=_("GPU-hours granted in all"))
    approving.add_argument("--end", metavar=_("DATE"), type=day, help=_("last day on which sessions start"))
    about = _("a profile of the site's file, its default first; may be given again")
    approving.add_argument("--profile", metavar=_("PROFILE"), type=checked(Slug), action="append", help=about)
    about = _("an image of the site's file, its default first; may be given again")
    approving.add_argument("--image", metavar=_("IMAGE"), type=checked(Slug), action="append", help=about)
    declining = parts.add_parser("decline", help=_("give nothing, and say why"))
    declining.add_argument("number", **number_of)
    declining.add_argument(
        "--why", metavar=_("TEXT"), type=checked(Why), required=True, help=_("who asked reads it: one line")
    )
    for part in parts.choices.values():
        part.add_argument("--json", action="store_true", help=_("print JSON"))
        add_catalogue_arguments(part)
        part.set_defaults(run=_run)


def _number(text: str) -> Any:
    return checked(RequestNumber)(text)


_number.__name__ = "number"  # what argparse calls it where it is none


def _run(arguments: argparse.Namespace) -> int:
    path = site_of(arguments.site, arguments.dir)
    settings = load(path)
    if settings.catalogue is None:
        raise FabricError(project_changes.SITE_WITHOUT(path=str(path)))
    # the database's libraries take longer to import than any other command needs
    admin = importlib.import_module("fabric_hub.catalogue.requests.admin")
    with admin.opened(settings) as at:
        return _WORK[arguments.request_part](at, settings, arguments)


def _list(at: Any, _settings: Settings, arguments: argparse.Namespace) -> int:
    found: tuple[Request, ...] = at.store.all(only_open=not arguments.all)
    if arguments.json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    elif not found:
        print(_("There are no requests.") if arguments.all else _("There are no open requests."))
    else:
        head = (_("number"), _("state"), _("by"), _("GPU-hours"), _("until"), _("project"), _("title"))
        rows = [
            (str(one.number), one.state, one.user, _hours(one), str(one.until or "-"), one.project or "-", one.title)
            for one in found
        ]
        print("\n".join(escaped(line) for line in table([head, *rows])))
    return 0


def _show(at: Any, _settings: Settings, arguments: argparse.Namespace) -> int:
    _print(at.store.one(arguments.number), as_json=arguments.json)
    return 0


def _approve(at: Any, settings: Settings, arguments: argparse.Namespace) -> int:
    request: Request = at.store.one(arguments.number)
    templates = settings.catalogue.templates if settings.catalogue else {}
    chosen = arguments.template or template_for(request, templates)
    template = template_of(settings, chosen) if chosen else None
    today = date.today()  # noqa: DTZ011 - a project's days are days of this site
    told: dict[str, Any] = {
        "name": arguments.name,
        "title": arguments.title,
        "kind": arguments.kind,
        "account": arguments.account,
        "gpu_hours": arguments.budget,
        "end": arguments.end,
        "profiles": tuple(arguments.profile) if arguments.profile else None,
        "images": tuple(arguments.image) if arguments.image else None,
    }
    filled = proposal(request, template, at.projects.over(settings).project.keys(), today)
    given = filled.model_copy(update={name: value for name, value in told.items() if value is not None})
    project = at.approve(arguments.number, given)
    if arguments.json:
        _print(at.store.one(arguments.number), as_json=True)
    else:
        said = _("Approved: request {number}, project {project}.")
        print(said.format(number=arguments.number, project=project))
    return 0


def _decline(at: Any, _settings: Settings, arguments: argparse.Namespace) -> int:
    at.decline(arguments.number, arguments.why)
    if arguments.json:
        _print(at.store.one(arguments.number), as_json=True)
    else:
        print(_("Declined: request {number}.").format(number=arguments.number))
    return 0


def _print(request: Request, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(request.model_dump(mode="json"), indent=2))
        return
    lines = [
        (_("number"), f"{request.number} ({request.state})"),
        (_("title"), request.title),
        (_("by"), f"{request.user}, {datetime.fromtimestamp(request.at).astimezone():%Y-%m-%d %H:%M}"),
        (_("purpose"), request.purpose),
        (_("organisation"), request.organisation),
        (_("sector"), request.sector),
        (_("data"), request.data),
        (_("GPU-hours"), _hours(request)),
        (_("until"), str(request.until or "")),
        (_("project"), request.project or ""),
        (_("answered by"), request.answered_by or ""),
        (_("reason"), request.why or ""),
    ]
    print("\n".join(escaped(labelled(label, text)) for label, text in lines if text))  # with words of who asked


def _hours(request: Request) -> str:
    return "-" if request.gpu_hours is None else number(request.gpu_hours)


_WORK: dict[str, Callable[[Any, Settings, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "approve": _approve,
    "decline": _decline,
}
