"""The end of a session in JupyterHub: who ended it, why, and which tokens end with it.

When JupyterHub gives up on a server that does not answer, it calls ``stop()`` as for a person who stops it; here the
spawner is told which it is. A session of an earlier hub is ended on its node's word only
(:mod:`fabric_hub.hub.spawner.regain`). When a hub starts, it deletes the tokens that earlier ones left, and from then
on those of sessions that the service ends (:mod:`fabric_hub.hub.spawner.session_tokens` finds them). It knows again
whoever has a live session on record, when its own database has been lost.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.user import User

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import session_tokens
from fabric_hub.hub.spawner.failures import SessionFailure
from fabric_hub.hub.spawner.regain import regain
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.hub.spawner.wrapper import FabricSpawner
from fabric_hub.messages.text import NOTHING
from fabric_hub.projects.membership import is_user
from fabric_hub.sessions.store import Session

from .replace import replace


def apply() -> None:
    """Apply all of this module."""
    replace(User, "_wait_up", _saying_who_gave_up)
    replace(JupyterHub, "init_spawners", _deleting_tokens)


def _saying_who_gave_up(wait_up: Any) -> Any:
    """Let a spawner know when it is JupyterHub's own wait for its server that stops it.

    What the spawner then put on record is what whoever waits for the start is told, instead of a time-out without a
    reason.
    """

    @wraps(wait_up)
    async def watched(self: User, spawner: Any) -> Any:
        if not isinstance(spawner, FabricSpawner):
            return await wait_up(self, spawner)
        session_id, starting, ran_before = spawner.session_id, not spawner._check_pending, spawner.was_running
        spawner.awaited_by = asyncio.current_task()
        try:
            if ran_before:
                await regain(self, spawner)
                return spawner
            return await wait_up(self, spawner)
        except Exception as error:
            over = runtime().store.get(session_id) if starting and session_id else None
            if over is None or over.ended_at is None:
                raise
            known = FabricError(over.end_text or NOTHING, reason=over.end_reason or "", hint="", status=424)
            raise SessionFailure(known, over.end_log or (), over.id) from error
        finally:
            spawner.awaited_by = None
            if ran_before:
                spawner._waiting_for_response = spawner._start_pending = False

    return watched


def _deleting_tokens(init_spawners: Any) -> Any:
    """Let a hub that starts delete what earlier ones left, and hear at once of sessions that the service ends."""

    @wraps(init_spawners)
    async def init_spawners_and_tokens(self: Any) -> Any:
        spawners = await init_spawners(self)
        shared = runtime()
        sessions = shared.store.live_all()
        for user in {session.user for session in sessions}:
            _know_again(self, user)
        live = {(session.user, session.server_name) for session in sessions}
        session_tokens.revoke_all_but(self.db, lambda user, server: (user, server) in live)

        def news(session: Session) -> None:
            if session.live:
                _know_again(self, session.user)
            elif shared.store.live(session.user, session.server_name) is None:
                session_tokens.revoke(self.db, session.user, session.server_name)

        shared.on_news = news
        await shared.open()
        return spawners  # JupyterHub logs how many they are

    return init_spawners_and_tokens


def _know_again(app: Any, name: str) -> None:
    """A member of a project whose session lives is a user of this hub, as after a login."""
    if orm.User.find(app.db, name) is None and is_user(runtime().settings, name):
        user = orm.User(name=name)
        app.db.add(user)
        roles.assign_default_roles(app.db, entity=user)
        app.db.commit()
        app.log.warning("User %s, who has a session on record, is known again", name)
