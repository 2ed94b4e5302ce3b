"""Amounts of what Slurm limits, in words. Pure."""

from __future__ import annotations

from ..slurm.limits import GPU
from .account import MINUTES

NAMES = {"cpu": "CPU", "mem": "MB of memory", "node": "node", GPU: "GPU", "gres/shard": "GPU share"}


def capital(text: str) -> str:
    """The name of a holder of limits, as a sentence begins with it."""
    return text[:1].upper() + text[1:] if text.startswith("account ") else text


def count(number: int, tres: str) -> str:
    """So many of a TRES: ``2 GPUs``."""
    name = NAMES.get(tres) or (f"{tres.partition(':')[2]} GPU" if tres.startswith(f"{GPU}:") else tres)
    plural = "" if number == 1 or name.startswith("MB") or name == tres else "s"
    return f"{number} {name}{plural}"


def jobs_of(number: int) -> str:
    """So many jobs: ``1 job``."""
    return f"{number} job" if number == 1 else f"{number} jobs"


def hours_of(minutes: float, tres: str) -> str:
    """Slurm's TRES-minutes: ``1.5 GPU-hours``; below an hour in minutes."""
    name = {"cpu": "CPU", "mem": "MB", "node": "node", "billing": "billing", GPU: "GPU", "gres/shard": "GPU-share"}
    kind = name.get(tres) or (f"{tres.partition(':')[2]} GPU" if tres.startswith(f"{GPU}:") else tres)
    hours = minutes / MINUTES
    return (
        f"{hours:.1f} {kind}-hours".replace(".0 ", " ") if hours >= 1 or not hours else f"{minutes:.0f} {kind}-minutes"
    )


def duration(seconds: float) -> str:
    """A time: ``1 h 30 min``."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    if not hours:
        return f"{minutes} minutes"
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} hours" if hours > 1 else "1 hour"
