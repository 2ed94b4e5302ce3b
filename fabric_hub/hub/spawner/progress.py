"""What the progress page says. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.script import PROLOGUE_FAILED, PROLOGUE_WORDS
from fabric_hub.launch.sooner import Sooner
from fabric_hub.messages.text import NOTHING, Text, message_of, sentences
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.messages.texts import starts as texts
from fabric_hub.messages.texts.gateway import CLUSTER_SAYS
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Found, Job, Phase, Snapshot
from fabric_hub.slurm.reasons import explain, silence

from . import waiting


class Trouble(NamedTuple):
    """A submission that Slurm does not take: since when (Unix seconds), how many tries, and why the last one failed."""

    since: float
    tries: int
    why: Text

    @classmethod
    def next(cls, before: Trouble | None, error: FabricError, now: float) -> Trouble:
        """After one more try that failed."""
        return cls(before.since if before else now, before.tries + 1 if before else 1, message_of(error))

    @property
    def text(self) -> Text:
        return texts.TAKES_NO_JOB(n=self.tries, since=self.since, why=self.why)


def progress_event(
    session: Session,
    job: Job | None,
    snapshot: Snapshot | None,
    *,
    trouble: Trouble | None = None,
    said: str = "",
    prepares: bool = False,
    choices: Sequence[Sooner] = (),
    pair: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The step a starting session is at, as JupyterHub's progress page takes it.

    ``progress`` is 10 submitting, 20 waiting in the queue, 50 a node that is made ready, 60 on a node, 90 server up.
    ``heading`` says that in few words, ``times`` when it came to each step, in Unix seconds. While it waits in the
    queue there is what :func:`~.waiting.of_queue` knows, too: ``ahead``, ``expected``, ``basis``, ``sooner``.

    :param trouble: of its submission, while Slurm does not take it.
    :param said: what the site says to the submission.
    :param prepares: the job runs by Slurm's word, and its script has not begun.
    :param choices: what would start sooner.
    :param pair: the session that may start in its place, as :func:`~.waiting.of_pair` says it: ``pair`` of the event.
    """
    progress, text = _step(session, job, snapshot, trouble, prepares)
    silent = silence(snapshot) if snapshot is not None and snapshot.narrowed else None
    words = CLUSTER_SAYS(words=said) if said else None
    event: dict[str, Any] = {
        "progress": progress,
        "heading": waiting.heading(progress, session, job, snapshot).say(),
        "message": sentences(text, silent, words).say(),
        "times": waiting.step_times(session, job),
        "session": session.id,
    }
    if pair is not None:
        event["pair"] = dict(pair)
    if progress != waiting.IN_QUEUE or job is None:
        return event
    queue = waiting.of_queue(job, snapshot, choices)
    also = sentences(silent, words).say() if silent or words else ""
    return {**event, **queue, "why": f"{queue['why']} {also}".strip()}


def _step(
    session: Session, job: Job | None, snapshot: Snapshot | None, trouble: Trouble | None, prepares: bool
) -> tuple[int, Text]:
    if session.port is not None:
        return waiting.READY, texts.OPENING()
    if snapshot is not None and snapshot.unavailable_since is not None and not snapshot.narrowed:
        since = snapshot.unavailable_since
        kept = texts.SILENT_START_KEPT(since=since)
        if session.job_id:
            kept = texts.SILENT_JOB_KEPT(since=since, job=session.job_id)
        return waiting.WITH_SLURM, sentences(kept, snapshot.problem)
    if session.job_id is None and trouble is not None:
        return waiting.SUBMITTING, trouble.text
    if session.job_id is None:
        return waiting.SUBMITTING, texts.SUBMITTING(account=session.account)
    if job is None:
        return waiting.WITH_SLURM, texts.SUBMITTED(job=session.job_id)
    node = job.node or of_slurm.ITS_NODE()
    if job.phase is Phase.QUEUED:
        expected = texts.EXPECTED(at=job.started_at) if job.started_at else None
        return waiting.IN_QUEUE, sentences(*waiting.why_queued(job, snapshot), expected)
    if job.phase is Phase.RUNNING and prepares:
        return waiting.ON_NODE, texts.PREPARING(job=job.job_id, node=node)
    if job.phase is Phase.RUNNING:
        return waiting.STARTING, texts.STARTING(node=node)
    return waiting.STARTING, sentences(texts.JOB_ENDING(job=job.job_id), explain(job))


_NEXT = {"CANCELLED": texts.NEXT_CANCELLED, "COMPLETED": texts.NEXT_COMPLETED, "FAILED": texts.NEXT_FAILED}
# Accounts under which Slurm itself cancels, too.
_SLURMS_OWN = frozenset({"root", "slurm"})
# What a shell answers for a program that is not there, or that cannot be run (POSIX, exec).
_NO_PROGRAM = (126, 127)
# Where Slurm itself ends jobs that take too much memory (JobAcctGatherParams=OverMemoryKill), their state says
# FAILED, and only slurmstepd's line in their log tells.
_OUT_OF_MEMORY = re.compile(r"^slurmstepd\S*: error: .*exceeded (?:job |step )?memory limit", re.IGNORECASE)


def was_killed(job: Job | None) -> bool:
    """Whether a job ended by SIGKILL and Slurm's state does not say why."""
    return job is not None and job.state == "FAILED" and job.exit_signal == signal.SIGKILL


def prologue_failed(job: Job | None) -> bool:
    """Whether a job ended as one does whose site's prologue failed; its log says where."""
    return job is not None and job.state == "FAILED" and job.exit_status == PROLOGUE_FAILED


def why_gone(session: Session, found: Found, lines: Sequence[str] = (), own: str = "") -> FabricError:
    """Why a session's job is gone, in Slurm's word where there is one, and by whom, where that is known.

    :param lines: the end of its log, where :func:`was_killed`, :func:`prologue_failed`, or something befell its node.
    :param own: the Unix account of the session's user.
    """
    job = found.job
    if job is None:
        return FabricError(texts.JOB_GONE())
    node = job.node or texts.NODE_OF_JOB()
    if job.state == "FAILED" and job.exit_status in _NO_PROGRAM and session.port is None:
        return FabricError(texts.IMAGE_MISSING(image=session.image, node=node))
    if found.node_reason and session.port is None and not lines:
        return FabricError(texts.NODE_TAKEN_OUT(node=node, why=found.node_reason))
    if job.state == "CANCELLED" and found.cancelled_by:
        return FabricError(_cancelled(found.cancelled_by, own))
    if prologue_failed(job) and session.port is None:
        for line in lines:
            if line.startswith(PROLOGUE_WORDS):
                return FabricError(texts.PROLOGUE_FAILED(node=node, where=line.removeprefix(PROLOGUE_WORDS).lstrip()))
    if was_killed(job) and any(_OUT_OF_MEMORY.search(line) for line in lines):
        job = job.model_copy(update={"state": "OUT_OF_MEMORY"})
    ended = explain(job)
    if ended.code == of_slurm.FAILED_EXIT.code and session.port is None:
        return FabricError(texts.COULD_NOT_START(exit=job.exit_status))
    reason = job.state.lower().replace("_", "-")
    hint = _NEXT[job.state]() if job.state in _NEXT else NOTHING
    return FabricError(ended, reason=reason, hint=hint, status=424)


def _cancelled(by: str, own: str) -> Text:
    if by == own:
        return texts.CANCELLED_BY_SELF(by=by)
    if by in _SLURMS_OWN:
        return texts.CANCELLED_BY_SLURM(by=by)
    return texts.CANCELLED_BY(by=by)
