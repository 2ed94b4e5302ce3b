"""What the operators' page shows of the site's sessions and of the cluster: rows, the queue and four numbers. Pure.

All of it is from what the hub knows already, as on each person's own page (:mod:`.cards`): the sessions' record,
Slurm's last word on jobs and nodes, and what each session said of itself, which is shown as its own word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabric_hub.config.settings import Profile
from fabric_hub.launch.job_spec import gpu_name
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import home as home_texts
from fabric_hub.messages.texts import operate as texts
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.reports import SessionReport
from fabric_hub.sessions.status import JobPresence, SessionStatus
from fabric_hub.sessions.stops import Stop, soonest
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Node, Phase, Snapshot
from fabric_hub.slurm.reasons import explain

from .cards import cost, gpu_use
from .sessions import Shown

# What a session's own person is told of its job, in words for somebody else.
_TO_OPERATORS = {of_slurm.HELD_BY_USER.code: texts.HELD_BY_OWNER, of_slurm.HELD_BY_OPERATORS.code: texts.HELD}
_WORDS = {
    "running": home_texts.RUNNING,
    "queued": home_texts.QUEUED,
    "starting": home_texts.STARTING,
    "ending": home_texts.STOPPING,
    "unknown": texts.NOT_KNOWN,
}


@dataclass(frozen=True)
class Row:
    """One live session. Times are Unix seconds.

    ``state`` is a key of the words above. ``since`` is when its job was submitted, ``expected`` when Slurm expects it
    to start, ``why`` the reason that Slurm gives, ``stop`` an operator's order to end it. ``gpu`` and ``gpu_share`` (0
    to 1) are the session's own word.
    """

    id: str
    user: str
    server: str
    name: str
    about: Shown
    state: str
    word: Text
    since: float
    node: str = ""
    job: int | None = None
    why: Text | None = None
    expected: float | None = None
    ends_at: float | None = None
    gpu: Text | None = None
    gpu_share: float | None = None
    cost: Text | None = None
    stop: Stop | None = None

    @property
    def stoppable(self) -> bool:
        """Whether there is something to stop, and nobody does so already."""
        return self.state != "ending"


@dataclass(frozen=True)
class Gpus:
    """The GPUs of one type on nodes that are in service; ``name`` is as people write the type, "" of an untyped one."""

    name: str
    free: int
    total: int

    @property
    def text(self) -> Text:
        """It in words."""
        return texts.GPUS_FREE(free=self.free, total=self.total, type=self.name or texts.ANY_GPU())


@dataclass(frozen=True)
class Numbers:
    """``oldest`` is the session that has waited longest of those that wait; ``nodes_out`` nodes take no job."""

    running: int
    starting: int
    queued: int
    gpus: tuple[Gpus, ...]
    nodes_out: int
    oldest: Row | None

    @property
    def gpus_free(self) -> int:
        """Of all types."""
        return sum(one.free for one in self.gpus)

    @property
    def gpus_total(self) -> int:
        """Of all types."""
        return sum(one.total for one in self.gpus)

    @property
    def out_of_service(self) -> Text | None:
        """How many nodes take no job, in words; None where all do."""
        return texts.NODES_OUT(n=self.nodes_out) if self.nodes_out else None


def row(
    about: Shown,
    profile: Profile | None,
    status: SessionStatus,
    snapshot: Snapshot | None,
    report: SessionReport | None,
    now: float,
    stop: Stop | None = None,
) -> Row:
    """The row of a live session.

    :param profile: of the session; None: the site's file has it no longer.
    :param report: what the session said last.
    :param stop: the operator's order that stands for it.
    """
    session, job = about.session, status.alive
    state = state_of(session, status)
    running = job if job and job.phase is Phase.RUNNING else None
    said = report if report and report.fresh(now) and state == "running" else None
    percent = said.gpu_percent if said else None
    return Row(
        id=session.id,
        user=session.user,
        server=session.server_name,
        name=session.server_name or DEFAULT,
        about=about,
        state=state,
        word=_WORDS[state](),
        since=waits_since(session, job),
        node=(job.node if job else "") or session.node or "",
        job=session.job_id,
        why=_why(state, job, snapshot),
        expected=job.started_at if job and state == "queued" else None,
        ends_at=soonest(snapshot.end_of(running) if snapshot else None, stop) if running else None,
        gpu=gpu_use(said),
        gpu_share=max(percent) / 100 if percent else None,
        cost=cost(session, profile, job, running.started_at if running else None, now),
        stop=stop,
    )


def waits_since(session: Session, job: Job | None) -> float:
    """When a session's job was submitted, as Slurm has it or else its record, in Unix seconds."""
    return (job.submitted_at if job else None) or session.submitted_at or session.created_at


def state_of(session: Session, status: SessionStatus) -> str:
    """In which state a session is, by its record and Slurm's word."""
    job = status.alive
    if job is not None:
        if job.phase is Phase.QUEUED:
            return "queued"
        if job.phase is Phase.ENDING:
            return "ending"
        return "starting" if session.ready_at is None else "running"
    if session.kind != "slurm":
        return "starting" if session.ready_at is None else "running"
    if session.job_id is None:
        return "starting"
    return "ending" if status.presence is JobPresence.GONE else "unknown"


def _why(state: str, job: Job | None, snapshot: Snapshot | None) -> Text | None:
    if state == "unknown":
        return texts.SLURM_SAYS_NOTHING()
    if state != "queued" or job is None:
        return None
    why = explain(job, snapshot)
    if why.code not in _TO_OPERATORS:
        return why
    said = _TO_OPERATORS[why.code]
    return said(job=job.job_id) if said.fields else said()


def in_queue(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The sessions that wait for Slurm, the one that has waited longest first."""
    return tuple(sorted((one for one in rows if one.state == "queued"), key=lambda one: (one.since, one.id)))


def numbers(rows: Sequence[Row], snapshot: Snapshot | None) -> Numbers:
    """The page's four numbers, and what belongs to them."""
    waiting = in_queue(rows)
    nodes = snapshot.nodes if snapshot else ()
    return Numbers(
        running=sum(one.state == "running" for one in rows),
        starting=sum(one.state == "starting" for one in rows),
        queued=len(waiting),
        gpus=gpus_of(nodes),
        nodes_out=sum(not node.usable for node in nodes),
        oldest=waiting[0] if waiting else None,
    )


def gpus_of(nodes: Iterable[Node]) -> tuple[Gpus, ...]:
    """The GPUs by type, most of them first; those of nodes that take no job are not counted, free or not."""
    total: dict[str, int] = {}
    free: dict[str, int] = {}
    for node in nodes:
        if node.usable:
            _add(total, node.gpus)
            _add(free, {kind: node.gpus_free.get(kind, 0) for kind in node.gpus})
    found = [Gpus(gpu_name(kind) if kind else "", free[kind], count) for kind, count in total.items() if count]
    return tuple(sorted(found, key=lambda one: (-one.total, one.name)))


def _add(sums: dict[str, int], more: Mapping[str, int]) -> None:
    for kind, count in more.items():
        sums[kind] = sums.get(kind, 0) + count
