"""The command line, ``fabric-hub``. Exit status: 0 done, 1 refused or failed (with the reason), 2 wrong usage."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from fabric_hub import __version__
from fabric_hub.errors import FabricError

from .embedded import embedded

# Modules with add_parser(subparsers), after those of the embedded run; each parser's `run` default takes the parsed
# arguments and returns the exit status.
PARTS = (
    "fabric_hub.cli.site",
    "fabric_hub.cli.images",
    "fabric_hub.cli.datasets",
    "fabric_hub.cli.usage",
    "fabric_hub.cli.sessions",
    "fabric_hub.cli.backup",
    "fabric_hub.cli.certs",
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="fabric-hub", description="JupyterHub for a shared GPU supercomputer.")
    top.add_argument("--version", action="version", version=f"fabric-hub {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    if run := embedded():
        run.add_parser(commands)
    for part in PARTS:
        importlib.import_module(part).add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. A FabricError is told in its own words, without a traceback."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except FabricError as error:
        # it may quote a file or a name that somebody else made up: nothing in it may steer the terminal
        plain = "".join(
            letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in error.text
        )
        print(f"fabric-hub: {plain}", file=sys.stderr)
    except KeyboardInterrupt:
        print("fabric-hub: interrupted", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
    return 1
