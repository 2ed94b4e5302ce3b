"""Workers in dask-jobqueue's own words: what each of them means here, or that it cannot be had."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..common.translation import N_, _
from .notebook_context import SLURM
from .pools import PlanError, Pool

# Options of ``dask worker`` that worker_extra_args may hold.
EXTRA = ("lifetime", "lifetime_stagger", "lifetime_restart", "resources")
# What a worker is; without ``cores`` it is like a profile.
OWN = ("memory", "processes", "job_cpu", "job_mem")
# Of the cluster's scheduler, not of its jobs.
SCHEDULER = ("host", "dashboard_address")
_TLS = N_("{word} cannot be had: a cluster speaks TLS. Leave it out.")
_KEY = N_("{word} cannot be had: a cluster has a key of its own. Leave it out.")
_JOB = N_("{word} cannot be had: a job runs all of its workers. Leave it out.")
# What counts as said already, and the refusal of everything else.
ALWAYS = {
    "nanny": (
        (None, True),
        N_("{word} cannot be had: workers always have one: it keeps them, and their datasets. Leave it out."),
    ),
    "protocol": ((None, "tls", "tls://"), _TLS),
    "security": ((None, True), _KEY),
    "job_cls": ((None,), _JOB),
    "worker_command": ((None, "distributed.cli.dask_worker"), _JOB),
}
# Words of dask-jobqueue's cluster, not of its jobs, for parts that are others here.
CLUSTER = {
    "scheduler_cls": N_("{word} cannot be had: its scheduler answers only to who has the cluster's key. Leave it out."),
    "shared_temp_directory": N_("{word} cannot be had: the cluster's key is in a directory of its own. Leave it out."),
    "silence_logs": N_(
        "{word} cannot be had: its scheduler is no part of the notebook; get_logs() has what it says. Leave it out."
    ),
}
# What the scheduler's options may not say.
CLOSED = {
    "protocol": N_("scheduler_options: {word} cannot be had: a cluster speaks TLS. Leave it out."),
    "security": N_("scheduler_options: {word} cannot be had: a cluster has a key of its own. Leave it out."),
    "key_directory": N_("scheduler_options: {word} cannot be had: a cluster has a key of its own. Leave it out."),
    "waits": N_("scheduler_options: {word} cannot be had: a cluster knows what it waits for. Leave it out."),
}


def scheduler_words(words: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of the scheduler, and the words that say something of the workers.

    As with dask-jobqueue, ``options`` stand in place of those in the person's own configuration, and ``interface`` is
    both's, unless something else says where the scheduler is.

    :raises PlanError: one of the options would open the cluster to others.
    """
    said = {name: words[name] for name in SCHEDULER if words.get(name) is not None}
    said |= options or dict(_said({**words, "scheduler_options": None}, "scheduler_options") or {})
    keep_closed(said)
    if words.get("interface") and not {"host", "interface"} & said.keys():
        said["interface"] = words["interface"]
    return said, {name: value for name, value in words.items() if name not in SCHEDULER}


def keep_closed(options: Mapping[str, Any]) -> None:
    """Refuse what the scheduler's options may not say.

    :raises PlanError: one of them would open the cluster to others.
    """
    for name, value in options.items():
        if name in CLOSED:
            raise PlanError(_(CLOSED[name]).format(word=f"{name}={value!r}"))


def worker_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """What dask-jobqueue's words say of workers, whatever they are like otherwise: fields of a :class:`.pools.Pool`.

    What is not said is as the person's own configuration of dask-jobqueue has it (jobqueue.yaml).

    :raises PlanError: something is said that would mean nothing here.
    """
    for name in words:
        if name in CLUSTER:
            raise PlanError(_(CLUSTER[name]).format(word=f"{name}="))
        if name not in _known_words():
            said = _(
                "Got an unexpected keyword argument {name}: neither DaskCluster nor a job of dask-jobqueue's takes it. "
                "Leave it out; DaskCluster? lists those that there are ({given})."
            )
            raise PlanError(said.format(name=repr(name), given=f"job_kwargs={dict(words)}"))
    for name, (known, refusal) in ALWAYS.items():
        if _said(words, name) not in known:
            raise PlanError(_(refusal).format(word=f"{name}={_said(words, name)!r}"))
    worker = extra(_said(words, "worker_extra_args") or [])
    if _said(words, "interface"):
        worker["interface"] = _said(words, "interface")
    return {
        "local_directory": _said(words, "local_directory"),
        "death_timeout": float(_said(words, "death_timeout") or 60),
        "resources": worker.pop("resources", {}),
        "worker": worker,
        "own_log": bool(_said(words, "log_directory")),
        "job": {key: value for key, value in words.items() if key not in ("processes", *ALWAYS)},
    }


def own_pool(words: Mapping[str, Any], workers_per_job: int | None) -> Pool:
    """The pool of workers that dask-jobqueue's own words describe: ``processes`` of them share a job.

    :raises PlanError: see :func:`worker_words`.
    """
    from dask.utils import parse_bytes
    from dask_jobqueue.slurm import SLURMJob

    said = worker_words(words)
    processes = words.get("processes")
    job = SLURMJob("tls://scheduler", name="worker", processes=processes, **said["job"])
    processes = job.worker_processes
    memory = parse_bytes(words["job_mem"]) if words.get("job_mem") else job.worker_memory
    return Pool(
        name="workers",
        threads=job.worker_process_threads,
        cpus=(words.get("job_cpu") or job.worker_cores) / processes,
        memory=memory // processes,
        most=workers_per_job or max(processes, 1),
        **said,
    )


def extra(arguments: Sequence[str]) -> dict[str, Any]:
    """What of ``dask worker``'s options a worker is given, as :class:`distributed.Worker` takes it.

    :raises PlanError: one of them is none that can be had here, or none at all.
    """
    import click
    from distributed.cli.dask_worker import main

    words = [str(word) for word in arguments]
    try:
        # which they are comes first: to read the value of some is to do what it says (--preload imports it)
        given = main.make_parser(click.Context(main, **main.context_settings)).parse_args([*words])[0]
        for parameter in main.params:
            word = given.get(str(parameter.name))
            if parameter.name in given and isinstance(parameter, click.Option):
                word = parameter.opts[0]
            elif word not in words:  # what it does not know, it takes for the scheduler's address
                continue
            if parameter.name not in EXTRA:
                known = ", ".join(f"--{known.replace('_', '-')}" for known in EXTRA)
                said = _("worker_extra_args: {word} cannot be had here; these can: {others}.")
                raise PlanError(said.format(word=word, others=known))
        context = main.make_context("worker_extra_args", words)
    except click.ClickException as error:
        raise PlanError(f"worker_extra_args={words}: {error.format_message()}") from None
    worker = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
    }
    if "resources" in worker:
        amounts = (word.partition("=") for word in worker["resources"].replace(",", " ").replace('"', "").split())
        worker["resources"] = {name: float(amount) for name, _equals, amount in amounts}
    return worker


@functools.cache
def _known_words() -> frozenset[str]:
    """What may be said of a job and its workers."""
    from dask_jobqueue.core import Job
    from dask_jobqueue.slurm import SLURMJob

    of_job = {*inspect.signature(SLURMJob.__init__).parameters, *inspect.signature(Job.__init__).parameters}
    return frozenset(of_job - {"self", "scheduler", "name", "base_class_kwargs"} | ALWAYS.keys())


def _said(words: Mapping[str, Any], name: str) -> Any:
    import dask

    said, section = words.get(name), words.get("config_name") or SLURM
    return dask.config.get(f"jobqueue.{section}.{name.replace('_', '-')}", None) if said is None else said
