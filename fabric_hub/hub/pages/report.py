"""Report a problem (``/hub/report``): what would be sent is shown first, and exactly that is sent.

What the hub adds to a person's words goes with the form, signed for that person, and comes back with it: between the
two nothing of it changes, also where the hub is started anew. It is written to the record; the service sends it
(:mod:`fabric_hub.service.tasks.outbox`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import url_path_join
from pydantic import ValidationError
from tornado import web

from fabric_hub import __version__
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.logs.redaction import redact, redact_lines
from fabric_hub.messages.reader import current
from fabric_hub.messages.texts import problems as texts
from fabric_hub.service.tasks.outbox import sends
from fabric_hub.sessions.problem_text import lines_of
from fabric_hub.sessions.problems import (
    LOG_LINES,
    LONGEST_LINE,
    LONGEST_WORDS,
    REFERENCE,
    Facts,
    ProblemReport,
    new_reference,
)
from fabric_hub.sessions.store import Session

from .sessions import called, end_words

log = logging.getLogger(__name__)

PATH: Final = "/report"
_SESSION_ID = re.compile(r"[a-z2-7]{12}")
_SERVER = re.compile(r"[a-z0-9-]{0,40}")
# A form that was shown longer ago is shown once more.
_SHOWN_DAYS = 1
# How long the page waits for the end of a log that is on a shared file system, and how long that is remembered.
_LOG_S, _LOG_HOLDS_S = 5.0, 10.0
_LOGS_MOST = 1000


class Report(BaseHandler):  # type: ignore[misc]
    """``GET /hub/report``: the form, with what is sent beside it; it sends nothing.

    Where one comes from: ``?page=PATH&status=HTTP``; which session it is about: ``&session=ID`` or ``&server=NAME``,
    one's own only. ``POST``, with the hub's own token against forgery: it is sent.
    """

    @web.authenticated
    async def get(self) -> None:
        user = self.current_user.name
        session = await asyncio.to_thread(self._session, user)
        facts = await gather(
            runtime(),
            session,
            page=self.get_query_argument("page", ""),
            status=self.get_query_argument("status", ""),
            browser=self.request.headers.get("User-Agent", ""),
        )
        await self._show(facts)

    @web.authenticated
    async def post(self) -> None:
        user, shared = self.current_user.name, runtime()
        words = self.get_body_argument("words", "").replace("\r\n", "\n").strip()
        facts = self._shown(user)
        if facts is None:
            await self._show_again(words, FabricError(texts.REPORT_AGAIN()))
            return
        if not 0 < len(words) <= LONGEST_WORDS:
            await self._show(facts, words, FabricError(texts.REPORT_WORDS(most=LONGEST_WORDS)))
            return
        with_log = self.get_body_argument("log", "") == "yes"
        report = compose(user, words, facts, with_log=with_log, now=time.time())
        most, send = shared.settings.reports.most_per_hour, sends(shared.settings)
        try:
            await asyncio.to_thread(shared.problems.take, report, send=send, most_per_hour=most)
        except FabricError as error:
            await self._show(facts, words, error)
            return
        log.info("%s reported a problem: %s", user, report.reference)
        self.redirect(url_path_join(self.hub.base_url, PATH, report.reference), status=303)

    def _session(self, user: str) -> Session | None:
        return session_of(
            runtime(), user, self.get_query_argument("session", ""), self.get_query_argument("server", None)
        )

    async def _show_again(self, words: str, error: FabricError) -> None:
        """The form with what is sent as it is now; the words are kept."""
        facts = await gather(runtime(), None, page="", status="", browser=self.request.headers.get("User-Agent", ""))
        await self._show(facts, words, error)

    async def _show(self, facts: Facts, words: str = "", error: FabricError | None = None) -> None:
        if error:
            self.set_status(error.status)
        settings = runtime().settings
        signed = self.create_signed_value(_name(self.current_user.name), facts.model_dump_json()).decode("ascii")
        page = await self.render_template(
            "report.html",
            facts=lines_of(facts),
            log=facts.log,
            draft=signed,
            words=words[: 2 * LONGEST_WORDS],
            longest=LONGEST_WORDS,
            trouble=error,
            sends=sends(settings),
            keep_days=settings.reports.keep_days,
            about_session=bool(facts.session),
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)

    def _shown(self, user: str) -> Facts | None:
        """What was shown to this person; None: too long ago, or not to them."""
        told = self.get_body_argument("draft", "")
        value = web.decode_signed_value(self.settings["cookie_secret"], _name(user), told, max_age_days=_SHOWN_DAYS)
        try:
            return Facts.model_validate_json(value) if value else None
        except ValidationError:  # of another release
            return None


class Reported(BaseHandler):  # type: ignore[misc]
    """``GET /hub/report/REFERENCE``: one's own report, as it was sent."""

    @web.authenticated
    async def get(self, reference: str) -> None:
        shared = runtime()
        kept = await asyncio.to_thread(shared.problems.get, reference)
        if kept is None or kept.report.user != self.current_user.name:
            raise RefusedRequestError(texts.NO_REPORT(reference=reference, days=shared.settings.reports.keep_days))
        page = await self.render_template(
            "report_sent.html", kept=kept, facts=lines_of(kept.report.facts), sends=sends(shared.settings)
        )
        self.set_header("Cache-Control", "no-store")
        self.finish(page)


