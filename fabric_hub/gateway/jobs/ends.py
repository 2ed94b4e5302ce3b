"""How a job came to its end, beyond Slurm's word for its state: who cancelled it, what befell its node."""

from __future__ import annotations

import asyncio
import logging
import pwd
from typing import Protocol

from fabric_hub.gateway.queries.queries import UnavailableError
from fabric_hub.slurm.model import Found, Job, Phase
from fabric_hub.slurm.reasons import BY_OTHERS, meanwhile

log = logging.getLogger(__name__)

# The database hears of a cancelled job a moment after it is.
_TRIES, _AGAIN_S = 4, 0.5


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
        except UnavailableError as error:
            log.warning("Who cancelled job %d is not known: %s", number, error)
            break
        if uid is not None:
            return await asyncio.to_thread(_name, uid)
    return ""


async def _node_reason(asks: AsksAboutEnds, job: Job) -> str:
    try:
        reason, since = await asks.node_reason(job.node)
    except UnavailableError as error:
        log.warning("What befell node %s is not known: %s", job.node, error)
        return ""
    return reason if meanwhile(job, since) else ""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
