"""What each person used of a project, by day. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from fabric_hub.types import Frozen

from .history import UsageRow
from .schemas import DayUse


class PersonUse(Frozen):
    """GPU-hours of one person; ``days`` are those on which they used any, oldest first."""

    user: str
    gpu_hours: float
    days: tuple[DayUse, ...]


def by_person(rows: Iterable[UsageRow]) -> tuple[PersonUse, ...]:
    """The people who used GPUs, who used most first."""
    used: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if row.gpu_hours > 0:
            used[row.user][row.day] += row.gpu_hours
    people = [
        PersonUse(
            user=user,
            gpu_hours=sum(days.values()),
            days=tuple(DayUse(day=day, gpu_hours=hours) for day, hours in sorted(days.items())),
        )
        for user, days in used.items()
    ]
    return tuple(sorted(people, key=lambda one: (-one.gpu_hours, one.user)))
