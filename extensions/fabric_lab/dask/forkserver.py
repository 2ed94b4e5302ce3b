"""The process that a task's workers are forked from: a copy of the task's own, once that has imported what they need.

It is multiprocessing's forkserver. By itself multiprocessing starts that in a fresh interpreter, which would import
distributed once more: half a second of CPU and 60 MB for each job. A copy of this process does the same work, with the
same care: only the descriptors that a fresh one would be given stay open.
"""

from __future__ import annotations

import importlib
import os
import signal
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker, util
from typing import Any

# What a worker would import after it was forked, each for itself.
IMPORTED = ("distributed", "distributed.http.worker.prometheus.core", "prometheus_client", "fabric_lab.dask.tls_nodes")


def start() -> None:
    """Import what workers need, and start their parent. No thread of Python's must run yet.

    The SIGTERM that ends the job does not end it: Slurm sends that to every process of the job; the workers' own word
    for it is in :mod:`.tls_nodes`. A nanny whose worker's parent is gone takes the worker for dead.
    """
    for name in IMPORTED:
        importlib.import_module(name)
    resource_tracker.ensure_running()  # a fresh interpreter as ever
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # kept by the copy
    fresh, util.spawnv_passfds = util.spawnv_passfds, _copy
    try:
        forkserver.set_forkserver_preload([])
        forkserver.ensure_running()
    finally:
        util.spawnv_passfds = fresh
        signal.signal(signal.SIGTERM, before)


def _copy(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """:func:`multiprocessing.util.spawnv_passfds`, with what ``python -c`` is given run in a copy of this process.

    Returns the copy's process id.
    """
    copy = os.fork()
    if copy:
        return copy
    code = 1
    try:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        known: Any = resource_tracker._resource_tracker  # its parts are its own
        known._fd = known._pid = None  # whoever is forked is given it anew
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2 and descriptor not in passfds:
                with suppress(OSError):  # the one that the list was read with is closed
                    os.close(descriptor)
        exec(args[-1], {"__name__": __name__})
        code = 0
    except SystemExit:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
