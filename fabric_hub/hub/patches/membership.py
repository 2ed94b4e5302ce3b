"""Who is in a project now, in JupyterHub: who may log in, who is a user of the hub, and who has the role ``member``.

JupyterHub reads who may log in when it starts, and gives everybody its role ``user``. Here both follow the projects
while the hub runs (:mod:`fabric_hub.hub.roles`). Every authenticator, a site's own as well, decides itself
(whom it lets in by a group of a provider, say, or refuses), by the list ``allowed_users`` as it is at that moment. A
site that sets ``Authenticator.allowed_users`` anew has a list of its own, and the projects let nobody in.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import jupyterhub.apihandlers.users
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.utils import maybe_future
from tornado.ioloop import PeriodicCallback

from fabric_hub.config.settings import Settings
from fabric_hub.hub import invitation_cookie
from fabric_hub.hub.login.starter import give_starter
from fabric_hub.hub.roles import (
    LOOK_EVERY_S,
    WHO_IS_IN_A_PROJECT,
    RolesFollow,
    assign,
    follow,
    holders,
    may_log_in,
)
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.texts.people import BLOCKED
from fabric_hub.messages.texts.projects import NOT_KNOWN
from fabric_hub.projects.live import are_known, why_blocked

from .replace import replace


def apply() -> None:
    """Apply all of this module."""
    replace(JupyterHub, "init_users", _with_those_of_projects)
    replace(JupyterHub, "init_role_assignment", _by_membership)
    for module in (roles, jupyterhub.apihandlers.users):
        replace(module, "assign_default_roles", _with_ours)


def _with_those_of_projects(init_users: Any) -> Any:
    @wraps(init_users)
    async def init_them(self: Any) -> None:
        # ours holds the site's login by password, which asks its own list
        asked = [self.authenticator, *getattr(self.authenticator, "fabric_beside", ())]
        follow_projects = [one for one in asked if WHO_IS_IN_A_PROJECT in one.allowed_users]
        for one in follow_projects:
            one.allowed_users = one.allowed_users - {WHO_IS_IN_A_PROJECT}
        await init_users(self)
        for one in follow_projects:
            one.check_allowed = live_check(one, runtime().settings)
            one.get_authenticated_user = invitation_cookie.noticed(one.get_authenticated_user)
        for one in asked:
            one.check_blocked_users = block_check(one, runtime().settings)

    return init_them


def block_check(authenticator: Any, settings: Settings) -> Any:
    """An authenticator's own check of who is blocked, and ours, which every login goes through: an operator's, too.

    :raises RefusedRequestError: an operator of this hub has blocked them.
    """
    theirs = authenticator.check_blocked_users

    async def check_blocked_users(username: str, authentication: Any = None) -> bool | None:
        if why := why_blocked(settings, username):
            raise RefusedRequestError(BLOCKED(name=username, why=why), hint=True)
        found: bool | None = await maybe_future(theirs(username, authentication))
        return found

    return check_blocked_users


def live_check(authenticator: Any, settings: Settings) -> Any:
    """An authenticator's own check, for which the list of who may log in is that of now.

    :raises RefusedRequestError: somebody may not as far as is known, and not all projects are known yet.
    """
    theirs, of_the_site = authenticator.check_allowed, frozenset(authenticator.allowed_users)

    async def check_allowed(username: str, authentication: Any = None) -> bool:
        if may_log_in(settings, username) or await invitation_cookie.lets_in(username):
            authenticator.allowed_users.add(username)
        elif username not in of_the_site:
            authenticator.allowed_users.discard(username)
        if await maybe_future(theirs(username, authentication)):
            await give_starter(settings, username)
            return True
        if not are_known(settings):
            raise RefusedRequestError(NOT_KNOWN(), hint=True)
        return False

    return check_allowed


def _by_membership(init_role_assignment: Any) -> Any:
    """JupyterHub takes a role of the configuration from everybody whom the configuration does not name."""

    @wraps(init_role_assignment)
    async def assigned(self: Any) -> None:
        before = holders(self.db)
        await init_role_assignment(self)
        settings = runtime().settings
        follow(self, settings, before)
        self.fabric_roles = PeriodicCallback(RolesFollow(self, settings).look, 1000 * LOOK_EVERY_S)
        self.fabric_roles.start()

    return assigned


def _with_ours(assign_default_roles: Any) -> Any:
    @wraps(assign_default_roles)
    def assigned(db: Any, entity: Any) -> None:
        assign_default_roles(db, entity)
        person = getattr(entity, "orm_user", entity)
        if isinstance(person, orm.User):
            assign(db, runtime().settings, person)
            db.commit()

    return assigned
