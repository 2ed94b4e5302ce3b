"""systemd units of an earlier release that this machine still has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

UNITS = Path("/etc/systemd/system")
# An earlier unit: the one of this release. Both do the same, and only one may run.
RENAMED = {"fabric-keeper.service": "fabric-catalogue.service"}


def earlier_units(directory: Path = UNITS) -> Iterator[str]:
    """What to say of units that have another name now.

    :param directory: where this machine's own units are.
    """
    for old, new in RENAMED.items():
        if (directory / old).exists():
            yield (
                f"{directory / old} is called {new} now, and the next release does not start it: systemctl disable"
                f" --now {old}, install packaging/systemd/{new} with this site's account and places, systemctl"
                f" enable --now {new}"
            )
