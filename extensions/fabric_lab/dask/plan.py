"""From what a notebook asks for to what its cluster shall be.

Where there is no Slurm, workers are processes of this machine, in the words of :class:`distributed.LocalCluster`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from ..client import HubClient
from ..common import node
from ..common.environment import of_job
from ..common.formats import number
from ..common.translation import N_, _, ngettext
from ..schema import ClusterOffer, WorkerProfile
from . import notebook_context, rendezvous
from .jobqueue_options import OWN, keep_closed, own_pool, scheduler_words, worker_words
from .pools import MOST_PER_JOB, PlanError, Pool

log = logging.getLogger("fabric_lab.dask")
# LocalCluster's words for a worker, and dask-jobqueue's: those that say nothing of Slurm.
LOCAL = ("threads_per_worker", "memory_limit", "processes")
JOBQUEUE = ("cores", "memory", "processes", "local_directory", "death_timeout")
NOT_LOCAL = N_(
    "{word} cannot be had: there is no Slurm here, and workers are processes of this machine. Say it with {others}."
)


@dataclass(frozen=True)
class Plan:
    """What a cluster shall be; its first pool is the one that ``scale`` means.

    ``local``: its workers are processes of this machine. ``server_pid``: the cluster ends with that process.
    ``session_job``: the session's own job, which has ``datasets`` open. ``first``: workers to start with.
    ``kernel_pid``: nobody has named the cluster, and it ends with that process, too. ``paths``: directories of modules.
    ``config``: what the notebook has set in dask's configuration.
    """

    name: str
    job_name: str
    pools: list[Pool]
    local: bool = False
    server_pid: int | None = None
    host: str | None = None
    idle_timeout: float | None = None
    scheduler_options: dict[str, Any] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    session_job: str = ""
    first: int = 0
    kernel_pid: int | None = None
    paths: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Plan:
        known = json.loads(text)
        return cls(pools=[Pool.of(pool) for pool in known.pop("pools")], **known)


def make_plan(
    name: str,
    *,
    n_workers: int | None,
    gpus: int,
    profile: str | None,
    hours: float | None,
    idle_timeout: float | None,
    workers_per_job: int | None,
    scheduler_options: dict[str, Any],
    words: dict[str, Any],
    kernel_pid: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan of a new cluster.

    With ``cores`` among the words it is dask-jobqueue's own; else a worker is like a profile of the site, and the hub
    says which there are. Where there is no Slurm, workers are processes of this machine (:func:`local_pool`).

    :param kernel_pid: end the cluster with this process.
    :param n_workers: None: none on Slurm, where each one costs something, else as many as LocalCluster has.
    :raises PlanError: there is no such profile, or something cannot be had.
    :raises HubError: the hub does not say.
    """
    common: dict[str, Any] = {
        "name": name,
        "idle_timeout": idle_timeout,
        "scheduler_options": scheduler_options,
        "server_pid": rendezvous.server_pid(),
        "kernel_pid": kernel_pid,
        "paths": notebook_context.own_directories(),
        "host": environment.get("FABRIC_BIND") or None,
        "datasets": open_datasets(environment),
        "session_job": of_job(environment, "SLURM_JOB_ID"),
    }
    try:
        words = {**notebook_context.own_words(notebook_context.jobqueue_section(words.get("config_name"))), **words}
        common["config"] = notebook_context.own_settings()
    except notebook_context.SettingError as error:
        raise PlanError(str(error)) from None

    in_session = bool(environment.get("FABRIC_SERVICE_URL"))
    offer = cast("ClusterOffer", HubClient(environment).ask("/clusters").unwrap() if in_session else {})
    no_slurm = offer["age_s"] is None and not offer["profiles"] if in_session else not _has_sbatch(environment)
    if no_slurm:
        keep_closed(scheduler_options)
        here, first = local_pool(
            n_workers, words, profile=profile, gpus=gpus, hours=hours, workers_per_job=workers_per_job
        )
        return Plan(job_name=name, pools=[here], local=True, first=first, **common)
    common["first"] = gpus or n_workers or 0
    for word in ("threads_per_worker", "memory_limit"):
        if word in words:
            said = _("{word} is for a hub without Slurm. Here a worker is like a profile, or say {others}.")
            raise PlanError(said.format(word=f"{word}=", others="cores=, memory="))
    if hours is not None and ("cores" in words or not in_session):
        raise PlanError(_("hours= is for workers like a profile. With cores= say how long as walltime='02:00:00'."))
    common["scheduler_options"], words = scheduler_words(words, scheduler_options)
    if not in_session:
        return Plan(job_name=words.get("job_name") or name, pools=[own_pool(words, workers_per_job)], **common)
    if "cores" in words:
        # named as the hub knows the session's clusters: they end with it, and their jobs are in its snapshot
        own = {"account": offer["account"], **words}
        return Plan(job_name=f"{offer['job_name']}-{name}", pools=[own_pool(own, workers_per_job)], **common)
    for word in OWN:
        if word in words:
            said = _("{word} goes with cores=. Without it a worker is like a profile.")
            raise PlanError(said.format(word=f"{word}="))
    pool = profile_pool(
        offer,
        profile,
        gpus=gpus,
        pool_name=None,
        hours=hours,
        workers_per_job=workers_per_job,
        said=worker_words(words),
    )
    return Plan(job_name=f"{offer['job_name']}-{name}", pools=[pool], **common)


