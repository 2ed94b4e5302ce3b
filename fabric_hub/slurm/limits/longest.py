"""For how long a job may be asked for, by the same limits that it is held against. Pure."""

from __future__ import annotations

from typing import NamedTuple

from fabric_hub.slurm.model import Snapshot

from .chain import LimitDecision
from .check import decide
from .model import Limits
from .request import JobRequest


class Longest(NamedTuple):
    """``minutes`` that may be asked for, 0 for none; ``refused``: why not for more, None where ``most`` may."""

    minutes: int
    refused: LimitDecision | None = None


def longest(
    limits: Limits | None, snapshot: Snapshot | None, ask: JobRequest, now: float, *, least: int, most: int
) -> Longest:
    """The longest time that a job may be asked for so that it can run to its end.

    More time never passes where less does not: every limit on time, and on what is used over time, is an upper one.

    :param least: minutes; what does not get so much gets nothing.
    :param most: minutes that are asked for at the most, whatever the limits say.
    """

    def held(minutes: int) -> LimitDecision:
        return decide(limits, snapshot, ask.model_copy(update={"minutes": minutes}), now, whole=True)

    if not (at_most := held(most)).refused:
        return Longest(most)
    if (at_least := held(min(least, most))).refused:
        return Longest(0, at_least)
    passes, too_long = min(least, most), most
    while too_long - passes > 1:
        middle = (passes + too_long) // 2
        decision = held(middle)
        passes, too_long = (passes, middle) if decision.refused else (middle, too_long)
    return Longest(passes, at_most)
