"""What the waiting page shows beside the sentence of :mod:`.progress`: its heading, the steps, and the queue. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fabric_hub.launch.sooner import Sooner
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.messages.texts import starts
from fabric_hub.messages.texts import waiting as texts
from fabric_hub.messages.texts.sessions import DEFAULT_NAME
from fabric_hub.sessions.steps import StepsReached
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Phase, Snapshot
from fabric_hub.slurm.place import ahead
from fabric_hub.slurm.reasons import explain, kept_from, partition_of

# What JupyterHub's progress bar calls the steps of a start.
SUBMITTING, WITH_SLURM, IN_QUEUE, ON_NODE, STARTING, READY = 10, 15, 20, 50, 60, 90
# What is said to a session's person in place of what is said of any job, such as a worker's.
OWN = {
    of_slurm.WAITS_UNSEEN.code: of_slurm.WAITS_UNSEEN,
    of_slurm.WAITS_PRIORITY.code: starts.JOBS_AHEAD,
    of_slurm.WAITS_RESOURCES.code: starts.YOU_ARE_NEXT,
}
# What says all of it by itself.
_WHOLE = {of_slurm.MAINTENANCE_FROM.code, of_slurm.MAINTENANCE_UNTIL.code}


def heading(progress: int, session: Session, job: Job | None, snapshot: Snapshot | None) -> Text:
    """What a start is doing, in few words.

    :param progress: the step that it is at.
    """
    if progress == IN_QUEUE and job is not None:
        if kept_from(job, snapshot):
            return texts.WAITING_FOR_MAINTENANCE()
        for_gpus = session.gpus and explain(job).code in OWN
        return texts.WAITING_FOR_GPU(n=session.gpus) if for_gpus else texts.WAITING_IN_QUEUE()
    node = (job.node if job else "") or session.node
    if progress == READY:
        return texts.HEAD_OPENING()
    if progress == STARTING and job is not None and job.phase is not Phase.RUNNING:
        return texts.HEAD_ENDING()
    if progress == STARTING:
        return texts.HEAD_STARTING(node=node) if node else texts.HEAD_STARTING_HERE()
    if progress == ON_NODE:
        return texts.HEAD_PREPARING(node=node or of_slurm.ITS_NODE())
    if snapshot is not None and snapshot.unavailable_since is not None and not snapshot.narrowed:
        return texts.WAITING_FOR_SLURM()
    return texts.HEAD_SUBMITTED() if progress == WITH_SLURM else texts.HEAD_SUBMITTING()


def step_times(session: Session, job: Job | None) -> dict[str, float]:
    """When a start came to each step, in Unix seconds; steps that it has not come to are left out."""
    times = {"submitted": session.created_at}
    if session.job_id is not None and session.submitted_at is not None:
        times["queue"] = session.submitted_at
    if job is not None and job.phase is not Phase.QUEUED and job.started_at is not None:
        times["node"] = max(job.started_at, times["submitted"])
    if session.announced_at is not None:
        times["ready"] = session.announced_at
    return times


def reached(session: Session, job: Job | None, prepares: bool) -> StepsReached:
    """How far a start has come, for the page of its failure.

    :param job: Slurm's last word on its job, also of one that has ended.
    :param prepares: the job ran by Slurm's word, and its script had not begun.
    """
    if session.announced_at is not None:
        progress = READY
    elif session.began_at is not None:
        progress = STARTING
    elif session.job_id is None:
        progress = SUBMITTING
    elif job is None:
        progress = WITH_SLURM
    elif job.phase is Phase.QUEUED or not job.node:  # it never had one
        progress = IN_QUEUE
    else:
        progress = ON_NODE if prepares else STARTING
    times = step_times(session, job)
    if progress < ON_NODE:
        times.pop("node", None)
    return StepsReached(progress=progress, times=times)


# The steps that the page shows: where each begins, and its name in what is kept of times.
STEPS = ((0, "submitted"), (IN_QUEUE, "queue"), (ON_NODE, "node"), (STARTING, "ready"))


def failed_at(steps: StepsReached) -> dict[str, str]:
    """The state of each step of a start that failed, by the step's name: "done", "wrong" or "later"."""
    begun = [name for at, name in STEPS if at <= steps.progress]
    return {name: "later" if name not in begun else "wrong" if name == begun[-1] else "done" for _, name in STEPS}


def of_pair(other: Session | None, pages: str) -> dict[str, str] | None:
    """What the page says of the session that may start in this one's place; None: there is none.

    :param pages: the address below which its waiting page is.
    """
    if other is None:
        return None
    name = other.server_name or DEFAULT_NAME()
    return {
        "text": texts.PAIRED(name=name).say(),
        "link": texts.PAIRED_PAGE(name=name).say(),
        "url": f"{pages}/{other.server_name}" if other.server_name else pages,
    }


def why_queued(job: Job, snapshot: Snapshot | None) -> tuple[Text, ...]:
    """Why a session's job waits, in words to its person where nothing but the queue holds it up."""
    why = explain(job, snapshot)
    if why.code in _WHOLE:
        return (why,)
    if why.code not in OWN:
        return starts.IN_QUEUE(job=job.job_id), why
    before = ahead(job, snapshot) if snapshot is not None else None
    if before and why.code != of_slurm.WAITS_UNSEEN.code:
        return (starts.SO_MANY_AHEAD(n=before),)
    said = OWN[why.code]
    return (said(partition=partition_of(job)) if said.fields else said(),)


def of_queue(job: Job, snapshot: Snapshot | None, choices: Sequence[Sooner] = ()) -> dict[str, Any]:
    """What the page shows of a job that waits: its place, when it is expected to start and by whose word, what would
    start sooner, and Slurm's own words on it."""
    at, basis = _expected(job, snapshot)
    return {
        "job": starts.JOB_IN(job=job.job_id, partition=partition_of(job)).say(),
        "why": " ".join(text.say() for text in why_queued(job, snapshot)),
        "ahead": ahead(job, snapshot) if snapshot is not None else None,
        "expected": at,
        "basis": basis.say() if basis else "",
        "sooner": [
            {
                "text": choice.text.say(),
                "query": urlencode({f"opt-{name}": value for name, value in choice.options.items()}),
            }
            for choice in choices
        ],
        "slurm": {
            "job": str(job.job_id),
            "partition": job.partition,
            "account": job.account,
            "qos": job.qos,
            "reason": job.reason,
        },
    }


def _expected(job: Job, snapshot: Snapshot | None) -> tuple[float | None, Text | None]:
    """When a waiting job is expected to start, and what that rests on."""
    reserved = snapshot.reservation_of(job) if snapshot and job.reservation else None
    if snapshot and reserved and reserved.starts_at > snapshot.now:
        return reserved.starts_at, texts.BY_RESERVATION(reservation=reserved.name)
    kept = kept_from(job, snapshot)
    if kept is not None and (job.started_at is None or job.started_at < kept.ends_at):
        return kept.ends_at, texts.BY_MAINTENANCE(reservation=kept.name)
    return job.started_at, texts.BY_SLURM() if job.started_at else None