def _has_sbatch(environment: Mapping[str, str]) -> bool:
    return shutil.which("sbatch", path=environment.get("PATH")) is not None


def open_datasets(environment: Mapping[str, str]) -> list[str]:
    """The session's datasets: those of its start, and those that were added since."""
    names = node.chosen(environment)
    if environment.get(node.SOCKET):
        with suppress(node.NodeError):  # the workers' own nodes may answer
            names += [one.dataset for one in node.ask(environment, "list", ()).opened]
    return [*dict.fromkeys(names)]


def profile_pool(
    offer: ClusterOffer,
    profile: str | None,
    *,
    gpus: int,
    pool_name: str | None,
    hours: float | None,
    workers_per_job: int | None,
    said: Mapping[str, Any],
) -> Pool:
    """Workers like a profile of the site.

    :param offer: the hub's ``GET /session/clusters``.
    :param said: what else is said of them, as :func:`.jobqueue_options.worker_words` gives it.
    :raises PlanError: there is no such profile, or it lasts no so long.
    """
    found = choose(offer["profiles"], profile, gpus)
    if hours is not None and not 0 < hours <= found["max_hours"]:
        most = found["max_hours"]
        limit = ngettext(
            "Workers of profile {profile} may run for at most {n} hour, not {hours}.",
            "Workers of profile {profile} may run for at most {n} hours, not {hours}.",
            1 if most == 1 else 2,
        )
        raise PlanError(limit.format(profile=found["name"], n=number(most), hours=number(hours)))
    minutes = math.ceil(60 * (hours or found["default_hours"]))
    job = {
        "cores": found["cpus"],
        "memory": f"{found['memory_mb']} MiB",
        "queue": found["partition"],
        "account": offer["account"],
        "walltime": str(minutes),
    }
    own_gpu = {"GPU": 1.0} if found["gpus"] else {}
    return Pool(
        name=pool_name or found["name"],
        profile=found["name"],
        threads=found["cpus"],
        cpus=found["cpus"],
        memory=found["memory_mb"] << 20,
        most=workers_per_job or found["per_job"],
        gpus=1 if found["gpus"] else 0,
        gpu_type=found["gpu_type"] or "",
        options=(f"--qos={found['qos']}",) if found["qos"] else (),
        **{**said, "resources": {**said.get("resources", {}), **own_gpu}, "job": {**job, **said.get("job", {})}},
    )


def choose(profiles: list[WorkerProfile], wanted: str | None, gpus: int) -> WorkerProfile:
    """The profile by name, or the first in the site's own order that has a GPU, or has none.

    :raises PlanError: there is none.
    """
    there = ", ".join(profile["name"] for profile in profiles)
    if wanted is not None:
        for profile in profiles:
            if profile["name"] == wanted:
                return profile
        said = (
            _("There is no profile {name}; there is {others}.")
            if there
            else _("There is no profile {name}; there is none.")
        )
        raise PlanError(said.format(name=wanted, others=there))
    fitting = [profile for profile in profiles if bool(profile["gpus"]) == bool(gpus)]
    if not fitting:
        if there:
            said = (
                _("This project has no profile with a GPU; it has {others}.")
                if gpus
                else _("This project has no profile without a GPU; it has {others}.")
            )
        else:
            said = _("This project has no profiles.")
        raise PlanError(said.format(others=there))
    return fitting[0]


