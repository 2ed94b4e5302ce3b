"""Whether the script of a session's job has begun, and how long its server may take from then on."""

from __future__ import annotations

import time
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import starts as texts
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Phase

from .runtime import HubRuntime


class Script:
    """The script of one start's job.

    :param start_limit_s: how long it may run before its server answers.
    :param preparing_limit_s: how long Slurm may make the node ready before it begins.
    """

    def __init__(self, shared: HubRuntime, start_limit_s: float, preparing_limit_s: float, log: Any) -> None:
        self._shared, self._log = shared, log
        self._start_limit_s, self._preparing_limit_s = start_limit_s, preparing_limit_s
        self._began_at: float | None = None  # when it was first seen to have begun
        self.prepares = False  # the job has its node, and its script has not begun

    async def time_left(self, session: Session, job: Job | None) -> float:
        """Seconds until a job whose script runs without a server counts as failed; a queued one has all the time."""
        if job is None or job.phase is not Phase.RUNNING or job.started_at is None:
            return self._start_limit_s
        if self._began_at is None and job.started_at + self._start_limit_s <= time.time():
            await self.look(session, job)  # nobody has looked before
        if self.prepares:
            return job.started_at + self._preparing_limit_s - time.time()
        return (self._began_at or job.started_at) + self._start_limit_s - time.time()

    async def look(self, session: Session, job: Job | None) -> None:
        """Look whether a running job's script has begun: Slurm calls a job running while it makes the node ready.

        Where nobody can tell, it counts as begun with the job.
        """
        if job is None or job.phase is not Phase.RUNNING or self._began_at is not None:
            return
        if session.began_at is not None:  # it has said so itself
            self._began_at, self.prepares = session.began_at, False
            return
        try:
            begun = (await self._shared.gateway.log(session.id, session.user)).begun
        except FabricError as error:
            self._log.warning("Whether the script of session %s has begun is not known: %s", session.id, error)
            return
        if begun:
            self._began_at = time.time()  # seconds ago at most, which it is given
        if self.prepares == begun:
            self.prepares = not begun
            self._shared.follower.look_again()

    def too_slow(self, job: Job | None) -> FabricError:
        """Why a start whose time is over has failed."""
        if self.prepares:
            node = (job.node if job else "") or texts.THE_NODE()
            return FabricError(texts.NODE_NOT_READY(node=node, seconds=self._preparing_limit_s))
        return FabricError(texts.NO_ANSWER(seconds=self._start_limit_s))
