"""What a project and a user in it have used of their GPU-hours, and what is left. Pure.

How use is counted between two of Slurm's rounds: :mod:`fabric_hub.slurm.limits.usage`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits
from fabric_hub.slurm.limits.usage import MINUTES, TresUsage, UsageIndex, counted, in_order, name_of, partition_of
from fabric_hub.slurm.model import Snapshot

from .schemas import Balance, ParentLimit


class SubmissionRoute(NamedTuple):
    """How sessions of some profiles are submitted; "" is Slurm's default."""

    partition: str = ""
    qos: str = ""
    profiles: tuple[str, ...] = ()


def balance(
    limits: Limits | None,
    snapshot: Snapshot | None,
    account: str,
    user: str = "",
    *,
    now: float,
    ways: Sequence[SubmissionRoute] = (),
) -> Balance | None:
    """GPU-hours of an account, or of a user in it; None when Slurm knows no such association (yet).

    ``left`` is what the tightest limit leaves, the account's own, one above it or a QOS's; ``limited_by`` names whose.
    ``above`` are all limits but its own. A limit of a QOS is all that counts for jobs in it: where every way leads
    into such a QOS, the limits of accounts are none, the account's own included.

    :param user: the Unix account.
    :param now: Unix seconds.
    :param ways: how jobs with GPUs are submitted; where they differ, ``left`` is of the one that has most.
    """
    if limits is None:
        return None
    book = counted(limits, snapshot)
    chain = book.chain(account, user)
    if not chain:
        return None
    own, mine = book.of_association(chain[0], now), name_of(chain[0])
    usable = [way for way in ways if not way.qos or not chain[0].qos or way.qos in chain[0].qos] or [SubmissionRoute()]
    bounds = [_bounds(book, chain, way, now) for way in usable]
    best = max((min(found.items(), key=_left_of, default=("", None)) for found in bounds), key=_left_of)
    every = {name: use for found in bounds for name, use in found.items()}
    return Balance(
        limit=own.limit / MINUTES if own.limit is not None and mine in every else None,
        used=own.used / MINUTES,
        left=None if best[1] is None else _left_of(best) / MINUTES,
        running=own.running,
        to_come=own.to_come / MINUTES,
        of=mine,
        limited_by=best[0],
        above=tuple(
            ParentLimit(
                name=name,
                limit=(use.limit or 0) / MINUTES,
                used=use.used / MINUTES,
                left=(use.left or 0.0) / MINUTES,
                running=use.running,
                to_come=use.to_come / MINUTES,
                profiles=_only_of(name, usable, bounds),
            )
            for name, use in every.items()
            if name != mine
        ),
    )


def _bounds(book: UsageIndex, chain: Sequence[Association], way: SubmissionRoute, now: float) -> dict[str, TresUsage]:
    """The limits on GPU-hours that a job of this way meets, by whose they are."""
    limits = book.limits
    wanted = way.qos or chain[0].default_qos or "normal"
    qos = book.qos.get(wanted) if limits.enforcement.qos else None
    for service in in_order(limits, partition_of(limits, way.partition), qos):
        if service.grp_tres_mins.get(GPU, Limit()).limit is not None:
            return {f"QOS {service.name}": book.of_qos(service, now)}
    limited = [found for found in chain if found.grp_tres_mins.get(GPU, Limit()).limit is not None]
    return {name_of(found): book.of_association(found, now) for found in limited}


def _only_of(name: str, ways: Sequence[SubmissionRoute], bounds: Sequence[Mapping[str, TresUsage]]) -> tuple[str, ...]:
    """The profiles that a limit counts for; () for all."""
    held = [way for way, found in zip(ways, bounds, strict=True) if name in found]
    return () if len(held) == len(ways) else tuple(profile for way in held for profile in way.profiles)


def _left_of(pair: tuple[str, TresUsage | None]) -> float:
    left = pair[1].left if pair[1] else None
    return math.inf if left is None else left