def local_pool(
    n_workers: int | None,
    words: Mapping[str, Any],
    *,
    profile: str | None,
    gpus: int,
    hours: float | None,
    workers_per_job: int | None,
) -> tuple[Pool, int]:
    """What each worker is like, and how many there are first: as LocalCluster has it where nothing is said.

    :param words: LocalCluster's, or with ``cores`` among them dask-jobqueue's.
    :raises PlanError: something was asked for that is not to be had here.
    """
    from dask.system import CPU_COUNT

    if profile or gpus:
        refusal = (
            _("There is no profile {profile}: this hub runs without Slurm, and workers are processes of its machine.")
            if profile
            else _(
                "There is no GPU for a worker: this hub runs without Slurm, and workers are processes of its machine."
            )
        )
        raise PlanError(refusal.format(profile=profile))
    if hours is not None:
        raise PlanError(
            _(
                "hours= cannot be had: there is no Slurm here, and workers are processes of this machine, "
                'whose time nobody limits. Leave it out; idle_timeout="2 hours" ends a cluster that is not used.'
            )
        )
    known = JOBQUEUE if "cores" in words else LOCAL
    for name, value in words.items():
        if name not in known:
            these = ", ".join(f"{one}=" for one in ("n_workers", *known))
            raise PlanError(_(NOT_LOCAL).format(word=f"{name}=", others=these))
        if name == "processes" and value is False:
            raise PlanError(
                _(
                    "processes=False cannot be had: there is no Slurm here, and workers are processes of this machine, "
                    "for a cluster outlives its kernel."
                )
            )
    if "cores" in words:
        own = own_pool(words, workers_per_job)
        return own, n_workers if n_workers is not None else max(1, CPU_COUNT // own.threads)
    count, threads = spread(n_workers, words.get("threads_per_worker"))
    memory = memory_of("memory_limit" in words, words.get("memory_limit"), count)
    job = {"cores": threads, "memory": f"{memory or 1 << 30} B"}  # of a batch script that nobody submits
    most = workers_per_job or MOST_PER_JOB
    return Pool(name="local", threads=threads, cpus=threads, memory=memory, most=most, job=job), count


def spread(n_workers: int | None, threads: Any) -> tuple[int, int]:
    """Workers, and threads of each, over the CPUs that this machine lets us use.

    :raises PlanError: that is no number of threads.
    """
    from dask.system import CPU_COUNT
    from distributed.deploy.utils import nprocesses_nthreads

    if threads is not None and (not isinstance(threads, int) or threads < 1):
        said = _("{word} is no number of threads: say 1 or more.")
        raise PlanError(said.format(word=f"threads_per_worker={threads!r}"))
    if threads is not None:
        return n_workers if n_workers is not None else max(1, CPU_COUNT // threads), threads
    if n_workers:
        return n_workers, max(1, math.ceil(CPU_COUNT / n_workers))
    processes, each = nprocesses_nthreads()
    return processes if n_workers is None else 0, each


def memory_of(said: bool, limit: Any, workers: int) -> int:
    """Bytes for each worker, 0 without a limit: what was said of it, else an even part of what there is.

    :raises PlanError: that is no amount of memory.
    """
    from distributed.deploy.utils import nprocesses_nthreads
    from distributed.worker_memory import parse_memory_limit

    try:
        part = workers or nprocesses_nthreads()[0]
        return parse_memory_limit(limit if said else "auto", 1, part, logger=log) or 0
    except (ValueError, TypeError, AssertionError):
        refusal = _("{word} is no amount of memory: say '2 GB', bytes, or a part like 0.5.")
        raise PlanError(refusal.format(word=f"memory_limit={limit!r}")) from None
