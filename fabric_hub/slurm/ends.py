"""How a job came to its end, beyond Slurm's word for its state: who cancelled it, what befell its node."""

from __future__ import annotations

import asyncio
import logging
import pwd
import time
from typing import Protocol

from ..model import Found, Job, Phase
from .questions import SilentError

log = logging.getLogger(__name__)

# States in which a job ends by somebody else's doing, or by its node's.
BY_OTHERS = frozenset({"CANCELLED", "FAILED", "BOOT_FAIL", "LAUNCH_FAILED", "NODE_FAIL"})
# The database hears of a cancelled job a moment after it is.
_TRIES, _AGAIN_S = 4, 0.5
# Slurm keeps whole seconds, and drains a node before or after it ends the job.
_ABOUT_S = 3.0


class AsksAboutEnds(Protocol):
    async def cancelled_by(self, number: int) -> int | None: ...
    async def node_reason(self, node: str) -> tuple[str, float | None]: ...


async def explained(asks: AsksAboutEnds, job: Job | None) -> Found:
    """A job with what else is known of its end. What cannot be known now is left out."""
    if job is None or job.phase is not Phase.ENDED or job.state not in BY_OTHERS:
        return Found(job=job)
    by = await _cancelled_by(asks, job.job_id) if job.state == "CANCELLED" else ""
    return Found(job=job, cancelled_by=by, node_reason=await _node_reason(asks, job) if job.node else "")


async def _cancelled_by(asks: AsksAboutEnds, number: int) -> str:
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_AGAIN_S)
        try:
            uid = await asks.cancelled_by(number)
        except SilentError as error:
            log.warning("Who cancelled job %d is not known: %s", number, error)
            break
        if uid is not None:
            return await asyncio.to_thread(_name, uid)
    return ""


async def _node_reason(asks: AsksAboutEnds, job: Job) -> str:
    try:
        reason, since = await asks.node_reason(job.node)
    except SilentError as error:
        log.warning("What befell node %s is not known: %s", job.node, error)
        return ""
    began, over = job.started_at or job.submitted_at or 0.0, job.ends_at or time.time()
    return reason if since is not None and began - _ABOUT_S <= since <= over + _ABOUT_S else ""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
