"""What the progress page says. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from typing import Any, NamedTuple

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.script import PROLOGUE_FAILED, PROLOGUE_WORDS
from fabric_hub.messages.formats import clock
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Found, Job, Phase, Snapshot
from fabric_hub.slurm.reasons import explain, silence


class Trouble(NamedTuple):
    """A submission that Slurm does not take: since when (Unix seconds), how many tries, and why the last one failed."""

    since: float
    tries: int
    why: str

    @classmethod
    def next(cls, before: Trouble | None, error: FabricError, now: float) -> Trouble:
        """After one more try that failed."""
        return cls(before.since if before else now, before.tries + 1 if before else 1, error.message)

    @property
    def sentence(self) -> str:
        tries = "once" if self.tries == 1 else f"{self.tries} times"
        return (
            f"Slurm has not taken this session's job since {clock(self.since)} (asked {tries}): {self.why} "
            "It is asked again every few seconds until it answers or you cancel this start."
        )


def progress_event(
    session: Session,
    job: Job | None,
    snapshot: Snapshot | None,
    *,
    trouble: Trouble | None = None,
    said: str = "",
    prepares: bool = False,
) -> dict[str, Any]:
    """The step a starting session is at, as JupyterHub's progress page takes it.

    ``progress`` is 10 submitting, 20 waiting in the queue, 50 a node that is made ready, 60 on a node, 90 server up.

    :param trouble: of its submission, while Slurm does not take it.
    :param said: what the site says to the submission.
    :param prepares: the job runs by Slurm's word, and its script has not begun.
    """
    event = _step(session, job, snapshot, trouble, prepares)
    if snapshot is not None and snapshot.narrowed:
        event["message"] += f" {silence(snapshot).say()}"
    return {**event, "message": f"{event['message']} The cluster says: {said}"} if said else event


def _step(
    session: Session, job: Job | None, snapshot: Snapshot | None, trouble: Trouble | None, prepares: bool
) -> dict[str, Any]:
    if session.port is not None:
        return {"progress": 90, "message": "The server is up; opening it."}
    if snapshot is not None and snapshot.unavailable_since is not None and not snapshot.narrowed:
        kept = f"job {session.job_id} keeps its place" if session.job_id else "this start is kept until it does"
        return {
            "progress": 15,
            "message": f"Slurm has not answered since {clock(snapshot.unavailable_since)}. "
            f"Nothing is lost: {kept}. {snapshot.problem.say()}".strip(),
        }
    if session.job_id is None and trouble is not None:
        return {"progress": 10, "message": trouble.sentence}
    if session.job_id is None:
        return {"progress": 10, "message": f"Submitting to Slurm, account {session.account}."}
    if job is None:
        return {"progress": 15, "message": f"Job {session.job_id} is submitted."}
    if job.phase is Phase.QUEUED:
        when = f" Slurm expects to start it at {clock(job.started_at)}." if job.started_at else ""
        return {"progress": 20, "message": f"Job {job.job_id} waits in the queue. {explain(job, snapshot).say()}{when}"}
    if job.phase is Phase.RUNNING and prepares:
        node = job.node or "its node"
        return {
            "progress": 50,
            "message": f"Job {job.job_id} has {node}. Slurm makes the node ready (Prolog); the session has not begun.",
        }
    if job.phase is Phase.RUNNING:
        return {"progress": 60, "message": f"Job {job.job_id} runs on {job.node or 'its node'}; starting the server."}
    return {"progress": 60, "message": f"Job {job.job_id} is ending. {explain(job).say()}"}


# What to do next, where the words for a state do not say it themselves.
_NEXT = {
    "CANCELLED": "Its job was cancelled in Slurm, not on a page of the hub. Start again when you like.",
    "COMPLETED": "Start again when you like.",
    "FAILED": "Start again when that is mended.",
}
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
        return FabricError(
            "Slurm no longer knows the session's job.",
            reason="job-gone",
            hint="Start again; files that were saved are still there.",
            status=424,
        )
    if job.state == "FAILED" and job.exit_status in _NO_PROGRAM and session.port is None:
        return FabricError(
            f"Image {session.image} is not there on node {job.node or 'of the job'}.",
            reason="image",
            hint="Choose another image, or tell the operators: "
            f"fabric-hub images build {session.image}, in a directory that all nodes see.",
            status=424,
        )
    if found.node_reason and session.port is None and not lines:
        return FabricError(
            f"Slurm could not make node {job.node} ready for the session and took it out of service: "
            f"{found.node_reason}. The session's program did not begin.",
            reason="node-not-ready",
            hint="Start again: it runs on another node. Operators: the node's Prolog and slurmd's log say more.",
            status=424,
        )
    if job.state == "CANCELLED" and found.cancelled_by:
        return _cancelled(found.cancelled_by, own)
    if prologue_failed(job) and session.port is None:
        for line in lines:
            if line.startswith(PROLOGUE_WORDS):
                return FabricError(
                    f"What this site runs first in every session failed on node {job.node or 'of the job'}, "
                    f"{line.removeprefix(PROLOGUE_WORDS).lstrip()}.",
                    reason="prologue",
                    hint="Tell the operators: it is gateway.prologue of the site's file; the log has the command's "
                    "own words. What may fail there ends in || true.",
                    status=424,
                )
    if was_killed(job) and any(_OUT_OF_MEMORY.search(line) for line in lines):
        job = job.model_copy(update={"state": "OUT_OF_MEMORY"})
    reason = job.state.lower().replace("_", "-")
    return FabricError(explain(job), reason=reason, hint=_NEXT.get(job.state, ""), status=424)


def _cancelled(by: str, own: str) -> FabricError:
    who, hint = f"by {by}", "Ask them why before you start again."
    if by == own:
        who, hint = f"by your own account {by}", "Start again when you like."
    elif by in _SLURMS_OWN:
        who, hint = f"by {by}, which is an administrator or Slurm itself", "Ask the operators why, or start again."
    message = f"The session was stopped. Its job was cancelled in Slurm {who}, not on a page of the hub."
    return FabricError(message, reason="cancelled", hint=hint, status=424)
