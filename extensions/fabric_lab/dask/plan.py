"""From what a notebook asks for to what its cluster shall be."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from dask.utils import parse_bytes
from dask_jobqueue.slurm import SLURMJob

from . import session
from .batcher import Pool
from .daemon import Plan

# Workers that share a job start sooner; a job that is too large waits longer for a place.
MOST_PER_JOB = 8


class PlanError(Exception):
    """What was asked for cannot be had; the message says why, and what can."""


def make_plan(
    name: str,
    *,
    gpus: int,
    profile: str | None,
    hours: float | None,
    idle_timeout: float | None,
    workers_per_job: int | None,
    scheduler_options: dict[str, Any],
    words: dict[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan of a new cluster.

    With ``cores`` and ``memory`` among the words (or in dask's configuration) it is dask-jobqueue's own; else a
    worker is like a profile of the site, and the hub says which there are.

    :raises PlanError: there is no such profile.
    :raises session.HubError: the hub does not say.
    """
    common: dict[str, Any] = {
        "name": name,
        "idle_timeout": idle_timeout,
        "scheduler_options": scheduler_options,
        "server_pid": session.server_pid(),
        "host": environment.get("FABRIC_BIND") or None,
    }
    if "cores" in words or not environment.get("FABRIC_SERVICE_URL"):
        job = SLURMJob("tls://scheduler", name="worker", **words)
        return Plan(
            job_name=words.get("job_name") or name,
            pools=[own_pool(job, words, workers_per_job)],
            job={key: value for key, value in words.items() if key != "processes"},
            **common,
        )
    offer = session.ask("/session/clusters", environment=environment)
    found = choose(offer["profiles"], profile, gpus)
    most = workers_per_job or (1 if found["gpus"] else MOST_PER_JOB)
    account = offer["account"]
    minutes = math.ceil(60 * min(hours or found["default_hours"], found["max_hours"]))
    pool = Pool(
        name=found["name"],
        threads=found["cpus"],
        cpus=found["cpus"],
        memory=found["memory_mb"] << 20,
        most=most,
        gpus=1 if found["gpus"] else 0,
        gpu_type=found["gpu_type"] or "",
        resources={"GPU": 1.0} if found["gpus"] else {},
    )
    job_words = {
        "cores": found["cpus"],
        "memory": f"{found['memory_mb']} MiB",
        "queue": found["partition"],
        "account": account,
        "walltime": str(minutes),
        **words,
    }
    return Plan(job_name=f"{offer['job_name']}-{name}", pools=[pool], job=job_words, **common)


def own_pool(job: SLURMJob, words: Mapping[str, Any], workers_per_job: int | None) -> Pool:
    """The pool of workers that dask-jobqueue's own words describe: ``processes`` of them share a job."""
    processes = job.worker_processes
    memory = parse_bytes(words["job_mem"]) if words.get("job_mem") else job.worker_memory
    return Pool(
        name="workers",
        threads=job.worker_process_threads,
        cpus=(words.get("job_cpu") or job.worker_cores) / processes,
        memory=memory // processes,
        most=workers_per_job or max(processes, 1),
        local_directory=words.get("local_directory"),
        death_timeout=float(words.get("death_timeout") or 60),
    )


def choose(profiles: list[dict[str, Any]], wanted: str | None, gpus: int) -> dict[str, Any]:
    """The profile by name, or the smallest that has a GPU, or has none.

    :raises PlanError: there is none.
    """
    if wanted is not None:
        for profile in profiles:
            if profile["name"] == wanted:
                return profile
        raise PlanError(f"There is no profile {wanted}; there is {', '.join(p['name'] for p in profiles)}.")
    fitting = [profile for profile in profiles if bool(profile["gpus"]) == bool(gpus)]
    if not fitting:
        kind = "with a GPU" if gpus else "without a GPU"
        raise PlanError(f"This project has no profile {kind}; it has {', '.join(p['name'] for p in profiles)}.")
    return min(fitting, key=lambda profile: (profile["gpus"], profile["cpus"]))
