"""Sessions that say how idle they are, and what the hub makes of it: the profile's policy decides, not the session."""

from __future__ import annotations

import logging

from fabric_hub.budgets.idle import (
    REPORT_EVERY_S,
    Report,
    Watch,
    judge,
    report_every_s,
    returned_gpu_hours,
    stop_message,
)
from fabric_hub.budgets.months import MonthBook, hours_not_used
from fabric_hub.budgets.schemas import IdlePolicy
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.sessions.reports import FRESH_S, ReportBook, SessionReport
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Snapshot

from .stops import Stopping, Stops

log = logging.getLogger(__name__)

_FORGET_S = 3600.0


class IdleAnswer(WithTexts):
    """What the hub makes of a report. ``state`` "off": the profile has no policy.

    A warning says that ``what`` is so since ``quiet_since``; its ``text`` is the whole sentence.
    """

    state: str
    idle_for_s: float = 0.0
    stop_at: float | None = None
    text: Said = NOTHING
    what: Said = NOTHING
    quiet_since: float | None = None
    next_report_s: float = REPORT_EVERY_S


def policy_of(settings: Settings, session: Session) -> IdlePolicy | None:
    """The idle policy of a session's profile; None: it is never stopped for being idle."""
    profile = settings.profile.get(session.profile)
    if profile is None or profile.idle_minutes is None:
        return None
    return IdlePolicy(
        minutes=profile.idle_minutes, gpu_percent=profile.idle_gpu_percent, warn_minutes=profile.idle_warn_minutes
    )


class IdleSessions:
    """Remembers what sessions reported, in memory: a service that was started again begins anew."""

    def __init__(self, settings: Settings, store: SessionStore, hub: Stopping) -> None:
        self._settings = settings
        self._reports = ReportBook(store.engine)
        self._months = MonthBook(store.engine)
        self._watches: dict[str, Watch] = {}
        self._stops = Stops(store, hub)

    def keep(self, session: Session, report: SessionReport) -> None:
        """Write down what a session says of itself, for its person's page and the month's sheet; without that it is
        judged all the same."""
        try:
            before = self._reports.write(session.id, report)
            profile = self._settings.profile.get(session.profile)
            if before is not None and report.gpu_percent and session.gpus and profile is not None:
                seconds = min(max(report.at - before, 0.0), FRESH_S)
                said = report.gpu_percent[: session.gpus]
                self._months.note_idle(session.project, *hours_not_used(said, profile.idle_gpu_percent, seconds))
        except FabricError as error:
            log.warning("What session %s says of itself is not kept: %s", session.id, error)

    def report(self, session: Session, report: Report, snapshot: Snapshot | None, now: float) -> IdleAnswer:
        """Take a session's report; one that has been idle for too long is stopped."""
        policy = policy_of(self._settings, session)
        if policy is None:
            return IdleAnswer(state="off")
        watch, decision = judge(policy, session.gpus, self._watches.get(session.id), report, now)
        self._remember(session.id, watch, now)
        if decision.state != "stop":
            return IdleAnswer(
                state=decision.state,
                idle_for_s=decision.idle_for_s,
                stop_at=decision.stop_at,
                text=decision.text,
                what=decision.what,
                quiet_since=decision.quiet_since,
                next_report_s=report_every_s(policy),
            )
        job = standing(session, snapshot).job
        returned = returned_gpu_hours(session.gpus, snapshot.end_of(job) if snapshot and job else None, now)
        text = stop_message(decision.idle_for_s, session.gpus, returned, session.project)
        self._stops.end(session, reason="idle", text=text, returned=returned)
        del self._watches[session.id]
        return IdleAnswer(state="stopped", idle_for_s=decision.idle_for_s, stop_at=now, text=text)

    def _remember(self, session_id: str, watch: Watch, now: float) -> None:
        if session_id not in self._watches:
            self._watches = {name: one for name, one in self._watches.items() if now - one.seen_at < _FORGET_S}
        self._watches[session_id] = watch

    async def close(self) -> None:
        """Let stops that have begun reach the hub."""
        await self._stops.close()
