"""Taking up a session that this record does not have, from what the gateway and Slurm know of it. Pure."""

from __future__ import annotations

from typing import Any

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import held as texts
from fabric_hub.slurm.model import Job, Phase
from fabric_hub.slurm.records import Witness


def why_not_openable(job: Job, witness: Witness | None) -> Text | None:
    """Why a session cannot be taken up so that its owner can open it; None when it can."""
    if witness is None or witness.facts is None or witness.facts.token_hash is None:
        return texts.NOT_KEPT()
    if job.phase is Phase.RUNNING and witness.port is None:
        return texts.NO_PORT()
    if job.phase in (Phase.ENDING, Phase.ENDED):
        return texts.IS_OVER()
    return None


def row_of(job: Job, witness: Witness) -> dict[str, Any]:
    """The row of a session that :func:`why_not_openable` says nothing against."""
    facts = witness.facts
    assert facts is not None
    begun = job.started_at if job.phase is Phase.RUNNING else None
    return {
        **facts.model_dump(),
        "id": witness.session,
        "user": witness.user,
        "job_id": job.job_id,
        "submitted_at": job.submitted_at or facts.created_at,
        "node": job.node or None,
        "port": witness.port,
        # when it was up is not kept: its time counts from its job's start, as Slurm counts it
        "announced_at": begun if witness.port else None,
        "ready_at": begun if witness.port else None,
    }
