"""The demo datasets of an embedded run: made on its first start, while the cluster starts, by the keeper's account."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping

from . import processes
from .layout import Layout
from .processes import Account
from .runtime import Runtime

_NAME = "gallery"
# Making and packing all of it takes a second or two of CPU; a machine this busy has other worries.
_WITHIN_S = 120.0


def begin(
    layout: Layout, runtime: Runtime, environment: Mapping[str, str], keeper: Account | None
) -> subprocess.Popen[bytes]:
    """Start making it. It ends by itself; who ends the run ends it too.

    :param keeper: the account of the keeper; None is ours, and then the datasets are plain directories.
    """
    packed = ["--packed"] if keeper else []
    return processes.start(
        [str(runtime.python), "-m", "fabric_hub.datasets.demo", "--site", str(layout.site), *packed],
        log=layout.log / f"{_NAME}.log",
        environment=environment,
        cwd=layout.root,
        account=keeper,
    )


def finish(layout: Layout, making: subprocess.Popen[bytes], say: Callable[[str], None]) -> bool:
    """Wait for it. False: it could not be made, which is said; the run goes on, and the next start tries again."""
    try:
        if making.wait(_WITHIN_S) == 0:
            say("  the demo datasets are ready")
            return True
        why = processes.tail(layout.log / f"{_NAME}.log", 1)
    except subprocess.TimeoutExpired:
        os.killpg(making.pid, signal.SIGKILL)
        making.wait()
        why = f"not done within {_WITHIN_S:g} s"
    say(f"  the demo datasets could not be made: {why}")
    return False
