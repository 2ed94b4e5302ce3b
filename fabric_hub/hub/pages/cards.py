"""A session as the page Sessions shows it: a live one as a card, an ended one as a line. Pure.

All of it is from what the hub knows already: the session's record, Slurm's last word on its job, what JupyterHub says
of its server, and the session's own last report, which is shown as its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from fabric_hub.config.settings import Profile
from fabric_hub.hub.spawner.waiting import why_queued
from fabric_hub.launch.job_spec import describe, profile_spec
from fabric_hub.messages.text import SENTENCES, Reason, Text
from fabric_hub.messages.texts import home as texts
from fabric_hub.messages.texts import sessions as of_sessions
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.messages.texts import starts, stops
from fabric_hub.messages.texts import waiting as of_waiting
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.pairs import OTHER_STARTED
from fabric_hub.sessions.reports import SessionReport
from fabric_hub.sessions.stops import Stop, soonest
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Phase, Snapshot
from fabric_hub.slurm.notation import tres_counts

State = Literal["running", "queued", "starting", "ending"]

HOUR_S = 3600.0
# Whoever has waited for less than this has nothing to lose by leaving the queue.
WAITED_S = 60.0
# What a list says of an end, by the code of what is on record of it: all that there is to say.
_SHORT = {
    of_slurm.ENDED_TIME_LIMIT.code: of_slurm.SHORT_TIME_LIMIT,
    of_slurm.ENDED_OUT_OF_MEMORY.code: of_slurm.SHORT_OUT_OF_MEMORY,
    of_slurm.ENDED_PREEMPTED.code: of_slurm.SHORT_PREEMPTED,
    of_slurm.ENDED_NODE.code: of_slurm.SHORT_NODE,
    stops.ENDED_BY_OPERATOR.code: stops.SHORT_BY_OPERATOR,
    stops.ENDED_BY_LEAVING.code: stops.SHORT_BY_LEAVING,
    of_sessions.OTHER_STARTED.code: of_waiting.SHORT_OTHER_STARTED,
}
# Ends that somebody asked the hub for: nothing needs to be explained. Slurm's states are other facts, with labels of
# their own: that Slurm calls a job cancelled says that somebody else ended it.
WISHED = {"stopped", "replaced"}
# Nor did anything fail where a session ended because its time was over, or its place was wanted.
_ITS_TIME = {"timeout", "idle", "preempted", "cancelled", "completed", "continued"}
# Nor where an operator ended it, or its person left the project, also before it was ready.
_ORDERED = {"operator", "left"}


@dataclass(frozen=True)
class Server:
    """What JupyterHub says of a session's server: what is under way with it, and whether it can be opened.

    ``pending`` is spawn, stop, check, or None. ``notes`` are sentences for its person.
    """

    name: str
    pending: str | None
    ready: bool
    notes: tuple[Text | str, ...] = ()


@dataclass(frozen=True)
class Card:
    """A live session. Times are Unix seconds; ``share`` is the part of its time that has passed, 0 to 1.

    ``waits`` says why it waits and ``expected`` when Slurm expects it to start; ``loses`` is what its person would
    lose by stopping it now: nothing, and nobody need be asked. ``stop``: an operator ends it.
    """

    server: str
    name: str
    state: State
    word: Text
    asks: tuple[Text, ...] = ()
    node: str = ""
    ends_at: float | None = None
    share: float | None = None
    cost: Text | None = None
    gpu: Text | None = None
    waits: tuple[Text, ...] = ()
    expected: float | None = None
    loses: tuple[Text, ...] = ()
    notes: tuple[Text | str, ...] = ()
    stop: Stop | None = None
    ready: bool = False
    continuable: bool = False
    cancellable: bool = False

    @property
    def said_word(self) -> str:
        """The state, and that an operator ends it, for who hears of changes."""
        return f"{self.word.say()}. {self.stop.announced.say()}" if self.stop else self.word.say()

    @property
    def said_losses(self) -> list[str]:
        """What would be lost, in sentences for the reader."""
        return [text.say() for text in self.loses]


def card(
    server: Server,
    session: Session | None,
    profile: Profile | None,
    job: Job | None,
    snapshot: Snapshot | None,
    report: SessionReport | None,
    now: float,
    stop: Stop | None = None,
) -> Card:
    """The card of a server.

    :param session: its session on record; None: it has none yet.
    :param profile: of the session; None: the site's file has it no longer.
    :param job: the session's, while Slurm says that it lives.
    :param report: what the session said last.
    :param stop: the operator's order that stands for it.
    """
    state = state_of(server, job)
    fresh = report if report and report.fresh(now) else None
    running = job if job and job.phase is Phase.RUNNING else None
    ends = snapshot.end_of(running) if snapshot and running else None
    ends = soonest(ends, stop) if running else ends
    began = running.started_at if running else None
    share = (now - began) / (ends - began) if began is not None and ends is not None and ends > began else None
    return Card(
        server=server.name,
        name=server.name or DEFAULT,
        state=state,
        word=texts.RECONNECTING() if server.pending == "check" else _WORDS[state](),
        asks=asks_of(session, profile, job),
        node=(job.node if job else "") or (session.node if session else "") or "",
        ends_at=ends,
        share=None if share is None else min(1.0, max(0.0, share)),
        cost=cost(session, profile, job, began, now),
        gpu=gpu_use(fresh) if state == "running" else None,
        waits=why_it_waits(job, snapshot) if state == "queued" and job else (),
        expected=job.started_at if state == "queued" and job else None,
        loses=loses(state, session, job, snapshot, fresh, now),
        notes=server.notes,
        stop=stop,
        ready=server.ready,
        continuable=server.ready and session is not None and session.ready_at is not None,
        cancellable=server.pending == "spawn",
    )


_WORDS = {"running": texts.RUNNING, "queued": texts.QUEUED, "starting": texts.STARTING, "ending": texts.STOPPING}


def of_pair(session: Session | None, other: Session | None) -> tuple[Text, ...]:
    """What a live session's card says of the one that may start in its place, or might have."""
    if session is None or other is None:
        return ()
    name = other.server_name or DEFAULT
    return (of_waiting.PAIRED(name=name) if session.pair else of_waiting.STARTED_FIRST(name=name),)


