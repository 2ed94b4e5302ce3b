"""The end of a session's job and of its private files; what it leaves the reconciler ends and removes."""

from __future__ import annotations

import asyncio
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.sessions.status import JobPresence, standing
from fabric_hub.sessions.steps import StepsReached
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import CancelRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError

from .runtime import HubRuntime

GONE_PATIENCE_S = 15.0
END_AGAIN_S = 10.0  # between two tries to cancel what Slurm did not answer for


async def cancel(shared: HubRuntime, session: Session, why: Any) -> None:
    """Cancel a session's job if it has one.

    :raises FabricError: Slurm does not answer.
    """
    await shared.gateway.cancel(CancelRequest(session=session.id, user=session.user, why=why))


def end_on_record(
    shared: HubRuntime,
    session_id: str,
    reason: str,
    text: Text,
    log: tuple[str, ...] = (),
    steps: StepsReached | None = None,
) -> None:
    """Put on record that a session is over; the start that waits in a pair with it hears that it waits alone."""
    before = shared.store.get(session_id)
    shared.store.end(session_id, reason=reason, text=text, log=log, steps=steps)
    if before is not None and before.pair is not None:
        shared.ring(before.pair)


class Ending:
    """Ends sessions; never raises."""

    def __init__(self, shared: HubRuntime, log: Any) -> None:
        self._shared, self._log = shared, log

    async def abandon(self, session: Session) -> None:
        """After a failed start, or the end: no job may be left, nor what it would have read: tokens and keys."""
        if await self._cancel(session, "failed"):
            await self._remove(session)

    async def stop(self, session: Session, now: bool) -> None:
        """Cancel the job, and wait a moment until Slurm says that it is gone."""
        if not await self._cancel(session, "stopped"):
            return
        if session.job_id and not now:
            try:
                async with asyncio.timeout(GONE_PATIENCE_S):
                    async for snapshot in self._shared.follower.changes():
                        if standing(session, snapshot).presence is JobPresence.GONE:
                            break
            except TimeoutError:
                # it may write to its files until it has ended: the reconciler removes them then
                self._log.info("Job %s is still ending", session.job_id)
                return
        await self._remove(session)

    async def _cancel(self, session: Session, why: str) -> bool:
        """Whether its job is cancelled now. A job or files that are left the reconciler ends and removes."""
        try:
            await cancel(self._shared, session, why)
        except SlurmUnavailableError as error:
            self._log.warning("Session %s is to be cancelled later: %s", session.id, error)
            self._shared.spawn(self._cancel_later(session, why))
            return False
        except FabricError as error:  # asked again, it would say the same
            self._log.warning("Session %s was not cancelled: %s", session.id, error)
            return False
        return True

    async def _cancel_later(self, session: Session, why: str) -> None:
        await asyncio.sleep(END_AGAIN_S)
        if await self._cancel(session, why):
            await self._remove(session)

    async def _remove(self, session: Session) -> None:
        """Remove a session's private files: one that ended before its job read them leaves tokens and keys behind."""
        try:
            await self._shared.gateway.remove(session.id, session.user)
        except FabricError as error:
            self._log.warning("Files of session %s are left: %s", session.id, error)
