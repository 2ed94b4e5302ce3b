"""``fabric-hub datasets``: its parts and their arguments; :mod:`.dataset_commands` does what they say.

Each parser's ``work`` default takes the site's settings and the parsed arguments and returns the exit status.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import VersionName
from fabric_hub.types import Slug

Work = Callable[[Settings, argparse.Namespace], int]
COMPRESSIONS = ("zstd", "none")


def add_parser(commands: Any) -> None:
    """Add the commands below ``fabric-hub datasets``."""

    def command(name: str, about: str, *arguments: tuple[str, dict[str, Any]]) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        for argument, settings in arguments:
            parser.add_argument(argument, **settings)
        parser.set_defaults(work=_later(name))
        return parser

    dataset = ("name", {"metavar": "NAME", "type": _slug, "help": "name of the dataset"})
    version = ("version", {"metavar": "VERSION", "type": _version, "help": "name of the version"})
    maybe_name = ("name", {**dataset[1], "nargs": "?", "help": "only this dataset"})
    maybe_version = ("version", {**version[1], "nargs": "?"})
    project = ("--project", {"metavar": "P", "type": _slug, "required": True, "help": "name of the project"})
    as_json = ("--json", {"action": "store_true", "help": "print JSON"})
    file = ("file", {"metavar": "FILE.toml", "type": Path, "help": "the description"})

    command("add", "make a draft from a description, or replace the description of a dataset", file)
    packing = command("pack", "make a version of a directory: an immutable image in the store", dataset, version)
    packing.add_argument("directory", metavar="DIR", type=Path, help="what the version holds")
    packing.add_argument(
        "--compression",
        choices=COMPRESSIONS,
        default="zstd",
        help="none: larger, and faster to read (default: %(default)s)",
    )
    packing.add_argument(
        "--directory", dest="linked", action="store_true", help="make no image: the same as the command link"
    )
    linking = command("link", "make a version of a directory that stays where it is", dataset, version)
    linking.add_argument("directory", metavar="PATH", type=Path, help="a directory that all nodes have at this path")
    command("publish", "offer a version, as the latest (default: the newest)", dataset, maybe_version)
    command("retire", "take a version, or the whole dataset, out of use", dataset, maybe_version)
    command("verify", "read versions again, and compare them with what was packed", maybe_name, maybe_version)
    granting = command("grant", "let a project use a dataset", dataset, project)
    granting.add_argument(
        "--until", metavar="DATE", type=_day, help="last day, as 2027-03-31 (default: no end); replaces an earlier one"
    )
    revoking = command("revoke", "take a project's grant away; running sessions lose it too", dataset, project)
    revoking.add_argument("--strict", action="store_true", help="also end the jobs that have the dataset open")
    command("requests", "what users asked for; `grant` answers a request, or `decline`", as_json)
    command("decline", "close a project's requests for a dataset without a grant", dataset, project)
    command("list", "all datasets, drafts too", as_json)
    command("show", "one dataset: description, versions, grants", dataset, as_json)


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
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None


def _slug(text: str) -> str:
    return _checked(Slug, text, "a name: 1 to 40 small letters, digits and dashes")


def _version(text: str) -> str:
    return _checked(VersionName, text, "a version: 1 to 32 letters, digits, dots, dashes and underscores")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day as 2027-03-31") from None
