"""The command line, ``fabric-hub``. Exit status: 0 done, 1 refused or failed (with the reason), 2 wrong usage.

It speaks the language of the terminal (``LANG`` and the others, as GNU gettext reads them); what programs read
(``--json``, ``--csv``) is the same in every language.
"""

from __future__ import annotations

import argparse
import gettext as gnu
import importlib
import os
import sys
from collections.abc import Sequence

from fabric_hub import __version__
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import LOCALE_DIR, SOURCE, current, reader_of_terminal, reading
from fabric_hub.messages.translation import DOMAIN
from fabric_hub.messages.translation import gettext as _

from .embedded import Described, embedded

# Modules with add_parser(subparsers), after those of the embedded run; each parser's `run` default takes the parsed
# arguments and returns the exit status.
PARTS = (
    "fabric_hub.cli.site",
    "fabric_hub.cli.images",
    "fabric_hub.cli.datasets",
    "fabric_hub.cli.leased_accounts",
    "fabric_hub.cli.people",
    "fabric_hub.cli.projects",
    "fabric_hub.cli.usage",
    "fabric_hub.cli.month",
    "fabric_hub.cli.sessions",
    "fabric_hub.cli.backup",
    "fabric_hub.cli.privacy",
    "fabric_hub.cli.certs",
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="fabric-hub", description=_("JupyterHub for a shared GPU supercomputer."))
    top.add_argument(
        "--version",
        action="version",
        version=f"fabric-hub {__version__}",
        help=_("show program's version number and exit"),
    )
    commands = top.add_subparsers(dest="command", metavar=_("COMMAND"), required=True)
    if run := embedded():
        run.add_parser(Described(commands))
    for part in PARTS:
        importlib.import_module(part).add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. A FabricError is told in its own words, without a traceback."""
    with reading(reader_of_terminal(os.environ)):
        _let_argparse_speak()
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except FabricError as error:
        # it may quote a file or a name that somebody else made up: nothing in it may steer the terminal
        plain = "".join(
            letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in error.say()
        )
        print(f"fabric-hub: {plain}", file=sys.stderr)
    except KeyboardInterrupt:
        print("fabric-hub:", _("interrupted"), file=sys.stderr)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
    return 1


def _let_argparse_speak() -> None:
    """Let argparse's own words (``usage:``, ``the following arguments are required``) come from our catalogue.

    It asks gettext's domain of this process, which reads the environment as we do, but knows of no English.
    """
    gnu.bindtextdomain(DOMAIN, str(LOCALE_DIR))
    gnu.textdomain("messages" if current().language == SOURCE else DOMAIN)
