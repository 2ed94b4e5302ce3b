"""Names of sessions: the rule is JupyterHub's, and a refusal says it."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.slugs import is_valid_safe_slug
from tornado.web import HTTPError

LONGEST = 30  # characters; is_valid_safe_slug's


def refusal(name: str) -> str:
    """Why a name cannot be a session's; "" when it can."""
    if is_valid_safe_slug(name):
        return ""
    shown = name if len(name) <= 2 * LONGEST else f"{name[: 2 * LONGEST]}..."
    return (
        f"A session cannot be called {shown!r}: a name has small letters, digits and single hyphens between them, "
        f"at most {LONGEST} characters."
    )


def explain_server_names() -> None:
    """Let JupyterHub 6.1 say the rule, for form, URL and REST; its own words are "Invalid server_name"."""
    check = BaseHandler._check_named_server_request
    if check.__module__ != BaseHandler.__module__:
        return

    async def check_and_explain(
        self: Any, user: Any, server_name: str, display_name: str, check_limit: bool = True
    ) -> None:
        if server_name not in user.orm_spawners and (why := refusal(server_name)):
            raise HTTPError(400, why.replace("%", "%%"))
        await check(self, user, server_name, display_name, check_limit)

    BaseHandler._check_named_server_request = check_and_explain
