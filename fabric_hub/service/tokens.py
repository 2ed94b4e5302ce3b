"""Who a token is: by our own record for a session's, else in the hub's word, remembered for a while.

The hub is one thread that everybody needs: a thousand sessions that ask every half minute must not wait for it, nor
it for them. A session's own token is good for one server, as long as that has a live session on our record; the
record has the token's digest, and is looked at with every call. Beside that the hub is asked now and then whether
the token still stands: who asks does not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..errors import FabricError
from ..sessions.store import Session, token_digest
from .scopes import scopes_of, server_of

log = logging.getLogger("fabric_hub.tokens")

Who = dict[str, Any]
# A session's token that was revoked by hand is refused after this many seconds at most, any other after these.
SESSION_CACHE_S = 300.0
TOKEN_CACHE_S = 15.0
# The hub did not answer: it is asked again after this.
SILENT_S = 30.0
_MOST = 20_000


@dataclass(frozen=True)
class _Word:
    """The hub's word; ``session`` is the live one whose token it is, for a session's token."""

    until: float
    who: Who | None
    server: str | None
    session: str | None

    @property
    def revoked(self) -> str | None:
        """The session whose token the hub does not know any more: that is for good."""
        return self.session if self.who is None else None


class Tokens:
    """Who a token is.

    :param ask: the hub's word; None for a token that it does not know.
    :param holder: digest of a token -> the live session that has it, or None.
    :param live: (user, server name) -> the id of that server's live session, or None. A word on a token of one
        session says nothing once another one runs under the same name.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Who | None]],
        holder: Callable[[str], Session | None],
        live: Callable[[str, str], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._holder, self._live, self._clock = ask, holder, live, clock
        self._known: dict[str, _Word] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, token: str) -> Who | None:
        """The hub's user model for a token; None when it is nobody's."""
        digest, now = token_digest(token), self._clock()
        kept = self._known.get(digest)
        session = self._holder(digest)
        if session is not None:
            if kept is not None and kept.revoked == session.id:
                return None
            if kept is None or now >= kept.until:
                self._ask_beside(digest, token, session)
            return {"kind": "user", "name": session.user, "scopes": scopes_of(session.user, session.server_name)}
        if kept is not None and now < kept.until and self._holds(kept):
            return kept.who
        who = await self._ask(token)
        server = server_of(who.get("name", ""), who.get("scopes") or []) if who else None
        live = self._live(who["name"], server) if who and server is not None else None
        self._remember(digest, _Word(now + TOKEN_CACHE_S, who, server, live), now)
        return who

    def _ask_beside(self, digest: str, token: str, session: Session) -> None:
        """Ask the hub whether a session's token still stands, once at a time; what it says holds from then on."""

        async def asked() -> None:
            try:
                who, lasts = await self._ask(token), SESSION_CACHE_S
            except FabricError as error:
                log.warning("Whether the token of session %s still stands is asked later: %s", session.id, error)
                who, lasts = {}, SILENT_S
            now = self._clock()
            self._remember(digest, _Word(now + lasts, who, session.server_name, session.id), now)

        if digest not in self._asking:
            task = self._asking[digest] = asyncio.create_task(asked(), name=f"token of {session.id}")
            task.add_done_callback(lambda _: self._asking.pop(digest, None))

    async def settled(self) -> None:
        """Wait until the hub has answered what it was asked beside."""
        await asyncio.gather(*self._asking.values())

    def _holds(self, word: _Word) -> bool:
        if word.who is None or word.server is None:
            return True
        return self._live(word.who["name"], word.server) == word.session

    def _remember(self, digest: str, word: _Word, now: float) -> None:
        if len(self._known) >= _MOST:
            self._known = {key: one for key, one in self._known.items() if now < one.until or one.revoked}
        if len(self._known) < _MOST:
            self._known[digest] = word
