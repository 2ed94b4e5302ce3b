"""``fabric-hub datasets`` and ``audit``: which site is meant; the commands are in :mod:`fabric_hub.datasets`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from fabric_hub.config import settings
from fabric_hub.errors import FabricError

from . import audit
from . import dataset_exchange as export
from . import dataset_parts as cli
from .embedded import embedded, running_site


def add_parser(commands: Any) -> None:
    """Add both commands and their parts."""
    top = commands.add_parser("datasets", help="the catalogue of datasets: describe, pack, publish, grant")
    parts = top.add_subparsers(dest="part", metavar="PART", required=True)
    for module in (cli, export):
        module.add_parser(parts)
    top = commands.add_parser("audit", help="the audit log of who used which dataset: check it, and show it")
    audit_log = top.add_subparsers(dest="part", metavar="PART", required=True)
    audit.add_parser(audit_log)
    for part in (*parts.choices.values(), *audit_log.choices.values()):
        part.add_argument(
            "--site",
            type=Path,
            default=None,
            help=f"the site's file (default: ${settings.ENV}, a running embedded run's, or {settings.DEFAULT_PATH})",
        )
        part.add_argument(
            "--dir",
            type=lambda text: Path(text).expanduser().resolve(),
            default=None,
            help="the embedded run in this directory (default: that of `fabric-hub up`, while it runs)",
        )
        part.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    path = site_of(arguments.site, arguments.dir)
    found = settings.load(path)
    if found.catalogue is None:
        raise FabricError(
            f"The site of {path} offers no datasets.",
            reason="no-datasets",
            hint="Add a section [catalogue] to it: see docs/how-to/publish-a-dataset.md.",
        )
    status: int = arguments.work(found, arguments)
    return status


def site_of(site: Path | None, directory: Path | None) -> Path:
    """The site's file: the named one, that of a named run, the environment's, that of a running run, the machine's."""
    if site or (directory is None and os.environ.get(settings.ENV)):
        return site or settings.path_from_environment()
    if directory and (run := embedded()):
        return run.site_in(directory)
    return running_site(None) or settings.DEFAULT_PATH
