"""The words of the field as types. No I/O.

These types are used in memory and on the wire alike: the gateway's and the
service's APIs take and return them as JSON. Unknown fields are refused.
Times are Unix seconds (float), durations are named with their unit.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fabric_hub.rpc.feed_value import FeedValue
from fabric_hub.slurm.records import LINES_MOST, RecordMark, SessionFacts
from fabric_hub.types import (
    HUB_ID,
    SESSION_ID,
    AccountName,
    EnvName,
    Frozen,
    Gres,
    HubUser,
    OneLine,
    QosName,
    SessionId,
    Slug,
    SlurmKey,
    SlurmName,
    matching,
)

JOB_NAME = re.compile(rf"fabric-({HUB_ID})-({SESSION_ID})")
CLUSTER_JOB_NAME = re.compile(rf"fabric-({HUB_ID})-({SESSION_ID})-dask-([a-z0-9](?:[a-z0-9-]{{0,38}}[a-z0-9])?)")


class Phase(StrEnum):
    """What a job's state means for the person waiting for it."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"


_QUEUED = frozenset(
    [
        "PENDING",
        "CONFIGURING",
        "REQUEUED",
        "REQUEUE_FED",
        "REQUEUE_HOLD",
        "RESV_DEL_HOLD",
        "SPECIAL_EXIT",
        "EXPEDITING",
        "POWER_UP_NODE",
    ]
)
_ENDED = frozenset(
    [
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "LAUNCH_FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "RECONFIG_FAIL",
        "REVOKED",
        "TIMEOUT",
    ]
)


def phase_of(state: str) -> Phase:
    """The phase of a job in Slurm's long state name (``squeue %T``).

    A state that is not known to be over counts as running: only Slurm's own
    word ends a session (job states: https://slurm.schedmd.com/squeue.html#SECTION_JOB-STATE-CODES).
    """
    if state in _ENDED:
        return Phase.ENDED
    if state in _QUEUED:
        return Phase.QUEUED
    if state == "COMPLETING":
        return Phase.ENDING
    return Phase.RUNNING


class Job(Frozen):
    """One job as squeue tells it. ``user`` is the Unix account; ``name`` is text its owner chose.

    Of a job array, the tasks that wait are one record, each other task is one of its own; ``array_tasks`` says which
    ("3", "0-7", "4,6-9"), ``array_id`` of which array.
    """

    job_id: int
    array_id: int | None = None
    array_tasks: str = ""
    name: str
    user: str
    account: SlurmKey = ""
    partition: str = ""
    qos: SlurmKey = ""
    reservation: str = ""  # of a job that may use any of several: their names, with commas
    state: str
    reason: str = ""
    node: str = ""
    submitted_at: float | None = None
    started_at: float | None = None  # of a pending job: Slurm's estimate, where it has one
    ends_at: float | None = None
    limit_s: int | None = None
    exit_status: int | None = None  # 0..255, of an ended job
    exit_signal: int | None = None
    tres: str = ""
    rank: int | None = None  # of a pending job: how many are before it in its partition's queue, by priority

    @property
    def phase(self) -> Phase:
        return phase_of(self.state)

    @property
    def session(self) -> tuple[str, str] | None:
        """(hub id, session id) when the name is that of a session, else None."""
        match = JOB_NAME.fullmatch(self.name)
        return (match.group(1), match.group(2)) if match else None

    @property
    def cluster(self) -> tuple[str, str, str] | None:
        """(hub id, session id, cluster) when the name is that of the workers of a session's Dask cluster, else None."""
        match = CLUSTER_JOB_NAME.fullmatch(self.name)
        return (match.group(1), match.group(2), match.group(3)) if match else None


