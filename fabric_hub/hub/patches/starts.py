"""Requests for a start: what JupyterHub does with them that a person did not ask for, and what it does not say.

Opening an address changes nothing. JupyterHub starts a server for a GET with options, and for any GET where there is
no form, and puts a server with the address's name on the user's list. Whoever makes somebody's browser open an address
(a link, a redirect, an image) would do all that in that person's name. A POST needs JupyterHub's own token against
forgery, in its body: an address is copied, logged and told to other sites. For the same reason what was chosen does not
follow a person to the address of the waiting page.

A form that was sent twice waits for the one start, and a start that is refused leaves no server on the list, whether a
form, a link or a program asked for it.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.slugs import is_valid_safe_slug
from tornado.web import HTTPError

from fabric_hub.errors import FabricError
from fabric_hub.hub.roles import is_worker
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.launch.choice import no_project
from fabric_hub.launch.options import UserOptions, from_form, parse_options
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import starts as texts
from fabric_hub.sessions.names import LONGEST_NAME

from .replace import replace


def apply() -> None:
    """Apply all of this module, for form, link and REST."""
    replace(SpawnHandler, "_wrap_spawn_single_user", _once_and_by_post)
    replace(SpawnHandler, "_get", _leaving_nothing_opened)
    replace(SpawnHandler, "_get_pending_url", _without_the_choice)
    replace(SpawnHandler, "_post", _from_its_own_form)
    replace(UserServerAPIHandler, "post", _leaving_nothing_refused)
    replace(BaseHandler, "_check_named_server_request", _explaining)


def _once_and_by_post(start: Any) -> Any:
    """A GET with options fills the form. A second POST is led to the start that the first one has begun.

    JupyterHub looks whether a server is being started before it reads the form's options. When another request has
    begun the start meanwhile, it answers 500 ("Unhandled error starting server").
    """

    @wraps(start)
    async def started(
        self: Any, user: Any, server_name: str, display_name: str, spawner: Any, pending_url: str, options: Any = None
    ) -> Any:
        if self.request.method != "POST":
            if options:
                await spawner.choose(options)
            form = await self._render_form(for_user=user, spawner_options_form=await spawner.get_options_form())
            return self.finish(form)
        try:
            return await start(self, user, server_name, display_name, spawner, pending_url, options)
        except HTTPError as error:
            now = user.spawners.get(server_name, spawner)
            if error.status_code == 500 and (now.pending == "spawn" or now.ready):
                return self.redirect(pending_url)
            raise

    return started


def plain_address(address: str) -> str:
    """An address with where it leads on (``next``), and nothing else behind it: no token, and no choice. Pure."""
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name == "next"]
    return parts._replace(query=urlencode(kept, quote_via=quote)).geturl()


def _leaving_nothing_opened(get: Any) -> Any:
    @wraps(get)
    async def opened(self: Any, *, user_name: str, server_name: str, display_name: str) -> Any:
        if (why := starts_nothing(self, user_name)) is not None:
            if (running := self.current_user.spawners.get(server_name)) is not None and running.ready:
                return self.redirect(self.current_user.server_url(server_name))  # which goes on for a moment
            self.set_status(why.reason.status)
            return self.finish(await self.render_template("no_start.html", why=why, hint=why.hint))
        user = self.find_user(user_name)
        new = user is not None and server_name not in user.orm_spawners
        try:
            return await get(self, user_name=user_name, server_name=server_name, display_name=display_name)
        finally:
            if user is not None and (spawner := user.spawners.get(server_name)) is not None:
                spawner.chosen = UserOptions()
            if new and not is_started(user, server_name):
                forget(user, server_name)

    return opened


def _without_the_choice(pending_url: Any) -> Any:
    @wraps(pending_url)
    def plain(self: Any, user: Any, server_name: str) -> str:
        return plain_address(str(pending_url(self, user, server_name)))

    return plain


def _from_its_own_form(post: Any) -> Any:
    """A start from a page takes the hub's token from the form's body alone; JupyterHub's also from the address."""
    start = _leaving_nothing_refused(post)

    @wraps(post)
    async def posted(self: Any, user_name: str, server_name: str = "", **more: Any) -> Any:
        if self.get_body_argument("_xsrf", "") != self.xsrf_token.decode("ascii"):
            raise HTTPError(403, "'_xsrf' argument missing from POST")
        # a refusal shows the form again, of JupyterHub's default server whichever was meant, with what was sent
        user = self.find_user(user_name)
        shown = user.spawners[""] if user is not None else None
        if shown is not None:
            shown.chosen = _sent(self)
        try:
            return await start(self, user_name, server_name, **more)
        finally:
            if shown is not None:
                shown.chosen = UserOptions()

    return posted


def _sent(handler: Any) -> UserOptions:
    """What a form was sent with, as far as it is one; nobody's acceptance is put back for them."""
    told = {name: handler.get_body_arguments(name) for name in handler.request.body_arguments if name != "_xsrf"}
    try:
        return parse_options(from_form(told)).model_copy(update={"agreements": {}})
    except FabricError:
        return UserOptions()


def starts_nothing(handler: Any, user_name: str) -> Text | None:
    """Why a person may start nothing for themselves, who is in no project; None: it is for others to say.

    JupyterHub would refuse them as well, by their scopes, without a word of projects.
    """
    caller = handler.current_user
    if getattr(caller, "kind", "") != "user" or caller.name != user_name:
        return None
    settings = runtime().settings
    return None if is_worker(settings, caller.name, admin=caller.admin) else no_project(settings, caller.name)


def _leaving_nothing_refused(post: Any) -> Any:
    """A server that a request put on the list goes with the request's refusal, unless it has a session to tell of."""

    @wraps(post)
    async def posted(self: Any, user_name: str, server_name: str = "", **more: Any) -> Any:
        if (why := starts_nothing(self, user_name)) is not None:
            raise RefusedRequestError(why, hint=True)
        user, began = self.find_user(user_name), time.time()
        new = user is not None and server_name and server_name not in user.orm_spawners
        try:
            return await post(self, user_name=user_name, server_name=server_name, **more)
        finally:
            if new and not is_started(user, server_name) and not _has_session(user.name, server_name, began):
                forget(user, server_name)

    return posted


def _has_session(user: str, server_name: str, since: float) -> bool:
    store = runtime().store
    ended = store.last_ended(user, server_name)
    return store.live(user, server_name) is not None or (ended is not None and ended.created_at >= since)


def is_started(user: Any, server_name: str) -> bool:
    spawner = user.spawners.get(server_name)
    return spawner is not None and bool(spawner.active or spawner.pending)


def forget(user: Any, server_name: str) -> None:
    """Take a server that does not run off the user's list."""
    user.spawners.pop(server_name, None)
    if (made := user.orm_spawners.get(server_name)) is not None:
        user.db.delete(made)
        user.db.commit()


def _explaining(check: Any) -> Any:
    """Say the rule for a name; JupyterHub's own words are "Invalid server_name"."""

    @wraps(check)
    async def checked(self: Any, user: Any, server_name: str, display_name: str, check_limit: bool = True) -> None:
        if server_name not in user.orm_spawners and (why := refusal(server_name)):
            raise RefusedRequestError(why)
        await check(self, user, server_name, display_name, check_limit)

    return checked


def refusal(name: str) -> Text | None:
    """Why a name cannot be a session's; None when it can. The rule is JupyterHub's."""
    if is_valid_safe_slug(name):
        return None
    shown = name if len(name) <= 2 * LONGEST_NAME else f"{name[: 2 * LONGEST_NAME]}..."
    return texts.BAD_NAME(name=repr(shown), most=LONGEST_NAME)
