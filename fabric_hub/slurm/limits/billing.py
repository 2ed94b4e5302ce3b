"""What Slurm bills a job by: a site's own unit, made of what the job has and the weights of its partition. Pure.

https://slurm.schedmd.com/tres.html#TRES_Billing_Weights. A partition without weights bills by the CPU. Weights may have
a fraction, what a limit counts is whole: it is cut off, as Slurm does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .model import BILLING, GPU, Enforcement, Limits, PartitionLimits
from .request import JobRequest
from .usage import partition_of

_WEIGHT = re.compile(r"([^=,\s]+)=(\d+(?:\.\d*)?|\.\d+)([KMGTP]?)", re.IGNORECASE)
# For how many of Slurm's own units (memory: MiB) a weight with this letter is.
_PER = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3}


def weights(text: str) -> dict[str, float]:
    """``CPU=1.0,Mem=0.25G,GRES/gpu=2.0`` as weights by TRES, memory's for one MiB."""
    return {name.lower(): float(number) / _PER[unit.upper()] for name, number, unit in _WEIGHT.findall(text)}


def billing_of(tres: Mapping[str, int], partition: PartitionLimits, enforcement: Enforcement) -> int:
    """How much of a site's unit a job with these TRES, on one node, is billed for each minute."""
    if not partition.billing_weights:
        return tres.get("cpu", 0)
    shares = {name: weight * tres.get(name, 0) for name, weight in partition.billing_weights.items()}
    apart = sum(share for name, share in shares.items() if name.startswith(("license/", "bb/")))
    on_node = [(name, share) for name, share in shares.items() if not name.startswith(("license/", "bb/"))]
    if enforcement.billing == "max":
        return int(max((share for _, share in on_node), default=0.0) + apart)
    if enforcement.billing == "max_gres":
        gres = sum(share for name, share in on_node if name.startswith("gres/"))
        return int(max((share for name, share in on_node if not name.startswith("gres/")), default=0.0) + gres + apart)
    return int(sum(share for _, share in on_node) + apart)


def billed(limits: Limits | None, ask: JobRequest) -> JobRequest:
    """A request with what it is billed for among its TRES; as it is where its partition is not known."""
    partition = partition_of(limits, ask.partition) if limits else None
    if limits is None or partition is None or BILLING in ask.tres:
        return ask
    return ask.model_copy(update={"tres": {**ask.tres, BILLING: billing_of(ask.tres, partition, limits.enforcement)}})


def rates(limits: Limits | None, ask: JobRequest) -> dict[str, int]:
    """What an hour of a job costs: GPU-hours, of a job without GPUs shard- or CPU-hours; and the site's own unit
    where its partition bills by weights. By TRES, the site's own last."""
    partition = partition_of(limits, ask.partition) if limits else None
    first = next((name for name in (GPU, "gres/shard") if ask.tres.get(name)), "cpu")
    found = {first: ask.tres.get(first, 0)}
    if limits is not None and partition is not None and partition.billing_weights:
        found[BILLING] = billing_of(ask.tres, partition, limits.enforcement)
    return found