def state_of(server: Server, job: Job | None) -> State:
    """In which state a session is to its person, by JupyterHub's word and Slurm's."""
    if server.pending == "stop" or (job is not None and job.phase is Phase.ENDING):
        return "ending"
    if server.pending == "spawn":
        return "queued" if job is not None and job.phase is Phase.QUEUED else "starting"
    return "starting" if server.pending == "check" else "running"


def asks_of(session: Session | None, profile: Profile | None, job: Job | None) -> tuple[Text, ...]:
    """What a session has or asks for, part by part: its profile's GPUs, cores and memory, or Slurm's count of them."""
    if session is None or profile is None or profile.kind != "slurm":
        return ()
    spec, counts = profile_spec(profile, {}), tres_counts(job.tres) if job else {}
    counted = {"cpus": counts.get("cpu"), "memory_mb": counts.get("mem")}
    return describe(spec.model_copy(update={name: count for name, count in counted.items() if count}))


def cost(
    session: Session | None, profile: Profile | None, job: Job | None, began: float | None, now: float
) -> Text | None:
    """What a running session has taken so far: GPU-hours, or CPU-hours where it has no GPU."""
    if session is None or job is None or began is None:
        return None
    hours = max(0.0, now - began) / HOUR_S
    if session.gpus:
        return _so_far(texts.GPU_HOURS_SO_FAR, session.gpus * hours)
    cpus = tres_counts(job.tres).get("cpu") or (profile.cpus if profile else 0)
    return _so_far(texts.CPU_HOURS_SO_FAR, cpus * hours) if cpus else None


