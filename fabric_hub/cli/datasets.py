"""``fabric-hub datasets`` and ``audit``: their parts and arguments, and which site is meant.

Each parser's ``work`` default takes the site's settings and the parsed arguments and returns the exit status.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import DEFAULT_PATH, ENV, Settings, load, path_from_environment
from fabric_hub.datasets.model import Access, Line, VersionName
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.types import Slug

from . import audit
from .embedded import embedded, running_site

Work = Callable[[Settings, argparse.Namespace], int]
COMPRESSIONS = ("zstd", "none")


def add_parser(commands: Any) -> None:
    """Add both commands and their parts."""
    top = commands.add_parser("datasets", help=_("the catalogue of datasets: describe, pack, publish, grant"))
    parts = top.add_subparsers(dest="part", metavar=_("PART"), required=True)
    add_changes(parts)
    add_exchange(parts)
    top = commands.add_parser("audit", help=_("the audit log of who used which dataset: check it, and show it"))
    audit_log = top.add_subparsers(dest="part", metavar=_("PART"), required=True)
    audit.add_parser(audit_log)
    for part in (*parts.choices.values(), *audit_log.choices.values()):
        add_catalogue_arguments(part)
        part.set_defaults(run=_run)


def add_catalogue_arguments(part: argparse.ArgumentParser) -> None:
    """The options by which a command finds the site of a catalogue; see :func:`site_of`."""
    part.add_argument(
        "--site",
        type=Path,
        default=None,
        help=_("the site's file (default: ${variable}, a running embedded run's, or {path})").format(
            variable=ENV, path=DEFAULT_PATH
        ),
    )
    part.add_argument(
        "--dir",
        type=lambda text: Path(text).expanduser().resolve(),
        default=None,
        help=_("the embedded run in this directory (default: that of `fabric-hub up`, while it runs)"),
    )


def _run(arguments: argparse.Namespace) -> int:
    path = site_of(arguments.site, arguments.dir)
    found = load(path)
    if found.catalogue is None:
        raise FabricError(texts.SITE_WITHOUT(path=str(path)))
    status: int = arguments.work(found, arguments)
    return status


def site_of(site: Path | None, directory: Path | None) -> Path:
    """The site's file: the named one, that of a named run, the environment's, that of a running run, the machine's."""
    if site or (directory is None and os.environ.get(ENV)):
        return site or path_from_environment()
    if directory and (run := embedded()):
        return run.site_in(directory)
    return running_site(None) or DEFAULT_PATH


def add_changes(commands: Any) -> None:
    """What describes, packs, publishes and grants; :mod:`.dataset_commands` does what they say."""

    def command(name: str, about: str, *arguments: tuple[str, dict[str, Any]]) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        for argument, settings in arguments:
            parser.add_argument(argument, **settings)
        parser.set_defaults(work=_later(name))
        return parser

    dataset = ("name", {"metavar": _("NAME"), "type": _slug, "help": _("name of the dataset")})
    version = ("version", {"metavar": _("VERSION"), "type": _version, "help": _("name of the version")})
    maybe_name = ("name", {**dataset[1], "nargs": "?", "help": _("only this dataset")})
    maybe_version = ("version", {**version[1], "nargs": "?"})
    project = ("--project", {"metavar": "P", "type": _slug, "required": True, "help": _("name of the project")})
    as_json = ("--json", {"action": "store_true", "help": _("print JSON")})
    file = ("file", {"metavar": _("FILE.toml"), "type": Path, "help": _("the description")})

    command("add", _("make a draft from a description, or replace the description of a dataset"), file)
    packing = command("pack", _("make a version of a directory: an immutable image in the store"), dataset, version)
    packing.add_argument("directory", metavar=_("DIR"), type=Path, help=_("what the version holds"))
    packing.add_argument(
        "--compression",
        choices=COMPRESSIONS,
        default="zstd",
        help=_("none: larger, and faster to read (default: %(default)s)"),
    )
    packing.add_argument(
        "--directory", dest="linked", action="store_true", help=_("make no image: the same as the command link")
    )
    linking = command("link", _("make a version of a directory that stays where it is"), dataset, version)
    about = _("a directory that all nodes have at this path")
    linking.add_argument("directory", metavar=_("PATH"), type=Path, help=about)
    command("publish", _("offer a version, as the latest (default: the newest)"), dataset, maybe_version)
    command("retire", _("take a version, or the whole dataset, out of use"), dataset, maybe_version)
    command("verify", _("read versions again, and compare them with what was packed"), maybe_name, maybe_version)
    granting = command("grant", _("let a project use a dataset"), dataset, project)
    about = _("last day, as 2027-03-31 (default: no end); replaces an earlier one")
    granting.add_argument("--until", metavar=_("DATE"), type=_day, help=about)
    revoking = command("revoke", _("take a project's grant away; running sessions lose it too"), dataset, project)
    revoking.add_argument("--strict", action="store_true", help=_("also end the jobs that have the dataset open"))
    command("requests", _("what users asked for; `grant` answers a request, or `decline`"), as_json)
    about = _("close a project's requests for a dataset without a grant")
    declining = command("decline", about, dataset, project)
    declining.add_argument("--why", metavar=_("TEXT"), type=_line, help=_("one line that who asked reads"))
    command("held", _("grants that a restore shut; `confirm` opens one again"), as_json)
    confirming = command("confirm", _("open a grant again that a restore shut"), dataset, project)
    about = _("drop it instead: it was revoked, or is not wanted")
    confirming.add_argument("--drop", action="store_true", help=about)
    command("list", _("all datasets, drafts too"), as_json)
    command("show", _("one dataset: description, versions, grants"), dataset, as_json)


