"""A job of a cluster's workers, in dask-jobqueue's words, whose command is :mod:`.worker_task`."""

from __future__ import annotations

import shlex
from typing import Any

import dask
from dask_jobqueue.slurm import SLURMJob

from ..common import overlay
from .pools import Pool
from .queues import ORDER


class TaskJob(SLURMJob):
    """What differs from dask-jobqueue's is the command: it runs all the workers of a task."""

    def __init__(self, scheduler: Any = None, name: Any = None, **kwargs: Any) -> None:
        super().__init__(scheduler, name, **kwargs)  # type: ignore[no-untyped-call]
        python = kwargs.get("python") or dask.config.get("jobqueue.slurm.python", None) or overlay.image_python()
        self._command_template = f"exec {shlex.quote(python)} -P -m fabric_lab.dask.worker_task {ORDER}"


def script(pool: Pool) -> str:
    """The batch script of a pool's workers; sbatch's own options stand above it (:func:`.queues.options`)."""
    return str(TaskJob("tls://scheduler", name="worker", **pool.job).job_script())  # type: ignore[no-untyped-call]
