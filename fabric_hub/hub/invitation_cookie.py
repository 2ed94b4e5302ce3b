"""The invitation that a browser has presented: its code in a signed cookie, and whom it lets log in.

Somebody who is invited may be in no project yet, and could not log in to accept. So a login that comes with the cookie
is let in where the invitation is theirs to accept: what is a person's own (role ``user``), and nothing starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime

# How long somebody may take to log in, at their institution too.
KEEP_DAYS: Final = 1 / 24
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{32}")
_PRESENTED: ContextVar[str | None] = ContextVar("presented", default=None)


def _name(handler: Any) -> str:
    """Of the cookie; a page on another host of the site can plant none of that name."""
    secure = handler.settings.get("cookie_host_prefix_enabled") or handler.request.protocol == "https"
    return f"{'__Host-' if secure else ''}fabric-invitation"


def keep(handler: Any, code: str) -> None:
    """Give a browser the cookie; what is no code takes it away."""
    if _CODE.fullmatch(code):
        # lax: whoever comes back from an identity provider still has it
        handler._set_cookie(_name(handler), code, expires_days=KEEP_DAYS, samesite="Lax")
    else:
        forget(handler)


def presented(handler: Any) -> str | None:
    """The code that a request comes with; None: none."""
    code = (handler.get_secure_cookie(_name(handler), max_age_days=KEEP_DAYS) or b"").decode("ascii", "replace")
    return code if _CODE.fullmatch(code) else None


def forget(handler: Any) -> None:
    """Take the cookie away."""
    handler.clear_cookie(_name(handler))


def noticed(get_authenticated_user: Callable[..., Any]) -> Callable[..., Any]:
    """An authenticator's own way in, with the invitation of its request for :func:`lets_in`."""

    @wraps(get_authenticated_user)
    async def noticing(handler: Any, data: Any = None) -> Any:
        token = _PRESENTED.set(presented(handler))
        try:
            return await get_authenticated_user(handler, data)
        finally:
            _PRESENTED.reset(token)

    return noticing


async def lets_in(user: str) -> bool:
    """Whether somebody whose login is right comes with an invitation that is theirs to accept."""
    if (code := _PRESENTED.get()) is None or (service := runtime().catalogue_service) is None:
        return False
    try:
        await service.offered(user, code)
    except FabricError:
        return False  # why is said to who is in; to all others it is one refusal
    return True