def _later(name: str) -> Work:
    # the database's libraries take longer to import than any other command needs
    def work(settings: Settings, arguments: argparse.Namespace) -> int:
        operations = importlib.import_module("fabric_hub.cli.dataset_commands")
        status: int = operations.WORK[name](settings, arguments)
        return status

    return work


def _checked(kind: Any, text: str, what: str) -> str:
    try:
        return str(TypeAdapter(kind).validate_python(text))
    except ValidationError:
        raise argparse.ArgumentTypeError(what.format(text=repr(text))) from None


def _slug(text: str) -> str:
    return _checked(Slug, text, _("{text} is not a name: 1 to 40 small letters, digits and dashes"))


def _version(text: str) -> str:
    return _checked(
        VersionName, text, _("{text} is not a version: 1 to 32 letters, digits, dots, dashes and underscores")
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a day as 2027-03-31").format(text=repr(text))) from None


def _line(text: str) -> str:
    try:
        return str(TypeAdapter(Line).validate_python(text))
    except ValidationError:
        raise argparse.ArgumentTypeError(
            _("{text} is not one line of 1 to 300 characters").format(text=repr(text))
        ) from None


def add_exchange(commands: Any) -> None:
    """What writes the catalogue in the words of DCAT-AP-NL and Croissant, and reads it back."""
    one = commands.add_parser("export", help=_("write the catalogue as DCAT-AP-NL 3.0, or a dataset as Croissant 1.1"))
    one.add_argument("name", metavar=_("NAME"), nargs="?", help=_("only this dataset; default: the whole catalogue"))
    one.add_argument("--croissant", action="store_true", help=_("Croissant 1.1 instead of DCAT; needs NAME"))
    one.add_argument("--version", metavar=_("VERSION"), help=_("of a Croissant export; default: the latest"))
    one.add_argument(
        "--format", choices=("turtle", "json-ld"), help=_("default: by the ending of FILE (.ttl, .jsonld), else turtle")
    )
    one.add_argument("--output", metavar=_("FILE"), type=Path, help=_("write to a file; default: standard output"))
    one.add_argument(
        "--only",
        metavar=_("ACCESS"),
        action="append",
        type=Access,
        choices=tuple(Access),
        help=_("only datasets that are public, restricted or non-public; may be given again"),
    )
    one.add_argument(
        "--check",
        action="store_true",
        help=_("check against the SHACL shapes in catalogue.shapes; a violation is status 1"),
    )
    one.set_defaults(work=_export)
    two = commands.add_parser("import", help=_("make drafts of the datasets that a DCAT document describes"))
    two.add_argument("file", metavar=_("FILE"), type=Path, help=_("Turtle (.ttl) or JSON-LD (.jsonld, .json)"))
    two.add_argument("--replace", action="store_true", help=_("describe entries that exist already anew"))
    two.set_defaults(work=_import)


def _export(settings: Settings, arguments: argparse.Namespace) -> int:
    from fabric_hub.catalogue.exchange import documents  # with rdflib, which takes a moment that no other command needs

    return documents.export(settings, arguments)


def _import(settings: Settings, arguments: argparse.Namespace) -> int:
    from fabric_hub.catalogue.exchange import documents

    return documents.import_(settings, arguments)
