"""Who a token is, in the hub's word, remembered for a while.

The hub is one thread that everybody needs: a thousand sessions that ask every half minute must not ask it as often.
A session's own token is good for one server only and for as long as that has a live session on our record, which
is looked at with every call; so the hub's word on it is kept for longer than that on a person's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .scopes import server_of

Who = dict[str, Any]
# A session's token that was revoked by hand is refused after this many seconds at most, any other after these.
SESSION_CACHE_S = 300.0
TOKEN_CACHE_S = 15.0
_MOST = 20_000


@dataclass(frozen=True)
class _Word:
    """The hub's word; ``session`` is the live one whose token it is, for a session's token."""

    until: float
    who: Who | None
    server: str | None
    session: str | None


class Tokens:
    """Asks ``ask`` who a token is, unless it said so lately.

    :param ask: the hub's word; None for a token that it does not know.
    :param live: (user, server name) -> the id of that server's live session, or None. A word on a token of one
        session says nothing once another one runs under the same name.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Who | None]],
        live: Callable[[str, str], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._live, self._clock = ask, live, clock
        self._known: dict[bytes, _Word] = {}

    async def __call__(self, token: str) -> Who | None:
        """The hub's user model for a token; None when it knows no such token."""
        name, now = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest(), self._clock()
        kept = self._known.get(name)
        if kept is not None and now < kept.until and self._holds(kept):
            return kept.who
        who = await self._ask(token)
        server = server_of(who.get("name", ""), who.get("scopes") or []) if who else None
        session = self._live(who["name"], server) if who and server is not None else None
        self._remember(name, _Word(now + (SESSION_CACHE_S if session else TOKEN_CACHE_S), who, server, session), now)
        return who

    def _holds(self, word: _Word) -> bool:
        if word.who is None or word.server is None:
            return True
        return self._live(word.who["name"], word.server) == word.session

    def _remember(self, name: bytes, word: _Word, now: float) -> None:
        if len(self._known) >= _MOST:
            self._known = {key: one for key, one in self._known.items() if now < one.until}
        if len(self._known) < _MOST:
            self._known[name] = word