class Node(Frozen):
    """One node of one or more partitions, with what is left on it."""

    name: str
    address: str
    partitions: tuple[str, ...] = ()
    state: str = ""  # Slurm's long state, lower case, flags kept: idle, mixed, down*, drained
    usable: bool = True  # can jobs be placed on it at all
    cpus: int = 0
    cpus_free: int = 0
    memory_mb: int = 0
    memory_free_mb: int = 0
    gpus: dict[str, int] = Field(default={})  # type -> count; "" is an untyped GPU
    gpus_free: dict[str, int] = Field(default={})
    shards: int = 0
    shards_free: int = 0
    reason: str = ""  # why it is out of service, in the words of Slurm or of an administrator
    reason_since: float | None = None


class Reservation(Frozen):
    """A reservation of nodes; ``nodes`` as Slurm abbreviates them (``gpu[1-4]``).

    Of a ``flexible`` one (Slurm's flag FLEX) jobs may begin before it does, and go on when it is over.
    One for ``maintenance`` (Slurm's flag MAINT) keeps all jobs off its nodes. ``cpus`` and ``gpus``
    are all that it has, on all of its nodes (0: Slurm does not say); ``parts`` are its CPUs by node, where Slurm lists
    its cores.
    """

    name: str
    starts_at: float
    ends_at: float
    nodes: str
    flexible: bool = False
    maintenance: bool = False
    cpus: int = 0
    gpus: int = 0
    parts: tuple[tuple[str, int], ...] = ()


class Snapshot(FeedValue):
    """Everything known of Slurm at one moment, for everybody.

    ``jobs``, ``nodes`` and ``reservations`` are from the last questions that Slurm answered, at
    ``jobs_at``, ``nodes_at`` and ``reservations_at``. While ``unavailable_since`` is set Slurm does not
    answer, ``problem`` says how, and nothing may be concluded from a job's absence. With ``narrowed`` it does answer,
    but does not show the gateway all of our live jobs: those that are missing are there by another of its words.
    Reservations are asked for every few minutes, and as often as nodes while a session's job is in one. When one is
    over Slurm lets its jobs go on for ``over_run_s`` seconds (ResvOverRun).
    """

    TIMES: ClassVar = FeedValue.TIMES | {"jobs_at", "nodes_at", "reservations_at", "interval_s", "over_run_s"}

    jobs_at: float | None = None  # when the question was asked (not answered)
    nodes_at: float | None = None
    reservations_at: float | None = None
    narrowed: bool = False
    interval_s: float = 0.0
    over_run_s: float = 0.0
    jobs: tuple[Job, ...] = ()
    nodes: tuple[Node, ...] = ()
    reservations: tuple[Reservation, ...] = ()

    @property
    def asked_at(self) -> float | None:
        return self.jobs_at

    @property
    def age_s(self) -> float | None:
        return None if self.jobs_at is None else max(0.0, self.now - self.jobs_at)

    def reservation_of(self, job: Job) -> Reservation | None:
        """The reservation that a job is in, or waits for, where that is known.

        Which of several a running job was given Slurm does not say: the first to end of those that have begun,
        because an end that is told too early harms less than one that is told too late.
        """
        names = {job.reservation, *job.reservation.split(",")}
        found = [one for one in self.reservations if one.name in names]
        if job.phase is Phase.QUEUED:
            return min(found, key=lambda one: one.starts_at, default=None)
        return min(found, key=lambda one: (one.starts_at > self.now, one.ends_at), default=None)

    def end_of(self, job: Job) -> float | None:
        """When a job ends: at its time limit, or with its reservation where Slurm ends it before for that."""
        reserved = self.reservation_of(job) if job.phase is Phase.RUNNING else None
        if reserved is None or reserved.flexible:
            return job.ends_at
        latest = reserved.ends_at + self.over_run_s
        return latest if job.ends_at is None else min(job.ends_at, latest)


