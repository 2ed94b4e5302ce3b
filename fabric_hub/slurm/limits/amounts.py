"""Amounts of what Slurm limits, in words. Pure."""

from __future__ import annotations

from fabric_hub.messages.formats import of_things

from .model import GPU
from .usage import MINUTES

NAMES = {"cpu": "CPU", "mem": "MB of memory", "node": "node", GPU: "GPU", "gres/shard": "GPU share"}


def capital(text: str) -> str:
    """The name of a scope of limits, as a sentence begins with it."""
    return text[:1].upper() + text[1:] if text.startswith("account ") else text


def count(number: int, tres: str) -> str:
    """So many of a TRES: ``2 GPUs``."""
    name = NAMES.get(tres) or (f"{tres.partition(':')[2]} GPU" if tres.startswith(f"{GPU}:") else tres)
    return f"{number} {name}" if name.startswith("MB") or name == tres else of_things(number, name)


def share(used: int, limit: int, what: str) -> str:
    """The part of a limit that is taken: ``2 of the 3 GPUs``; of all of it ``The 1 GPU`` and ``All 3 GPUs``.

    :param what: the limit in words, as :func:`count` gives it.
    """
    if used != limit:
        return f"{used} of the {what}"
    return f"The {what}" if limit == 1 else f"All {what}"


def jobs_of(number: int) -> str:
    """So many jobs: ``1 job``."""
    return of_things(number, "job")


def hours_of(minutes: float, tres: str) -> str:
    """Slurm's TRES-minutes: ``1.5 GPU-hours``; below an hour in minutes."""
    name = {"cpu": "CPU", "mem": "MB", "node": "node", "billing": "billing", GPU: "GPU", "gres/shard": "GPU-share"}
    kind = name.get(tres) or (f"{tres.partition(':')[2]} GPU" if tres.startswith(f"{GPU}:") else tres)
    if 0 < minutes < 0.5:
        return f"less than 1 {kind}-minute"
    unit, number = ("minute", f"{minutes:.0f}") if 0 < minutes < MINUTES else ("hour", f"{minutes / MINUTES:.1f}")
    number = number.removesuffix(".0")
    return f"{number} {kind}-{unit}" if number == "1" else f"{number} {kind}-{unit}s"
