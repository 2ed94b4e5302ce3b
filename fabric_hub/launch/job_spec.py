"""The one job of a start, made once: fit, limits, record and submission all take the same :class:`JobSpec`. Pure.

A profile says what it asks for; where it is silent the site's ``req_*`` settings (:mod:`.batchspawner_compat`) do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import launch as texts
from fabric_hub.slurm.model import JobSpec, Node
from fabric_hub.slurm.notation import memory_mb
from fabric_hub.types import Frozen

from .batchspawner_compat import merge
from .choice import Choice


def job_spec(settings: Settings, choice: Choice, req: Mapping[str, Any]) -> JobSpec:
    """What to ask Slurm for with a choice; time in whole minutes, rounded up.

    :param req: the site's ``req_*`` settings for this user, names without ``req_``.
    :raises FabricError: one of them has a value that Slurm would not take.
    """
    return profile_spec(settings.profile[choice.profile], req, account=choice.account, hours=choice.hours)


def profile_spec(
    profile: Profile, req: Mapping[str, Any], *, account: str | None = None, hours: float | None = None
) -> JobSpec:
    """What a profile asks Slurm for, of any account, and for any time: what is known before somebody chooses.

    :raises FabricError: as :func:`job_spec`.
    """
    said = JobSpec(
        partition=profile.partition,
        account=account,
        qos=profile.qos,
        cpus=profile.cpus,
        memory_mb=memory_mb(profile.memory) if profile.memory else None,
        gres=profile.gres,
        minutes=None if hours is None else max(1, math.ceil(hours * 60)),
    )
    return merge(said, req) if profile.kind == "slurm" else said


def gres_of(spec: JobSpec, name: str) -> dict[str, int]:
    """How many of a generic resource (``gpu``, ``shard``) a job asks for, by type; "" is any type."""
    found: dict[str, int] = {}
    for gres in spec.gres:
        kind, *of_type, number = gres.split(":")
        if kind == name:
            typed = of_type[0] if of_type else ""
            found[typed] = found.get(typed, 0) + int(number)
    return found


def gpus_of(spec: JobSpec) -> int:
    """The GPUs that a session with this job has a part of: a shard is one of one."""
    return sum(gres_of(spec, "gpu").values()) or (1 if gres_of(spec, "shard") else 0)


class Fit(Frozen):
    """Can a job run: ``now`` on this many nodes, or never (``why`` says so)."""

    now: int = 0
    why: Text | None = None


def fit(spec: JobSpec, nodes: Sequence[Node]) -> Fit:
    """How a job fits on the nodes of the latest snapshot.

    No node is big enough: it can never run, ``why`` is set. All are busy or down: ``now`` is 0.
    """
    usable = [node for node in nodes if spec.partition is None or spec.partition in node.partitions]
    if not usable:
        return Fit(why=texts.NO_NODE_IN_PARTITION(partition=spec.partition))
    gpus, shards = gres_of(spec, "gpu"), sum(gres_of(spec, "shard").values())

    def suits(node: Node, free: bool) -> bool:
        have = node.gpus_free if free else node.gpus
        return (
            all((have.get(kind, 0) if kind else sum(have.values())) >= number for kind, number in gpus.items())
            and (node.shards_free if free else node.shards) >= shards
            and (node.cpus_free if free else node.cpus) >= spec.cpus
            and (node.memory_free_mb if free else node.memory_mb) >= (spec.memory_mb or 0)
        )

    big_enough = [node for node in usable if suits(node, free=False)]
    if not big_enough:
        things = _things(spec)
        if spec.memory_mb:
            return Fit(why=texts.NO_NODE_HAS_WITH_MEMORY(things=things, memory=spec.memory_mb))
        return Fit(why=texts.NO_NODE_HAS(things=things))
    return Fit(now=sum(1 for node in big_enough if node.usable and suits(node, free=True)))


def describe(spec: JobSpec) -> tuple[Text, ...]:
    """What a job asks for, part by part: GPUs ("Shared GPU" for shards, "CPU" for none), cores, memory."""
    gpus = [
        texts.TIMES_GPU(number=number, type=gpu_name(kind)) if kind else texts.GPUS_ASKED(n=number)
        for kind, number in gres_of(spec, "gpu").items()
    ]
    gpus += [
        texts.SHARED_GPU_OF_TYPE(n=number, type=gpu_name(kind)) if kind else texts.SHARED_GPU(n=number)
        for kind, number in gres_of(spec, "shard").items()
    ]
    memory = [texts.MEMORY(memory=spec.memory_mb)] if spec.memory_mb else []
    return (*(gpus or [texts.CPU_ONLY()]), texts.CORES(n=spec.cpus), *memory)


def gpu_name(kind: str) -> str:
    """A type of GPU as its maker writes it, where Slurm's has just lost its capitals: "h200" is the H200."""
    return kind.upper() if re.fullmatch(r"[a-z]{1,2}\d{1,4}[a-z]?", kind) else kind


def _things(spec: JobSpec) -> tuple[Text, ...]:
    """GPUs, shards and, last, CPUs, as a sentence names them."""
    gpus = [
        texts.GPUS_OF_TYPE_ASKED(n=number, type=kind) if kind else texts.GPUS_ASKED(n=number)
        for kind, number in gres_of(spec, "gpu").items()
    ]
    shards = [
        texts.SHARDS_OF_TYPE_ASKED(n=number, type=kind) if kind else texts.SHARDS_ASKED(n=number)
        for kind, number in gres_of(spec, "shard").items()
    ]
    return (*gpus, *shards, texts.CPUS_ASKED(n=spec.cpus))