class JobSpec(Frozen):
    """What to ask Slurm for. Every field is typed; none is text for a shell.

    ``options``, ``prologue`` and ``epilogue`` are for sites that move from
    batchspawner (its ``req_options``, ``req_prologue``, ``req_epilogue``): they are
    the administrator's text, and the gateway refuses them unless its own site
    file says ``gateway.script_text_from_hub = true``.
    """

    partition: SlurmName | None = None
    account: AccountName | None = None
    qos: QosName | None = None
    reservation: SlurmName | None = None
    cluster: SlurmName | None = None
    cpus: int = Field(default=1, ge=1, le=4096)
    memory_mb: int | None = Field(default=None, ge=1, le=1 << 30)
    gres: tuple[Gres, ...] = ()
    minutes: int | None = Field(default=None, ge=1, le=60 * 24 * 366)
    exclusive: bool = False
    constraint: Annotated[str, matching(r"[A-Za-z0-9_.,&|!()\[\]*+-]{1,200}")] | None = None
    options: tuple[OneLine, ...] = ()
    prologue: str = ""
    epilogue: str = ""


class SessionFile(Frozen):
    """A file for the session's private directory (certificates)."""

    name: Annotated[str, matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")]
    content: str


class SubmitRequest(Frozen):
    """Submit the job of one session.

    ``environment`` and ``files`` may hold secrets: they are written, as the
    session's user, into a directory only that user can enter, and never reach
    sbatch. ``datasets`` are asked of the node, which opens those that the user was
    granted: this is a request, no authorisation. The files of a ``rescue`` session are kept where the site says that
    there is room when the home directory is full (``users.rescue_dir``). ``again`` says that this session may have been
    submitted before: the gateway then looks for its job first, in an answer newer than the request. ``job_id`` is the
    job that the hub has on record, if any: a name is its owner's text, so no other job of that name is adopted, unless
    the gateway itself submitted it. ``record`` is how far the hub's record is, and ``facts`` what it has there of this
    session: the gateway keeps both, for a hub that has lost its record.
    """

    session: SessionId
    user: HubUser
    image: Slug
    spec: JobSpec
    environment: dict[EnvName, str] = Field(default={})
    files: tuple[SessionFile, ...] = ()
    datasets: tuple[Slug, ...] = Field(default=(), max_length=100)
    rescue: bool = False
    again: bool = False
    job_id: int | None = Field(default=None, ge=1)
    record: RecordMark | None = None
    facts: SessionFacts | None = None


class Submitted(Frozen):
    """The job of a session; ``adopted`` when it was already there. ``words``: what the site says to its submission."""

    job_id: int
    adopted: bool = False
    words: str = ""


class CancelRequest(Frozen):
    """End the job of one session; ``why`` goes to the gateway's log.

    A ``stray`` is one that the hub has no row of: it ends only if the record with these ``lines`` must have had one.
    """

    session: SessionId
    user: HubUser
    why: Literal["stopped", "orphan", "stray", "operator", "failed", "replaced"] = "stopped"
    lines: tuple[RecordMark, ...] = Field(default=(), max_length=LINES_MOST)


class Found(Frozen):
    """What Slurm says of one job when it is asked for it by number; None: it has no such job.

    Of one that ended by no doing of its own there is more, where it is known: ``cancelled_by``, a Unix account, and
    ``node_reason``, why its node was taken out of service while the job had it.
    """

    job: Job | None = None
    cancelled_by: str = ""
    node_reason: str = ""


class ExtendRequest(Frozen):
    """Let the running job of one session have ``minutes`` in all, counted from its start.

    ``job_id`` and ``account`` are those on the session's record, ``partition`` its profile's, where that names one:
    a job that is none of these is given nothing, whatever its name.
    """

    session: SessionId
    user: HubUser
    job_id: int = Field(ge=1)
    account: AccountName
    partition: SlurmName | None = None
    minutes: int = Field(ge=1, le=60 * 24 * 366)


class SessionLog(Frozen):
    """The last lines of a session's own log, oldest first, control characters removed.

    ``begun`` is false while the job's script has not: there is no log yet, and nobody has taken what waits for it.
    """

    begun: bool = True
    lines: tuple[str, ...] = ()
    path: str = ""


def job_name(hub: str, session: str) -> str:
    """The name under which a session's job runs: its identity, also when the hub is gone."""
    return f"fabric-{hub}-{session}"
