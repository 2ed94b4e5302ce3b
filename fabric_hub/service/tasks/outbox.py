"""Sends what people reported to the site's support: one report at a time, each once, in the background.

It reads the record every few seconds, so what was reported before a restart is sent after it. The hub itself only
writes to the record: a mail server that is slow or down holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.sessions.problem_text import as_text
from fabric_hub.sessions.problems import ProblemReport, ReportDesk

from . import hook, mail

log = logging.getLogger(__name__)

EVERY_S = 3.0
_CLEAN_EVERY_S = 3600.0
DAY_S = 86400.0


def sends(settings: Settings) -> bool:
    """Whether the site has a way to send reports. Pure."""
    return bool(settings.reports.hook) or settings.mail is not None


class Outbox:
    """The one sender of a record's reports."""

    def __init__(self, settings: Settings, desk: ReportDesk) -> None:
        self._settings, self._desk = settings, desk
        self._cleaned_at = float("-inf")

    async def run(self) -> None:
        """Until cancelled."""
        taken_up = False
        while True:
            try:
                if not taken_up:
                    if left := await asyncio.to_thread(self._desk.take_up):
                        log.warning("Whether %d reports of problems were sent is not known; operators see which", left)
                    taken_up = True
                await self.clean()
                while sends(self._settings) and await self.send_one():
                    pass
            except FabricError as error:
                log.warning("Reports of problems are sent later: %s", error)
            await asyncio.sleep(EVERY_S)

    async def clean(self) -> None:
        """Remove what is older than the site keeps; once an hour."""
        if time.monotonic() - self._cleaned_at >= _CLEAN_EVERY_S:
            await asyncio.to_thread(self._desk.forget_before, time.time() - self._settings.reports.keep_days * DAY_S)
            self._cleaned_at = time.monotonic()

    async def send_one(self) -> bool:
        """Try the report that is due; False: none is.

        :raises FabricError: the record cannot be used.
        """
        report = await asyncio.to_thread(self._desk.due)
        if report is None:
            return False
        if self._settings.reports.hook:
            await self._by_hook(report)
        else:
            await asyncio.to_thread(self._by_mail, report)
        return True

    async def _by_hook(self, report: ProblemReport) -> None:
        if not await asyncio.to_thread(self._desk.claim, report.reference):
            return
        told = message(self._settings, report)
        answer = await hook.run(self._settings.reports.hook, self._settings.reports.hook_timeout_s, told)
        match answer.outcome:
            case hook.Outcome.TOOK:
                await asyncio.to_thread(self._desk.sent, report.reference)
            case hook.Outcome.REFUSED:
                await asyncio.to_thread(self._desk.failed, report.reference, answer.why)
            case hook.Outcome.UNKNOWN:
                await asyncio.to_thread(self._desk.unsure, report.reference, answer.why)

    def _by_mail(self, report: ProblemReport) -> None:
        settings, reference = self._settings, report.reference
        assert settings.mail is not None
        letter = mail.letter(settings, report, as_text(report))
        try:
            if mail.send(settings.mail, letter, lambda: self._desk.claim(reference)):
                self._desk.sent(reference)
        except mail.NotSentError as error:
            log.warning("Report %s is not sent yet: %s", reference, error)
            self._desk.failed(reference, str(error))
        except mail.PerhapsSentError as error:
            log.warning("Report %s may have been sent, or not: %s", reference, error)
            self._desk.unsure(reference, str(error))


def message(settings: Settings, report: ProblemReport) -> dict[str, object]:
    """What the hook is told. Pure."""
    return {
        "hub": settings.hub.id,
        "url": settings.hub.public_url or settings.hub.bind_url,
        "reference": report.reference,
        "text": as_text(report),
        **report.model_dump(mode="json"),
    }
