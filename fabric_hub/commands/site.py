"""``fabric-hub doctor | check-config``: what is wrong with this machine or this site's file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import settings


def add_parser(commands: Any) -> None:
    """Add the two commands."""
    check = commands.add_parser("check-config", help="read the site's file and report every mistake")
    check.set_defaults(run=_check_config)
    for command in (check,):
        command.add_argument("--site", type=Path, default=None, help=f"the site's file (default: ${settings.ENV})")


def _check_config(arguments: argparse.Namespace) -> int:
    path = arguments.site or settings.path_from_environment()
    found = settings.load(path)
    print(
        f"{path} is right: {len(found.profile)} profiles, {len(found.project)} projects, {len(found.image)} images,"
        f" {'Slurm' if found.slurm else 'no Slurm'}."
    )
    return 0
