"""Slurm's limits and what is used of them, as types: what the gateway tells hub and service. No I/O.

Amounts are in Slurm's own units: minutes of a TRES (``gres/gpu``: GPU minutes), memory in MiB.
A limit that is None is none.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from fabric_hub.rpc.feed_value import FeedValue
from fabric_hub.types import Frozen, SlurmKey

GPU, BILLING = "gres/gpu", "billing"


class Limit(Frozen):
    """One limit, and what is used of it now."""

    limit: int | None = None
    used: int = 0


class Share(Frozen):
    """What one user or one account has of a QOS at present, against its limits for each of them."""

    tres: dict[str, Limit] = Field(default={})
    jobs: Limit = Limit()
    submit: Limit = Limit()


class Association(Frozen):
    """An account (``user`` empty), or a user in it, perhaps in one partition only.

    ``grp_tres_mins`` is use over time, as of Slurm's last round (``PriorityCalcPeriod``) and of jobs that ended since;
    ``grp_tres_run_mins`` is what running jobs may still take by their time limits, as of the same round.
    """

    account: SlurmKey
    user: str = ""
    partition: str = ""
    parent: SlurmKey = ""
    grp_tres_mins: dict[str, Limit] = Field(default={})
    grp_tres_run_mins: dict[str, Limit] = Field(default={})
    grp_tres: dict[str, Limit] = Field(default={})
    grp_jobs: Limit = Limit()
    grp_submit: Limit = Limit()
    max_jobs: Limit = Limit()
    max_submit: Limit = Limit()
    max_wall_s: int | None = None
    max_tres_per_job: dict[str, int] = Field(default={})
    max_tres_mins_per_job: dict[str, int] = Field(default={})
    qos: tuple[SlurmKey, ...] = ()  # that it may use; empty: not known
    default_qos: SlurmKey = ""


class Qos(Frozen):
    """A quality of service. ``per_user`` is by Unix account and holds only users who have jobs in it now."""

    name: SlurmKey
    grp_tres_mins: dict[str, Limit] = Field(default={})
    grp_tres_run_mins: dict[str, Limit] = Field(default={})
    grp_tres: dict[str, Limit] = Field(default={})
    grp_jobs: Limit = Limit()
    grp_submit: Limit = Limit()
    max_wall_s: int | None = None
    max_tres_per_job: dict[str, int] = Field(default={})
    max_tres_mins_per_job: dict[str, int] = Field(default={})
    min_tres_per_job: dict[str, int] = Field(default={})
    max_tres_per_user: dict[str, int] = Field(default={})
    max_jobs_per_user: int | None = None
    max_submit_per_user: int | None = None
    max_tres_per_account: dict[str, int] = Field(default={})
    max_jobs_per_account: int | None = None
    max_submit_per_account: int | None = None
    usage_factor: float = 1.0
    flags: tuple[str, ...] = ()  # Slurm's own words: OverPartQOS, PartitionTimeLimit, ...
    per_user: dict[str, Share] = Field(default={})
    per_account: dict[SlurmKey, Share] = Field(default={})


class PartitionLimits(Frozen):
    """A partition's own rules. Empty lists of who may use it mean everybody.

    ``billing_weights``: what a minute of each TRES is billed, of memory a minute of one MiB; none: by the CPU.
    """

    name: str
    default: bool = False
    state: str = "UP"
    qos: SlurmKey = ""
    max_time_s: int | None = None
    max_nodes: int | None = None
    max_cpus_per_node: int | None = None
    allow_accounts: tuple[SlurmKey, ...] = ()
    deny_accounts: tuple[SlurmKey, ...] = ()
    allow_qos: tuple[SlurmKey, ...] = ()
    deny_qos: tuple[SlurmKey, ...] = ()
    billing_weights: dict[str, float] = Field(default={})


class Enforcement(Frozen):
    """What of the limits Slurm holds people to (``AccountingStorageEnforce``).

    ``safe``: a job starts only when what is left suffices to its end; without it, a running job ends with the budget.
    ``billing``: whether what a job has is added up with its weights, or the most of it counts (``PriorityFlags``).
    """

    limits: bool = True
    safe: bool = False
    qos: bool = True
    billing: Literal["sum", "max", "max_gres"] = "sum"


class Limits(FeedValue):
    """All limits and their use at one moment, for everybody.

    ``at`` is when Slurm was asked.
    """

    TIMES: ClassVar = FeedValue.TIMES | {"at"}

    at: float | None = None
    enforcement: Enforcement = Enforcement()
    associations: tuple[Association, ...] = ()
    qos: tuple[Qos, ...] = ()
    partitions: tuple[PartitionLimits, ...] = ()

    @property
    def asked_at(self) -> float | None:
        return self.at

    @property
    def age_s(self) -> float | None:
        return None if self.at is None else max(0.0, self.now - self.at)
