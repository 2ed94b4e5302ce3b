"""Sends what stands in the outbox: by mail and by the site's hook, each channel by itself, one notice at a time.

It reads the record every few seconds, so what was put there before a restart is sent after it. A mail server that is
away holds up mail alone: all that waits for it waits together, and one notice at a time tries whether it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import Reader, language_of, reading
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.letter import heading, letter
from fabric_hub.notices.model import DAY_S, Channel, Kept, address_of, pause_after
from fabric_hub.sessions.readers import languages_of

from . import hook, mail

log = logging.getLogger(__name__)

EVERY_S = 3.0
_CLEAN_EVERY_S = 3600.0


class Courier:
    """The one sender of an outbox.

    :param clock: Unix seconds.
    """

    def __init__(self, settings: Settings, book: NoticeBook, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._book, self._clock = settings, book, clock
        self._failures = dict.fromkeys(Channel, 0)
        self._paused_until = dict.fromkeys(Channel, 0.0)
        self._cleaned_at = float("-inf")

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as channels:
            for channel in Channel:
                channels.create_task(self._serve(channel), name=f"notices by {channel}")

    async def _serve(self, channel: Channel) -> None:
        taken_up = False
        while True:
            try:
                if not taken_up:
                    await asyncio.to_thread(self.take_up, channel)
                    taken_up = True
                if channel is Channel.MAIL:
                    await self.clean()
                await self.send_all(channel)
            except FabricError as error:
                log.warning("Notices are sent later: %s", error)
            except Exception:  # a fault here ends no service that sessions need
                log.critical("Notices are sent later", exc_info=True)
            await asyncio.sleep(EVERY_S)

    def take_up(self, channel: Channel) -> None:
        """Before the first one is sent: what an earlier process was just sending may have arrived.

        :raises FabricError: the record cannot be used.
        """
        if left := self._book.take_up(channel):
            log.warning("Whether %d notices were sent by %s is not known; operators see which", left, channel)

    async def clean(self) -> None:
        """Give up what is too old to be sent, and forget what is older than the site keeps; once an hour.

        :raises FabricError: the record cannot be used.
        """
        now, settings = self._clock(), self._settings.notices
        if now - self._cleaned_at < _CLEAN_EVERY_S:
            return
        given_up = await asyncio.to_thread(self._book.give_up, now - settings.give_up_days * DAY_S)
        if given_up:
            log.warning("%d notices could not be sent and are not tried any more; operators see which", given_up)
        await asyncio.to_thread(self._book.forget_before, now - settings.keep_days * DAY_S)
        self._cleaned_at = now

    async def send_all(self, channel: Channel) -> int:
        """Send by a channel all that is due, until it takes nothing or nothing is left; how many were tried.

        :raises FabricError: the record cannot be used.
        """
        count = 0
        while self._clock() >= self._paused_until[channel]:
            notice = await asyncio.to_thread(self._book.due, channel, self._clock())
            if notice is None:
                break
            count += 1
            if channel is Channel.MAIL:
                await asyncio.to_thread(self._by_mail, notice)
            else:
                await self._by_hook(notice)
        return count

    def _by_mail(self, notice: Kept) -> None:
        settings, key, channel = self._settings, notice.key, Channel.MAIL
        address = address_of(settings, notice.person)
        if settings.mail is None or address is None:
            why = "mail.address leads to no address of this person any more"
            self._book.failed(key, channel, why, self._clock(), for_ever=True)
            return
        language = languages_of(self._book.engine, [notice.person]).get(notice.person)
        try:
            told = letter(settings, notice, address, Reader(language_of(language)), self._clock())
        except Exception as error:  # what no mail can be made of holds up no other
            log.exception("No mail can be made of notice %s", key[:12])
            self._book.failed(key, channel, f"no mail can be made of it: {error}", self._clock(), for_ever=True)
            return
        try:
            if mail.send(settings.mail, told, lambda: self._book.claim(key, channel)):
                self._book.sent(key, channel, self._clock())
            self._failures[channel] = 0
        except mail.ServerAwayError as error:
            self._book.failed(key, channel, str(error), self._clock())
            self._pause(channel, str(error))
        except mail.NotSentError as error:
            log.warning("Notice %s is not sent by mail: %s", key[:12], error)
            refused = isinstance(error, mail.RefusedError)
            self._book.failed(key, channel, str(error), self._clock(), for_ever=refused)
        except mail.PerhapsSentError as error:
            log.warning("Notice %s may have been sent by mail, or not: %s", key[:12], error)
            self._book.unsure(key, channel, str(error))
            self._pause(channel, str(error))

    def _pause(self, channel: Channel, why: str) -> None:
        self._failures[channel] += 1
        wait = pause_after(self._failures[channel])
        self._paused_until[channel] = self._clock() + wait
        log.warning("Notices go by %s again in %.0f s at the earliest: %s", channel, wait, why)

    async def _by_hook(self, notice: Kept) -> None:
        settings, key, channel = self._settings, notice.key, Channel.HOOK
        if not settings.notices.hook:
            self._book.failed(key, channel, "notices.hook is gone", self._clock(), for_ever=True)
            return
        if not await asyncio.to_thread(self._book.claim, key, channel):
            return
        language = await asyncio.to_thread(languages_of, self._book.engine, [notice.person])
        told = message(settings, notice, Reader(language_of(language.get(notice.person))))
        answer = await hook.run(settings.notices.hook, settings.notices.hook_timeout_s, told)
        match answer.outcome:
            case hook.Outcome.TOOK:
                await asyncio.to_thread(self._book.sent, key, channel, self._clock())
                self._failures[channel] = 0
            case hook.Outcome.REFUSED:
                await asyncio.to_thread(self._book.failed, key, channel, answer.why, self._clock())
            case hook.Outcome.UNKNOWN:
                await asyncio.to_thread(self._book.unsure, key, channel, answer.why)


def message(settings: Settings, notice: Kept, reader: Reader) -> dict[str, object]:
    """What the hook is told, in the person's language. Pure."""
    with reading(reader):
        said = {"heading": heading(notice), "text": notice.text.say()}
    return {
        "hub": settings.hub.id,
        "url": settings.hub.public_url or settings.hub.bind_url,
        "key": notice.key,
        "kind": notice.kind.value,
        "person": notice.person,
        "language": reader.language,
        "address": address_of(settings, notice.person),
        "subject": notice.subject,
        "code": notice.text.code,
        **said,
        "date": notice.entry.model_dump() if notice.entry else None,
        "at": notice.created_at,
    }
