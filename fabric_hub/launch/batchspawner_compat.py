"""A site that runs batchspawner keeps its ``req_*`` settings. Pure: settings and a job spec go in, one comes out.

What each setting means is batchspawner's SlurmSpawner template
(https://github.com/jupyterhub/batchspawner): partition, qos, reservation, cluster,
memory (sbatch --mem), nprocs (--cpus-per-task), gres, ngpus. A job's account is its
project's, and its time the user's choice, unless a hook of the site sets req_runtime for that start.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import launch as texts
from fabric_hub.slurm.model import JobSpec
from fabric_hub.slurm.notation import duration_s, memory_mb
from fabric_hub.types import slurm_key

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

    Only :mod:`.job_spec` calls this, so that a job has them before anything is asked about it.

    :param req: as ``SlurmSpawner.get_req_subvars()`` has them: names without ``req_``; ``runtime`` only where a hook
        set it for this start.
    :raises FabricError: a setting has a value that Slurm would not take; it is named.
    """
    value = {name: str(text).strip() for name, text in req.items() if text is not None and str(text).strip()}
    update: dict[str, Any] = {}
    for name in ("partition", "qos", "reservation", "cluster"):
        if name in value and getattr(spec, name) is None:
            update[name] = value[name]
    if "partition" not in update and spec.partition is None and "queue" in value:
        update["partition"] = value["queue"]
    if "memory" in value and spec.memory_mb is None:
        update["memory_mb"] = _checked("memory", value["memory"], _memory)
    if "nprocs" in value and spec.cpus == 1:
        update["cpus"] = _checked("nprocs", value["nprocs"], int)
    if not spec.gres:
        if "gres" in value:
            update["gres"] = tuple(value["gres"].split(","))
        elif value.get("ngpus", "0") != "0":
            update["gres"] = (f"gpu:{value['ngpus']}",)
    if "runtime" in value:
        update["minutes"] = _checked("runtime", value["runtime"], _time)
    if "options" in value:
        update |= _checked("options", value["options"], _options)
    for name in ("prologue", "epilogue"):
        if name in value:
            update[name] = value[name]
    if not update:
        return spec
    try:
        return JobSpec.model_validate({**spec.model_dump(), **update})
    except ValidationError as error:
        fields = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        wrong = tuple(sorted(f"req_{_NAMES.get(field, field)}" for field in fields))
        raise FabricError(texts.SETTINGS_WRONG(names=wrong)) from error


_NAMES = {"cpus": "nprocs", "memory_mb": "memory", "minutes": "runtime"}
# What a hook can set for one start; more of batchspawner's has no effect.
EFFECTIVE = frozenset(
    {"partition", "queue", "qos", "reservation", "memory", "nprocs", "gres", "ngpus", "runtime"}
    | {"options", "prologue", "epilogue", "cluster"}  # the gateway refuses some of these, in words of its own
)


def refuse_without_effect(names: Iterable[str], account: Any, project: str, charged: str) -> None:
    """Refuse a start of which a hook set what would have no effect.

    :param names: the settings of batchspawner's that it set.
    :param account: what it set ``req_account`` to, if it did; "" or None: nothing.
    :param charged: the account of the project.
    :raises FabricError: they are named.
    """
    useless = tuple(sorted(name for name in names if name.removeprefix("req_") not in EFFECTIVE | {"account"}))
    if useless:
        raise FabricError(texts.HOOK_WITHOUT_EFFECT(names=useless))
    if account and slurm_key(str(account)) != charged:
        raise FabricError(texts.HOOK_ACCOUNT(wanted=str(account), project=project, account=charged))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _options(text: str) -> dict[str, Any]:
    """The fields of a job spec that sbatch's options give: as with sbatch, they count before anybody else's.

    An option that has no field, or whose value the field does not take, stays one; each is a line, as it is quoted.
    """
    words = shlex.split(text)
    if "--" in words:  # the gateway refuses it
        return {"options": _lines(words)}
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name, (short, _, _) in _TYPED.items():
        parser.add_argument(*short, name, dest=name)
    known, others = parser.parse_known_args(words)
    found: dict[str, Any] = {}
    kept: list[str] = []
    for name, given in vars(known).items():
        if given is None:
            continue
        _, field, read = _TYPED[name]
        try:
            found[field] = getattr(JobSpec.model_validate({field: read(given)}), field)
        except ValueError:  # pydantic's is one, too
            kept.append(f"{name}={given}")
    return found | ({"options": _lines([*others, *kept])} if others or kept else {})


def _lines(words: Iterable[str]) -> tuple[str, ...]:
    """Each option with the words that follow it."""
    lines: list[str] = []
    for word in words:
        if lines and not word.startswith("-"):
            lines[-1] += f" {shlex.quote(word)}"
        else:
            lines.append(shlex.quote(word))
    return tuple(lines)


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
        raise FabricError(texts.SETTING_WRONG(name=f"req_{name}", value=repr(text))) from error


def _time(text: str) -> int:
    if not re.search(r"[1-9]", text):
        raise ValueError("a time of 0 is none at all to sbatch")
    return minutes(text)


# The options of sbatch that nodes and limits are asked about: short names, the field of a job spec, how it is read.
_TYPED: dict[str, tuple[tuple[str, ...], str, Callable[[str], Any]]] = {
    "--partition": (("-p",), "partition", str),
    "--qos": (("-q",), "qos", str),
    "--cpus-per-task": (("-c",), "cpus", int),
    "--mem": ((), "memory_mb", _memory),
    "--gres": ((), "gres", lambda text: tuple(text.split(","))),
    "--time": (("-t",), "minutes", _time),
}
