"""The larger image of an embedded run, science: built once, beside the run, while sessions start in `base`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from . import processes
from .layout import Layout

NAME = "science"


def begin(layout: Layout, say: Callable[[str], None]) -> subprocess.Popen[bytes] | None:
    """Start to build it, behind all else that wants the processor; None when it is there.

    Whoever ends the run ends it too; the next run begins anew.
    """
    if (layout.images / NAME / "current").exists():
        return None
    say(f"Building the image {NAME} in {layout.images}, in the background (once; a minute or two).")
    build = [sys.executable, "-m", "fabric_hub.cli", "images", "build", NAME, "--images", str(layout.images)]
    return processes.start(
        ["/usr/bin/nice", "-n", "19", *build],
        log=layout.log / f"{NAME}.log",
        environment={**os.environ, processes.MARK: str(layout.root)},
        cwd=layout.root,
    )


def ended(layout: Layout, status: int, say: Callable[[str], None]) -> None:
    """Say how it went."""
    if status == 0:
        say(f"The image {NAME} is built: from now on the start form offers it first.")
        return
    log = layout.log / f"{NAME}.log"
    say(
        f"The image {NAME} could not be built; sessions start in base. The end of {log}:\n{processes.tail(log)}\n"
        f"Try again with: fabric-hub images build {NAME} --images {layout.images}"
    )
