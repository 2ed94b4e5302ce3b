"""``python -m fabric_dev.samples --site FILE [--packed]``: put the samples into a site's catalogue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fabric_hub.config import settings
from fabric_hub.errors import FabricError

from .install import install


def main() -> int:
    """Install the samples; each step is a line of output. Status 1: refused, in words."""
    parser = argparse.ArgumentParser(prog="python -m fabric_dev.samples", description=__doc__)
    parser.add_argument("--site", type=Path, required=True, help="the site's file")
    parser.add_argument("--packed", action="store_true", help="as images, for nodes that mount them")
    arguments = parser.parse_args()
    try:
        install(settings.load(arguments.site), lambda line: print(line, flush=True), packed=arguments.packed)
    except FabricError as error:
        print(f"fabric-hub: {error.text}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
