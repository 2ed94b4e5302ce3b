"""A site that runs batchspawner keeps its ``req_*`` settings. Pure: settings and a profile go in, a job spec comes out.

What each setting means is batchspawner's SlurmSpawner template
(https://github.com/jupyterhub/batchspawner): partition, account, qos, reservation,
cluster, memory (sbatch --mem), nprocs (--cpus-per-task), runtime (--time), gres, ngpus.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.slurm.model import JobSpec
from fabric_hub.slurm.notation import duration_s, memory_mb

T = TypeVar("T")


def minutes(text: str) -> int:
    """Slurm's notation for a time limit (:func:`~fabric_hub.slurm.notation.duration_s`) in whole minutes, rounded up.

    :raises ValueError: it is none of these.
    """
    seconds = duration_s(text.strip())
    if seconds is None:
        raise ValueError(f"{text!r} is not a time that sbatch takes")
    return max(1, -(-seconds // 60))


def merge(spec: JobSpec, req: Mapping[str, Any]) -> JobSpec:
    """A profile's spec, with batchspawner's ``req_*`` values where the profile says nothing.

    :param req: ``SlurmSpawner.get_req_subvars()``: names without ``req_``.
    :raises FabricError: a setting has a value that Slurm would not take; it is named.
    """
    value = {name: str(text).strip() for name, text in req.items() if text is not None and str(text).strip()}
    update: dict[str, Any] = {}
    for name in ("partition", "account", "qos", "reservation", "cluster"):
        if name in value and getattr(spec, name) is None:
            update[name] = value[name]
    if "partition" not in update and spec.partition is None and "queue" in value:
        update["partition"] = value["queue"]
    if "memory" in value and spec.memory_mb is None:
        update["memory_mb"] = _checked("memory", value["memory"], _memory)
    if "nprocs" in value and spec.cpus == 1:
        update["cpus"] = _checked("nprocs", value["nprocs"], int)
    if "runtime" in value and spec.minutes is None:
        update["minutes"] = _checked("runtime", value["runtime"], minutes)
    if not spec.gres:
        if "gres" in value:
            update["gres"] = tuple(value["gres"].split(","))
        elif value.get("ngpus", "0") != "0":
            update["gres"] = (f"gpu:{value['ngpus']}",)
    if "options" in value:
        update["options"] = _checked("options", value["options"], _words)
    for name in ("prologue", "epilogue"):
        if name in value:
            update[name] = value[name]
    if not update:
        return spec
    try:
        return JobSpec.model_validate({**spec.model_dump(), **update})
    except ValidationError as error:
        fields = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        wrong = ", ".join(sorted(f"req_{_NAMES.get(field, field)}" for field in fields))
        raise FabricError(
            f"The hub's configuration sets {wrong} to something Slurm does not take.",
            reason="configuration",
            hint="Tell the operator: fabric-hub check-config names it.",
            status=500,
        ) from error


_NAMES = {"cpus": "nprocs", "memory_mb": "memory", "minutes": "runtime"}


def _words(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


def _memory(text: str) -> int:
    if re.fullmatch(r"\d+", text):
        return int(text)
    size = text.upper().removesuffix("B")
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?[KMGT]", size):
        raise ValueError(f"{text!r} is not a size that sbatch takes")
    return memory_mb(size)


def _checked(name: str, text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise FabricError(
            f"The hub's configuration sets req_{name} to {text!r}, which Slurm does not take.",
            reason="configuration",
            hint="Tell the operator: fabric-hub check-config names it.",
            status=500,
        ) from error
