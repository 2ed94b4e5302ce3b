"""A steward's datasets (``/hub/steward``), and the form that describes a new one (``/hub/steward/new``).

For who answers for a dataset (``catalogue.stewards``); for others there is no such page. The catalogue service decides,
by the site's file as it reads it, and puts each change on record.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.stewards import stewards
from fabric_hub.datasets.stewardship import StewardChange, Stewarded
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import agreements
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import datasets as dataset_texts

from .operate import refused_in_words
from .steward_forms import DONE, THEMES, change_of, draft_of, typed_of
from .steward_views import StewardedDataset, stewarded

log = logging.getLogger(__name__)

PATH: Final = "/steward"
LONGEST_S: Final = 30.0


class _StewardPage(BaseHandler):  # type: ignore[misc]
    @property
    def shared(self) -> HubRuntime:
        """The hub's runtime."""
        return runtime()

    def for_stewards(self) -> None:
        """:raises HTTPError: (404) who has logged in answers for no dataset."""
        if self.current_user.name not in stewards(self.shared.settings.catalogue):
            raise web.HTTPError(404)

    async def known(self) -> Stewarded:
        """What the catalogue service alone knows.

        :raises FabricError: it does not answer.
        """
        assert self.shared.catalogue_service is not None  # without one this page does not exist
        return await self.shared.catalogue_service.stewarded(self.current_user.name)

    async def change(self, change: StewardChange) -> None:
        """Have the catalogue service make a change in the name of who has logged in.

        :raises FabricError: it refuses it, or does not answer.
        """
        user = self.current_user.name
        if not agreements.in_person(self, user):
            raise FabricError(dataset_texts.DECIDE_IN_PERSON())
        assert self.shared.catalogue_service is not None
        await self.shared.catalogue_service.change_as_steward(user, change)
        log.info("Steward %s: %s of dataset %s", user, change.do, change.dataset)

    async def show(self, template: str, **told: Any) -> None:
        """Finish with a page, of which no copy is kept: it names people."""
        self.set_header("Cache-Control", "no-store")
        self.finish(await self.render_template(template, no_spawner_check=True, **told))

    async def show_all(self, *, problem: FabricError | None = None, done: Text | None = None, about: str = "") -> None:
        """The page, and on it what became of a form, which was about a dataset."""
        shared, now = self.shared, time.time()
        with refused_in_words():
            view, known = await shared.datasets(fresh=done is not None), await self.known()
            mounted = await asyncio.to_thread(mounted_in, shared)
        catalogue = (view.catalogue if view else None) or Catalogue()
        mine: tuple[StewardedDataset, ...] = stewarded(
            shared.settings, catalogue, known, self.current_user.name, mounted, now
        )
        await self.show("steward.html", datasets=mine, problem=problem, done=done, about=about)


class MyDatasets(_StewardPage):
    """``/hub/steward``: the viewer's datasets. A GET changes nothing.

    A POST is a button of theirs (:mod:`.steward_forms`): ``do``, ``dataset``, and what belongs to it.
    """

    @web.authenticated
    async def get(self) -> None:
        """Show them."""
        self.for_stewards()
        await self.show_all()

    @web.authenticated
    async def post(self) -> None:
        """Change one."""
        self.for_stewards()
        fields = {key: self.get_body_argument(key) for key in self.request.body_arguments if key != "_xsrf"}
        about = fields.get("dataset", "")
        try:
            change, done = change_of(fields)
            await self.change(change)
        except FabricError as error:
            self.log.info("Refused a change of dataset %s by %s: %s", about[:40], self.current_user.name, error)
            self.set_status(error.status)
            await self.show_all(problem=error, about=about)
        else:
            await self.show_all(done=done, about=about)


class NewDataset(_StewardPage):
    """``/hub/steward/new``: describe a dataset, as a draft; ``?draft=`` is one that there is. A GET changes nothing."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form."""
        self.for_stewards()
        name = self.get_query_argument("draft", "")
        with refused_in_words():
            drafts = (await self.known()).drafts if name else ()
        entry = next((one for one in drafts if one.name == name), None)
        if name and entry is None:
            raise web.HTTPError(404)
        await self._form(typed_of(entry) if entry else {}, entry.themes if entry else ())

    @web.authenticated
    async def post(self) -> None:
        """Keep the draft."""
        self.for_stewards()
        fields = {key: self.get_body_argument(key) for key in self.request.body_arguments if key not in _NOT_PLAIN}
        themes = tuple(one for one in self.get_body_arguments("themes") if one in THEMES)
        try:
            change = draft_of(fields, themes)
            await self.change(change)
        except FabricError as error:
            self.log.info("Refused a draft by %s: %s", self.current_user.name, error)
            self.set_status(error.status)
            await self._form(fields, themes, error)
        else:
            await self.show_all(done=DONE["draft"](), about=change.dataset)

    async def _form(
        self, typed: Mapping[str, str], chosen: tuple[str, ...], problem: FabricError | None = None
    ) -> None:
        await self.show("steward_new.html", typed=typed, chosen=chosen, themes=THEMES, problem=problem)


_NOT_PLAIN: Final = ("_xsrf", "themes")


def mounted_in(shared: HubRuntime) -> dict[str, list[tuple[str, str]]]:
    """For each dataset the project and the person of each live session that has it. It may block."""
    found: dict[str, list[tuple[str, str]]] = {}
    for session in shared.store.live_all():
        for name in session.datasets:
            found.setdefault(name, []).append((session.project, session.user))
    return found


def answers_for_any(viewer: Any) -> bool:
    """Whether somebody has this page, for the menu."""
    return viewer is not None and viewer.name in stewards(runtime().settings.catalogue)


def pages(settings: Settings) -> list[tuple[Any, ...]]:
    """The stewards' pages, where the site offers datasets."""
    return [] if settings.catalogue is None else [(PATH, MyDatasets), (rf"{PATH}/new", NewDataset)]
