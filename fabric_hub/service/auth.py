"""Who a token is: by our own record for a session's, else in the hub's word, remembered for a while.

The hub is one thread that everybody needs: a thousand sessions that ask every half minute must not wait for it, nor
it for them. A session's own token is good for one server, as long as that has a live session on our record; the
record has the token's digest, and is looked at with every call: one that is on no live record is nobody's, whatever
the hub says of it. Beside that the hub is asked now and then whether
the token still stands: who asks does not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.sessions.scopes import scopes_of, server_of
from fabric_hub.sessions.store import Session, token_digest

log = logging.getLogger(__name__)

Who = dict[str, Any]
# How long the hub's word on a session's token stands, and on any other. A token that was revoked by hand is refused
# after that at most; where the hub was silent just then, after the next pause for which it is left alone.
SESSION_CACHE_S = 300.0
TOKEN_CACHE_S = 15.0
SILENT_S = 30.0
_MOST = 20_000
_LONGEST_TOKEN = 512


@dataclass(frozen=True)
class _Word:
    """The hub's word."""

    until: float
    who: Who | None


@dataclass(frozen=True)
class _TokenState:
    """Whether a session's token stands, in the hub's last word."""

    until: float
    session: str
    refused: bool = False


class Tokens:
    """Who a token is.

    :param ask: the hub's word; None for a token that it does not know.
    :param holder: digest of a token -> the live session that has it, or None.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Who | None]],
        holder: Callable[[str], Session | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._holder, self._clock = ask, holder, clock
        self._known: dict[str, _Word] = {}
        self._states: dict[str, _TokenState] = {}  # tokens of sessions on record only: nobody else can fill it
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, token: str) -> Who | None:
        """The hub's user model for a token; None when it is nobody's."""
        if not (token.isascii() and token.isprintable() and len(token) <= _LONGEST_TOKEN):
            return None
        digest, now = token_digest(token), self._clock()
        session = self._holder(digest)
        if session is not None:
            return await self._of_session(session, digest, token, now)
        kept = self._known.get(digest)
        if kept is not None and now < kept.until:
            return kept.who
        who = await self._ask(token)
        if who and server_of(who.get("name", ""), who.get("scopes") or []) is not None:
            who = None  # a session's, which is over: the record would have it
        self._remember(digest, _Word(now + TOKEN_CACHE_S, who), now)
        return who

    async def _of_session(self, session: Session, digest: str, token: str, now: float) -> Who | None:
        state = self._states.get(digest)
        if state is None or now >= state.until or state.session != session.id:
            asked = self._asking.get(digest) or self._ask_beside(digest, token, session)
            if state is not None and state.refused:
                await asyncio.shield(asked)  # who was refused once is let in by the hub only
        if (latest := self._states.get(digest)) is not None and latest.refused:
            return None
        return {"kind": "user", "name": session.user, "scopes": scopes_of(session.user, session.server_name)}

    def _ask_beside(self, digest: str, token: str, session: Session) -> asyncio.Task[None]:
        """Ask the hub whether a session's token still stands, once at a time; what it says holds from then on."""

        async def asked() -> None:
            before = self._states.get(digest)
            try:
                who = await self._ask(token)
            except FabricError as error:
                log.warning("Whether the token of session %s still stands is asked later: %s", session.id, error)
                refused, lasts = before is not None and before.refused, SILENT_S
            else:
                refused, lasts = not _fits(who, session), SESSION_CACHE_S
            now = self._clock()
            self._states[digest] = _TokenState(now + lasts, session.id, refused)
            if len(self._states) > _MOST:  # of sessions that are over, most of them
                self._states = {key: one for key, one in self._states.items() if now < one.until}

        task = self._asking[digest] = asyncio.create_task(asked(), name=f"token of {session.id}")
        task.add_done_callback(lambda _: self._asking.pop(digest, None))
        return task

    async def settled(self) -> None:
        """Wait until the hub has answered what it was asked beside."""
        await asyncio.gather(*self._asking.values())

    def _remember(self, digest: str, word: _Word, now: float) -> None:
        if len(self._known) >= _MOST:
            self._known = {key: one for key, one in self._known.items() if now < one.until}
        if len(self._known) < _MOST:
            self._known[digest] = word


def _fits(who: Who | None, session: Session) -> bool:
    """Whether the hub says of a token what our record says: it is this user's, and opens this server only."""
    return (
        who is not None
        and who.get("name") == session.user
        and server_of(session.user, who.get("scopes") or []) == session.server_name
    )
