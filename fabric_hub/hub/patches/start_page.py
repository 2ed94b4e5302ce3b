"""JupyterHub's start page: opening an address changes nothing.

JupyterHub 6.1 starts a server for a GET with options, and for any GET where there is no form, and puts a server with
the address's name on the user's list. Whoever makes somebody's browser open an address (a link, a redirect, an image)
would do all that in that person's name. A POST needs JupyterHub's own token against forgery.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.pages import SpawnHandler

from fabric_hub.launch.options import UserOptions


def start_by_post_only() -> None:
    """Let a GET with options fill the form, and nothing start before the form is sent."""
    start, get = SpawnHandler._wrap_spawn_single_user, SpawnHandler._get
    if start.__name__ == "start_if_posted":
        return

    async def start_if_posted(
        self: Any, user: Any, server_name: str, display_name: str, spawner: Any, pending_url: str, options: Any = None
    ) -> Any:
        if self.request.method == "POST":
            return await start(self, user, server_name, display_name, spawner, pending_url, options)
        if options:
            await spawner.choose(options)
        form = await self._render_form(for_user=user, spawner_options_form=await spawner.get_options_form())
        return self.finish(form)

    async def get_and_leave_nothing(self: Any, *, user_name: str, server_name: str, display_name: str) -> Any:
        user = self.find_user(user_name)
        known = user is None or server_name in user.orm_spawners
        try:
            return await get(self, user_name=user_name, server_name=server_name, display_name=display_name)
        finally:
            if user is not None and (spawner := user.spawners.get(server_name)) is not None:
                spawner.chosen = UserOptions()
            if not known:
                _forget(user, server_name)

    start_if_posted.__module__ = get_and_leave_nothing.__module__ = __name__
    SpawnHandler._wrap_spawn_single_user = start_if_posted
    SpawnHandler._get = get_and_leave_nothing


def _forget(user: Any, server_name: str) -> None:
    """Take a server that nobody has started off the user's list."""
    made = user.orm_spawners.get(server_name)
    spawner = user.spawners.get(server_name)
    if made is None or (spawner is not None and (spawner.active or spawner.pending)):
        return
    user.spawners.pop(server_name, None)
    user.db.delete(made)
    user.db.commit()
