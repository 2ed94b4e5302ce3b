"""What would start sooner than a job that waits, looked at anew with each word of Slurm on its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric_hub.launch.sooner import Sooner, sooner
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Phase, Snapshot

from .limits import refused_in

if TYPE_CHECKING:
    from .slurm_child import FabricSlurmSpawner


class Choices:
    """Of one spawner: everybody who follows its start is told the same."""

    def __init__(self) -> None:
        self._shown: object = None
        self._found: tuple[Sooner, ...] = ()

    def of(
        self, spawner: FabricSlurmSpawner, session: Session, job: Job | None, snapshot: Snapshot | None
    ) -> tuple[Sooner, ...]:
        """What would start sooner than this session's job; nothing where that does not wait, or has its alternative."""
        if session.pair is not None or job is None or job.phase is not Phase.QUEUED or snapshot is None:
            return ()
        shown = snapshot.nodes_at, snapshot.reservations_at, job.reason, job.rank
        if self._shown != shown:
            settings, req, limits = spawner.shared.settings, spawner.site_request(), spawner.shared.limits.value
            refused = refused_in(settings, session.user, session.project, limits, snapshot, req)
            found = sooner(settings, session, job, snapshot, spec=spawner.job_spec, req=req, refused=refused)
            self._shown, self._found = shown, found
        return self._found
