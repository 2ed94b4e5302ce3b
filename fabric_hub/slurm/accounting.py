"""Jobs of a time window from Slurm's database (slurmdbd, never slurmctld), as types. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import Field

from fabric_hub.slurm.limits.model import GPU, Limit, Limits
from fabric_hub.types import Frozen, SlurmKey

# The longest window of one question: a day and what a change of clocks may add, or a few days at once.
LONGEST_WINDOW_S = 8 * 86400.0


class PastJob(Frozen):
    """A job that has run, or runs. Times are Unix seconds; ``ended_at`` is None while it runs.

    ``name`` is kept of our sessions' and their clusters' jobs only, else empty.
    """

    job_id: int
    user: str
    account: SlurmKey
    partition: str = ""
    qos: SlurmKey = ""
    state: str
    started_at: float
    ended_at: float | None = None
    gpus: int = 0
    cpus: int = 0
    name: str = ""


class Accounting(Frozen):
    """The jobs that ran at some time between ``start`` and ``end`` and count for the site's projects: their own, and
    those that use up a budget of GPUs together with them. ``at`` is when the database was asked.

    ``below`` are accounts that are not in the site's file but below one that is, each with the nearest of those.
    """

    start: float
    end: float
    at: float
    jobs: tuple[PastJob, ...] = ()
    below: dict[str, str] = Field(default={})


def below(limits: Limits, accounts: Collection[str]) -> dict[str, str]:
    """The accounts that are below some others, each with the nearest of them."""
    parents = {known.account: known.parent for known in limits.associations if not known.user}
    found: dict[str, str] = {}
    for account in parents:
        above, steps = parents[account], 0
        while above and above not in accounts and steps < len(parents):
            above, steps = parents.get(above, ""), steps + 1
        if account not in accounts and above in accounts:
            found[account] = above
    return found


def sharing(limits: Limits, accounts: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """(accounts, QOS) whose jobs count for some accounts: these and those below, and who shares a budget of GPUs.

    A budget is that of an account above, with all below it, or of a QOS.
    """
    known = {one.account: one for one in limits.associations if not one.user}
    heads, above = set(accounts), {known[name].parent for name in accounts if name in known}
    seen: set[str] = set()
    while above := {name for name in above if name in known} - seen:
        seen |= above
        heads |= {name for name in above if _budget(known[name].grp_tres_mins)}
        above = {known[name].parent for name in above}
    services = frozenset(one.name for one in limits.qos if _budget(one.grp_tres_mins))
    return frozenset(heads | below(limits, heads).keys()), services


def _budget(minutes: Mapping[str, Limit]) -> bool:
    return any(name.split(":")[0] == GPU and one.limit is not None for name, one in minutes.items())
