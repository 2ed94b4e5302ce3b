"""JupyterHub's roles follow the projects: who may start servers and make tokens is in one, now.

JupyterHub gives everybody the role ``user``, always. So that one holds what a visitor needs, and what a session needs
that still runs when its person has left their last project: to be reached, to tell of its activity, to be stopped.
Starting servers, tokens and our service are the role ``member``, which is given and taken while the hub runs. A token
never has a scope that its owner lacks (JupyterHub looks with each request), so those that were made before lose them,
too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from jupyterhub import orm, roles
from jupyterhub.metrics import TOTAL_USERS
from jupyterhub.roles import grant_role, strip_role

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.datasets.stewards import stewards
from fabric_hub.projects.live import LiveProjects, are_known, why_blocked
from fabric_hub.projects.membership import everybody, has_no_projects, is_user, workers
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE

from .login_ends import LoginsEnd

MEMBER: Final = "member"
# Who answers for a dataset decides on its page in person, and may be in no project.
STEWARD: Final = "steward"
# In Authenticator.allowed_users, as no name of anybody's: :func:`may_log_in` is asked with each login.
WHO_IS_IN_A_PROJECT: Final = "(who is in a project)"
# What is one's own: to be seen, reached and ended. Of a visitor, who has no server, it opens nothing.
USER_SCOPES: Final = (
    "read:users!user",
    "users:activity!user",
    "read:servers!user",
    "delete:servers!user",
    "access:servers!user",
    "read:tokens!user",
    SESSION_SCOPE,
)
MEMBER_SCOPES: Final = ("self", SERVICE_SCOPE, SESSION_SCOPE, ACCEPT_SCOPE)
# How often the hub looks whether the projects are others than a moment ago, in seconds.
LOOK_EVERY_S: Final = 1.0


def definitions() -> list[dict[str, Any]]:
    """The roles of ours, for JupyterHub's configuration; who has them it does not say."""
    return [
        {"name": MEMBER, "scopes": list(MEMBER_SCOPES)},
        {"name": STEWARD, "scopes": [ACCEPT_SCOPE]},
    ]


def may_log_in(settings: Settings, name: str) -> bool:
    """Whether the site's file or a project, as they are now, let somebody in: in any role, a visitor's too. Pure."""
    if why_blocked(settings, name):
        return False
    return (
        settings.login.without_project
        or name in settings.login.admins
        or name in stewards(settings.catalogue)
        or name in everybody(settings)
    )


def is_worker(settings: Settings, name: str, *, admin: bool) -> bool:
    """Whether somebody is to have the role ``member``: who works in a project, and operators. Pure.

    An operator needs tokens for the site's own programs; without a project they start nothing all the same.
    """
    return not why_blocked(settings, name) and (admin or name in settings.login.admins or is_user(settings, name))


def assign(db: Any, settings: Settings, user: Any) -> None:
    """Give or take one person's roles; the caller commits.

    :param user: JupyterHub's ORM object.
    """
    wanted = {
        MEMBER: is_worker(settings, user.name, admin=bool(user.admin)),
        STEWARD: user.name in stewards(settings.catalogue) and not why_blocked(settings, user.name),
    }
    has = {role.name for role in user.roles}
    for name, gets in wanted.items():
        role = orm.Role.find(db, name)
        if role is None:  # a hub that is being set up has none yet
            continue
        if gets and name not in has:
            grant_role(db, user, role, commit=False)
        elif not gets and name in has and are_known(settings):
            strip_role(db, user, role, commit=False)


def holders(db: Any, role: str = MEMBER) -> frozenset[str]:
    """Who has a role now."""
    return frozenset(name for (name,) in db.query(orm.User.name).join(orm.User.roles).filter(orm.Role.name == role))


def follow(app: Any, settings: Settings, before: frozenset[str] = frozenset()) -> None:
    """Let the hub know everybody who is in a project, and everybody's roles be what the projects say now.

    Until all projects are known nobody loses one.

    :param app: JupyterHub's.
    :param before: who was a member before the hub was started; they stay one as long as that is not known.
    """
    _make_known(app, settings)
    db, known, everyone = app.db, are_known(settings), has_no_projects(settings)
    members, has = workers(settings).union(settings.login.admins), holders(db)
    wanted = {
        name
        for name, admin in db.query(orm.User.name, orm.User.admin).all()
        if not why_blocked(settings, name)
        and (admin or everyone or name in members or (not known and (name in before or name in has)))
    }
    changed = _change(db, MEMBER, has, wanted)
    answering = [name for name in stewards(settings.catalogue) if not why_blocked(settings, name)]
    there = {name for (name,) in db.query(orm.User.name).filter(orm.User.name.in_(answering))}
    if _change(db, STEWARD, holders(db, STEWARD), there) or changed:
        db.commit()


def _change(db: Any, name: str, has: Collection[str], wanted: Collection[str]) -> bool:
    """Give a role to those who lack it, and take it from those who have it without a reason; whether any."""
    role = orm.Role.find(db, name)
    assert role is not None  # the hub's configuration has it
    different = set(has) ^ set(wanted)
    for user in sorted(different):
        (grant_role if user in wanted else strip_role)(db, orm.User.find(db, user), role, commit=False)
    return bool(different)


def _make_known(app: Any, settings: Settings) -> None:
    """Everybody who is in a project is a user of the hub, also before they have logged in."""
    there = {name for (name,) in app.db.query(orm.User.name)}
    for name in sorted(everybody(settings) - there):
        if app.authenticator.validate_username(name):
            user = orm.User(name=name)
            app.db.add(user)
            roles.assign_default_roles(app.db, entity=user)
            TOTAL_USERS.inc()


class RolesFollow:
    """Looks for another state of the projects, and lets the roles follow it."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._logins = LoginsEnd(app, settings)
        self._seen: tuple[bool, int] | None = None

    def look(self) -> None:
        """Once; nothing happens as long as the projects are the same."""
        projects = self._settings.project
        now = (projects.known, projects.serial) if isinstance(projects, LiveProjects) else (True, 0)
        if now != self._seen:
            follow(self._app, self._settings)
            self._logins.look()
            self._seen = now
