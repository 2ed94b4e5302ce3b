"""At what pace a budget is used: what was charged by day, to everybody whose limit it counts towards. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.usage import UsageIndex, name_of

from .history import Charged
from .schemas import DayUse


def days_by_scope(limits: Limits, charges: Iterable[Charged]) -> dict[str, tuple[DayUse, ...]]:
    """GPU-hours by day as Slurm counts them towards limits: of each account with all below it, and of each QOS.

    Keyed by the names that balances have for them. Jobs of a QOS count by its present ``UsageFactor``.
    """
    book = UsageIndex(limits, None)
    chains: dict[str, tuple[str, ...]] = {}
    found: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for one in charges:
        if one.account not in chains:
            chains[one.account] = tuple(name_of(above) for above in book.chain(one.account))
        qos = book.qos.get(one.qos)
        for scope in (*chains[one.account], *([f"QOS {one.qos}"] if one.qos else [])):
            found[scope][one.day] += one.gpu_hours * (qos.usage_factor if qos else 1.0)
    return {
        scope: tuple(DayUse(day=day, gpu_hours=hours) for day, hours in sorted(days.items()))
        for scope, days in found.items()
    }
