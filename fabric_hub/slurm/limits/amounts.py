"""Amounts of what Slurm limits, and whose limits they are, as texts. Pure."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Text
from fabric_hub.messages.texts import limits as texts

from .model import GPU, Association, Qos
from .usage import MINUTES

COUNTS = {"cpu": texts.CPUS, "mem": texts.MEMORY, "node": texts.NODES, GPU: texts.GPUS, "gres/shard": texts.SHARES}
_KINDS: dict[str, str | Reason] = {
    "cpu": "CPU", "mem": "MB", "node": texts.KIND_NODE, "billing": texts.KIND_BILLING, GPU: "GPU",
    "gres/shard": texts.KIND_SHARE,
}  # fmt: skip


def scope_of(limits: Association | Qos) -> Text:
    """How people call somebody with limits: ``account lab``, ``ann in account lab``, ``QOS normal``."""
    if isinstance(limits, Qos):
        return texts.QOS(qos=limits.name)
    if limits.user:
        return texts.USER_IN_ACCOUNT(user=limits.user, account=limits.account)
    return texts.ACCOUNT(account=limits.account)


def count(number: int, tres: str) -> Text:
    """So many of a TRES: ``2 GPUs``."""
    if tres in COUNTS:
        return COUNTS[tres](n=number)
    if tres.startswith(f"{GPU}:"):
        return texts.TYPED_GPUS(n=number, type=tres.partition(":")[2])
    return texts.OTHERS(n=number, tres=tres)


def jobs_of(number: int) -> Text:
    """So many jobs: ``1 job``."""
    return texts.JOBS(n=number)


def hours_of(minutes: float, tres: str) -> Text:
    """Slurm's TRES-minutes: ``1.5 GPU-hours``; below an hour in minutes."""
    kind = _kind(tres)
    if 0 < minutes < 0.5:
        return texts.UNDER_A_MINUTE(kind=kind)
    if 0 < minutes < MINUTES:
        return texts.MINUTES(n=round(minutes), kind=kind)
    return texts.HOURS(n=_hours(minutes), kind=kind)


def used_of(used: float, limit: float, tres: str) -> Text:
    """What is used of a limit on TRES-minutes: ``7 of 10 GPU-hours used``."""
    if 0 < used < MINUTES or 0 < limit < MINUTES:
        return texts.AMOUNT_USED(used=hours_of(used, tres), limit=hours_of(limit, tres))
    return texts.HOURS_USED(used=_hours(used), n=_hours(limit), kind=_kind(tres))


def _hours(minutes: float) -> float:
    return round(minutes / MINUTES, 1)


def _kind(tres: str) -> str | Text:
    if tres.startswith(f"{GPU}:"):
        return texts.KIND_TYPED(type=tres.partition(":")[2])
    kind = _KINDS.get(tres, tres)
    return kind if isinstance(kind, str) else kind()
