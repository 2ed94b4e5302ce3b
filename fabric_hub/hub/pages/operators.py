"""Who is an operator on the hub's pages: an admin of the hub's who has logged in, by the login's cookie alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from tornado import web


def operators_only(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Let only operators in: who has not logged in is led to the login (or refused), and everybody else is refused.

    No token counts: JupyterHub takes none on its pages, so none of a session's or a service's.
    """

    @wraps(method)
    async def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        if not self.current_user.admin:
            raise web.HTTPError(403)
        await method(self, *args, **kwargs)

    return web.authenticated(checked)  # type: ignore[return-value]