def compose(user: str, words: str, facts: Facts, *, with_log: bool, now: float) -> ProblemReport:
    """What is sent of what was shown: a person's words, without secrets, and the log where they left it in. Pure."""
    kept = facts if with_log else facts.model_copy(update={"log": ()})
    return ProblemReport(user=user, at=now, words=redact(words)[:LONGEST_WORDS], facts=kept)


def session_of(shared: HubRuntime, user: str, session_id: str, server: str | None) -> Session | None:
    """The session that a report is about: by its id, or the last one of that name; only that person's own.

    :param server: the session's name, "" of the default one; None: none was named.
    :raises FabricError: the record cannot be read.
    """
    if _SESSION_ID.fullmatch(session_id):
        session = shared.store.get(session_id)
        return session if session and session.user == user else None
    if server is None or not _SERVER.fullmatch(server):
        return None
    return shared.store.live(user, server) or shared.store.last_ended(user, server)


async def gather(shared: HubRuntime, session: Session | None, *, page: str, status: str, browser: str) -> Facts:
    """All that the hub adds to a report, without secrets: from memory and the record, and the end of the log."""
    lines = await log_of(shared, session) if session else ()
    # what is looked through is a session's own text, as long as it may be
    return await asyncio.to_thread(facts_of, shared.settings, session, lines, page=page, status=status, browser=browser)


def facts_of(
    settings: Settings, session: Session | None, lines: Sequence[str], *, page: str, status: str, browser: str
) -> Facts:
    """The same of what is known; it looks which build of its image a session has."""
    facts: dict[str, Any] = {
        "reference": new_reference(),
        "page": _short(page.partition("?")[0] if page.startswith("/") else ""),
        "status": int(status) if re.fullmatch(r"[45][0-9]{2}", status) else None,
        "hub": settings.hub.id,
        "hub_version": __version__,
        "browser": _short(browser),
        "language": current().language,
    }
    if session is not None:
        facts |= {
            "session": session.id,
            "session_name": _short(session.server_name),
            "job": session.job_id,
            "node": _short(session.node or ""),
            "project": _short(called(session.project, settings.project)),
            "profile": _short(called(session.profile, settings.profile)),
            "image": _short(session.image),
            "image_build": _build_of(settings, session.image),
            "end": redact(str(end_words(session)))[:2000],
            "log": tail(lines),
        }
    return Facts(**facts)


def tail(lines: Sequence[str]) -> tuple[str, ...]:
    """The last lines of a log, without secrets, and not more than a person looks through. Pure."""
    short = [line[:LONGEST_LINE] for line in lines[-LOG_LINES:]]
    return tuple(line[:LONGEST_LINE] for line in redact_lines(short))[-LOG_LINES:]


async def log_of(shared: HubRuntime, session: Session) -> Sequence[str]:
    """The last lines of a session's log: of one that ended those on record, else what is in its file now.

    Whoever looks again within some seconds sees the same. Empty where it cannot be read in time.
    """
    if not session.live:
        return session.end_log or ()
    if session.kind != "slurm" or session.job_id is None:
        return ()
    now = time.monotonic()
    known = _logs.get(session.id)
    if known and now - known[0] < _LOG_HOLDS_S:
        return known[1]
    try:
        async with asyncio.timeout(_LOG_S):
            told = (await shared.gateway.log(session.id, session.user)).lines
    except (FabricError, TimeoutError) as error:
        log.info("A report goes without the log of session %s: %s", session.id, error or "it takes too long")
        told = ()
    for old in [name for name, (at, _) in _logs.items() if now - at >= _LOG_HOLDS_S][:_LOGS_MOST]:
        del _logs[old]
    if len(_logs) < _LOGS_MOST:
        _logs[session.id] = now, told
    return told


_logs: dict[str, tuple[float, tuple[str, ...]]] = {}


def report_address(_viewer: Any) -> Any:
    """The template's function (page's path, HTTP status or None, server's name or None) -> the form's address."""
    return address


def address(page: str, status: int | None = None, server: str | None = None) -> str:
    """The form's address below the hub's, with what it is to say. Pure."""
    told: dict[str, Any] = {"page": page.partition("?")[0]}
    if status:
        told["status"] = status
    if server is not None:
        told["server"] = server
    return f"{PATH[1:]}?{urlencode(told)}"


def _short(text: str) -> str:
    return "".join(letter for letter in redact(text[:400]) if letter.isprintable())[:200]


def _build_of(settings: Settings, image: str) -> str:
    """What the live build of an image is called; "" where the hub does not see it."""
    try:
        return _short(os.path.basename(os.readlink(settings.images.dir / image / "current")))
    except OSError:
        return ""


def _name(user: str) -> str:
    """Under which a form is signed: nobody else's counts, nor any other value that the hub signs."""
    return f"fabric-report {user}"


def pages() -> list[tuple[Any, ...]]:
    """The form and what was sent, for JupyterHub's list of pages."""
    return [(PATH, Report), (rf"{PATH}/({REFERENCE})", Reported)]
