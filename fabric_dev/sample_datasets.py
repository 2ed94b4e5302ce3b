"""The demo datasets of an embedded run: made on its first start, by the catalogue service's account."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

from . import instance, processes
from .cluster import our_environment
from .layout import Layout
from .processes import Account
from .runtime import Runtime

_NAME = "samples"
# Making and packing all of it takes a second or two of CPU; a machine this busy has other worries.
_WITHIN_S = 120.0


def begin(
    layout: Layout, runtime: Runtime, catalogue_service: Account | None, say: Callable[[str], None]
) -> subprocess.Popen[bytes]:
    """Start making it. It ends by itself; who ends the run ends it too.

    :param catalogue_service: the account of the catalogue service; None is ours, and then the datasets are plain
        directories.
    """
    say("Making the demo datasets ...")
    packed = ["--packed"] if catalogue_service else []
    return processes.start(
        [str(runtime.python), "-m", "fabric_dev.samples", "--site", str(layout.site), *packed],
        log=layout.log / f"{_NAME}.log",
        environment=our_environment(layout, runtime),
        cwd=layout.root,
        account=catalogue_service,
    )


def finish(layout: Layout, making: subprocess.Popen[bytes] | None, say: Callable[[str], None]) -> None:
    """Wait for it, and remember that it is there. Where it could not be made that is said, and the run goes on without.

    :param making: what :func:`begin` returned; None when there was nothing to make.
    """
    if making is None:
        return
    try:
        status = making.wait(_WITHIN_S)
        why = f"status {status}: {processes.tail(layout.log / f'{_NAME}.log', 1)}" if status else ""
    except subprocess.TimeoutExpired:
        os.killpg(making.pid, signal.SIGKILL)
        making.wait()
        why = f"not done within {_WITHIN_S:g} s"
    if why:
        say(f"  the demo datasets could not be made: {why}")
        return
    say("  the demo datasets are ready")
    if known := instance.read(layout):
        instance.write_private(layout.instance, known.model_copy(update={"samples": True}).model_dump_json(indent=2))
