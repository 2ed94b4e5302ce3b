"""What an operator may do by JupyterHub's rights, and its own page for them.

JupyterHub's admins may open everybody's session, with a cookie or a token, and nobody sees that they did. An operator
here runs the site: they see, stop and start sessions, but what is in one is its person's. The rights that lead into a
session go from the role: the right itself, to make tokens in other people's names, to share their servers, to give
the hub another proxy, which would be told everybody's cookies, and to add services, whose pages would be the hub's own.
Nobody takes another person's name. Where a site allows it an operator opens a session
by :mod:`fabric_hub.hub.pages.visits`.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from jupyterhub import roles
from jupyterhub.apihandlers.users import UserAPIHandler
from jupyterhub.handlers.pages import AdminHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.hub.roles import USER_SCOPES
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.texts import operate as texts

from .replace import replace

# The rights of JupyterHub's role admin that lead into other people's sessions.
INTO_SESSIONS: Final = frozenset({"access:servers", "tokens", "shares", "proxy", "admin:services"})


def apply() -> None:
    """Apply all of this module."""
    replace(roles, "get_default_roles", _without_a_way_in)  # and of the role user: fabric_hub.hub.roles
    replace(AdminHandler, "get", _where_the_site_wants_it)
    replace(UserAPIHandler, "patch", _names_stay)


def _without_a_way_in(default_roles: Any) -> Any:
    @wraps(default_roles)
    def fewer() -> list[dict[str, Any]]:
        return [
            {**role, "scopes": [scope for scope in role["scopes"] if scope not in INTO_SESSIONS]}
            if role["name"] == "admin"
            else {**role, "scopes": list(USER_SCOPES)}
            if role["name"] == "user"
            else role
            for role in default_roles()
        ]

    return fewer


def _names_stay(patch: Any) -> Any:
    """A name is an account on the cluster: who could take another one would be that person."""

    @wraps(patch)
    async def kept(self: Any, user_name: str) -> Any:
        told = self.get_json_body()
        if isinstance(told, dict) and told.get("name", user_name) != user_name:
            raise web.HTTPError(texts.NAMES_STAY.status, texts.NAMES_STAY().say())
        return await patch(self, user_name)

    return kept


def _where_the_site_wants_it(get: Any) -> Any:
    """JupyterHub's page for admins where ``hub.admin_page`` is on; else it leads to ours."""

    @web.authenticated
    @needs_scope("admin-ui")  # type: ignore[untyped-decorator]  # JupyterHub has no types
    @wraps(get)
    async def shown(self: Any) -> Any:
        if runtime().settings.hub.admin_page:
            return await get(self)
        return self.redirect(url_path_join(self.hub.base_url, "operate"))

    return shown
