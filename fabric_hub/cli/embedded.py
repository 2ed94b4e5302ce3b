"""The embedded run, where its package is there: a hub that was installed from its wheel has none."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Protocol, cast

from fabric_hub.messages.translation import N_, gettext

_PACKAGE, _ENTRY = "fabric_dev", "fabric_dev.cli"
# What its commands are for: it has no catalogues of its own, and its own lines are in English.
ABOUT = (
    N_("start a cluster and a hub of your own on this machine"),
    N_("stop the embedded run"),
    N_("what runs, where, and the demo logins"),
    N_("print a JupyterHub API token of a demo user"),
)


class EmbeddedRun(Protocol):
    """What the command line asks of ``fabric_dev.cli``."""

    def add_parser(self, commands: Any) -> None:
        """Add the commands ``up``, ``down``, ``status`` and ``token``."""

    def default_directory(self) -> Path:
        """The directory of a run that names none."""

    def site_in(self, directory: Path) -> Path:
        """The site's file of the run in a directory, whether it runs or not."""

    def runs(self, directory: Path) -> bool:
        """Whether the run in a directory is up."""


def embedded() -> EmbeddedRun | None:
    """What starts and knows embedded runs; None where only a site's hub is installed."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return None
    return cast("EmbeddedRun", importlib.import_module(_ENTRY))


class Described:
    """Takes parsers for argparse's subparsers, and says what each is for in the reader's language."""

    def __init__(self, commands: Any) -> None:
        self._commands = commands

    def add_parser(self, name: str, *, help: str, **more: Any) -> Any:  # noqa: A002 - argparse calls it so
        """As argparse's own."""
        return self._commands.add_parser(name, help=gettext(help), **more)


def running_site(directory: Path | None) -> Path | None:
    """The site's file of the embedded run in a directory, while it runs.

    :param directory: None: where a run is that names none.
    """
    run = embedded()
    if run is None:
        return None
    where = directory or run.default_directory()
    return run.site_in(where) if run.runs(where) else None
