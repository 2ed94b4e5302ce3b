"""What a person started last and saved: at the top of the start page, to be started again with one click.

A preset is a choice like that of a link, checked anew when it is used. It is in nobody's browser, and goes with the
person.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.slugs import is_valid_safe_slug
from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.launch.choice import profiles_of
from fabric_hub.launch.options import PRESET, UserOptions, as_query, from_form, parse_options
from fabric_hub.messages.text import text_of
from fabric_hub.messages.texts import pages as texts
from fabric_hub.projects.membership import projects_of

from .sessions import badge, called

log = logging.getLogger(__name__)

PATH = "/start/presets"
SAVE, REMOVE = "save", "remove"


class Presets(BaseHandler):  # type: ignore[misc]
    """``POST /hub/start/presets``: save the form's choice under a name (``preset``), or remove the one of that name.

    Of who has logged in, and with JupyterHub's own token against forgery, as with every form of the hub's. It leads
    back to the start page, of the session that the address names (``?session=NAME``), with the saved choice filled in.
    """

    @web.authenticated
    async def post(self) -> None:
        user, choices = self.current_user.name, runtime().choices
        asked, name = self.get_body_argument("do", ""), self.get_body_argument(PRESET, "")
        try:
            if asked == SAVE:
                fields = {key: self.get_body_arguments(key) for key in self.request.body_arguments}
                kept = {key: told for key, told in fields.items() if key not in ("_xsrf", "do")}
                wish = parse_options(from_form(kept)).model_copy(update={"agreements": {}})
                options = wish.model_dump(mode="json", exclude_none=True, exclude={"agreements"})
                choices.save(user, name, options)
            elif asked == REMOVE:
                options = {}
                choices.remove(user, name)
            else:
                raise FabricError(texts.FORM_ASKS_NOTHING())
        except FabricError as error:
            raise RefusedRequestError(text_of(error.said)) from error
        page = url_path_join(self.hub.base_url, "spawn", self.current_user.escaped_name)
        session = self.get_query_argument("session", "")
        if session and is_valid_safe_slug(session):
            page = url_path_join(page, session)
        query = as_query(options, "opt-")
        self.redirect(f"{page}?{query}" if query else page, status=303)


def again(settings: Settings, user: str) -> tuple[UserOptions, list[dict[str, Any]]]:
    """(what a person chose last, what the start page offers to start at once): the last choice first, then presets.

    What they may not start any more, as far as its project and profile tell, is not offered.
    """
    try:
        last, saved = runtime().choices.of(user)
    except FabricError as error:
        log.warning("Nobody's choices are on the start page: %s", error)
        return UserOptions(), []
    known = {"": last, **saved} if last is not None else dict(saved)
    lines = [line for name, options in known.items() if (line := _line(settings, user, name, options))]
    try:
        return parse_options(last), lines
    except FabricError:  # of another release
        return UserOptions(), lines


def _line(settings: Settings, user: str, name: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        wish = parse_options(options)
    except FabricError:
        return None
    project = projects_of(settings, user).get(wish.project or "")
    if project is None or wish.profile not in profiles_of(settings, project):
        return None
    return {
        "name": name,
        "choice": as_query(options),
        "project": called(str(wish.project), settings.project),
        "kind": project.kind,
        "badge": badge(project.kind),
        "profile": called(str(wish.profile), settings.profile),
        "hours": wish.hours,
        "datasets": len(wish.datasets),
    }


def forget_with_the_person() -> None:
    """From now on what is kept of a person goes when JupyterHub deletes them."""
    if not sa.event.contains(orm.User, "after_delete", _forget):
        sa.event.listen(orm.User, "after_delete", _forget)


def _forget(_mapper: Any, _connection: Any, person: Any) -> None:
    shared = runtime()
    for book in (shared.choices, shared.readers, shared.announcements, shared.problems, shared.notices):
        try:
            book.forget(person.name)
        except FabricError as error:
            log.warning("What was kept of %s is still on record: %s", person.name, error)