def _so_far(reason: Reason, amount: float) -> Text:
    amount = round(amount, 1)
    return reason(n=amount, amount=amount)


def gpu_use(report: SessionReport | None) -> Text | None:
    """How busy a session's GPUs are by its own word; None where it has said nothing lately."""
    if report is None or not report.gpu_percent:
        return None
    return texts.GPU_USE(share=max(report.gpu_percent) / 100)


def why_it_waits(job: Job, snapshot: Snapshot | None) -> tuple[Text, ...]:
    """Its place in the queue and why a job waits, in words for its person."""
    return tuple(text for text in why_queued(job, snapshot) if text.code != starts.IN_QUEUE.code)


def loses(
    state: State,
    session: Session | None,
    job: Job | None,
    snapshot: Snapshot | None,
    report: SessionReport | None,
    now: float,
) -> tuple[Text, ...]:
    """What a person would lose by stopping a session now, as far as that is known; () for nothing.

    :param report: what the session said lately; None: nothing, and then nobody knows.
    """
    if state == "queued":
        since = (job.submitted_at if job else None) or (session.created_at if session else now)
        if now - since <= WAITED_S or job is None:
            return ()
        return (*why_it_waits(job, snapshot), texts.PLACE_LOST())
    if state != "running":
        return ()
    if report is None or (report.kernels_busy is None and report.unsaved is None):
        return (texts.ALL_UNKNOWN(),)
    found = []
    if report.kernels_busy is None:
        found.append(texts.RUNS_UNKNOWN())
    elif report.kernels_busy:
        found.append(texts.CELLS_RUN(n=report.kernels_busy))
    if report.others_busy:
        found.append(texts.OTHERS_RUN())
    if report.unsaved is None:
        found.append(texts.UNSAVED_UNKNOWN())
    elif report.unsaved:
        found.append(texts.UNSAVED(n=report.unsaved))
    return tuple(found)


@dataclass(frozen=True)
class Ended:
    """An ended session. ``state`` is how and when it ended in few words, ``more`` what else there is to say of it.

    ``failed``: it did not start, or something broke.
    """

    id: str
    server: str
    name: str
    at: float
    state: Text
    more: Text | None
    failed: bool
    log: tuple[str, ...]
    options: str  # of the address of the start form that is filled with its choices
    visits: tuple[Text, ...] = ()  # of operators who opened it


def ended(session: Session) -> Ended:
    """The line of an ended session."""
    at = session.ended_at or 0.0
    wished = session.end_reason in WISHED
    text = None if wished else session.end_text
    short = in_short(text, at)
    if wished:
        state: Text | None = texts.SHORT_STOPPED(at=at)
    else:
        state = short or (texts.SHORT_FAILED(at=at) if session.ready_at is None else None)
    ordered = wished or session.end_reason in {*_ORDERED, OTHER_STARTED}
    failed = not ordered and (session.ready_at is None or session.end_reason not in _ITS_TIME)
    return Ended(
        id=session.id,
        server=session.server_name,
        name=session.server_name or DEFAULT,
        at=at,
        state=state or of_slurm.ENDED_AT(at=at),
        more=None if short else text,
        failed=failed,
        log=(session.end_log or ()) if failed else (),
        options=urlencode(choices_of(session), doseq=True),
    )


def choices_of(session: Session) -> Mapping[str, object]:
    """The query of a start form that is filled with a session's choices; it starts nothing."""
    chosen = {
        "opt-project": session.project,
        "opt-profile": session.profile,
        "opt-image": session.image,
        "opt-hours": f"{session.hours:g}",
    }
    return {**chosen, "opt-datasets": list(session.datasets)} if session.datasets else chosen


def in_short(text: Text | None, at: float) -> Text | None:
    """When and why a session ended, in few words; None where it takes more."""
    said = text.params["all"][0] if text and text.code == SENTENCES else text
    short = _SHORT.get(said.code) if isinstance(said, Text) else None
    return short(at=at, **said.params) if short and said else None
