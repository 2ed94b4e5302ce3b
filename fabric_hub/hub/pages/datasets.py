"""The hub's pages of datasets: terms are read and accepted there, and access is asked for, also while a session runs.

They are JupyterHub's own kind of page, and its base class decides who looks at them: by the login cookie only, never by
a token, and a form counts only with the hub's own token against forgery. docs/architecture.md: why they are no service.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Catalogue
from fabric_hub.datasets.policy import CatalogueView, State, catalogue_of, find, may_request
from fabric_hub.datasets.stewards import WaitingGrant, is_steward, waiting_for
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import agreements
from fabric_hub.hub.spawner.runtime import HubRuntime, runtime
from fabric_hub.launch import choice
from fabric_hub.launch.dataset_page import DatasetPages, for_pages, why_no_page, wish_of
from fabric_hub.launch.options import from_form, parse_options
from fabric_hub.messages.texts import datasets as dataset_texts
from fabric_hub.messages.texts import pages as texts

# The words in the page's forms that say what they ask for.
ACCEPT, REQUEST = "accept", "request"
CONFIRM, REFUSE = "confirm", "refuse"  # a steward's


class _Page(BaseHandler):  # type: ignore[misc]
    @property
    def shared(self) -> HubRuntime:
        return runtime()

    @property
    def today(self) -> date:
        return datetime.now().astimezone().date()

    async def known(self, *, fresh: bool = False) -> CatalogueView:
        return await self.shared.datasets(fresh=fresh) or CatalogueView()

    def told(self, known: CatalogueView) -> DatasetPages:
        settings = self.shared.settings
        page = f"{settings.hub.pages_url}/hub/datasets"
        return for_pages(settings, known, self.current_user.name, self.today, page)

    def waiting(self, known: CatalogueView) -> tuple[WaitingGrant, ...]:
        """What waits for the viewer's word as a steward."""
        catalogue = known.catalogue or Catalogue()
        return waiting_for(self.shared.settings, catalogue, self.current_user.name, self.today)

    async def show(self, template: str, **told: Any) -> None:
        # who reads terms sees those in force: no copy of a browser or a proxy
        self.set_header("Cache-Control", "no-store")
        self.finish(await self.render_template(template, no_spawner_check=True, **told))


class AllDatasets(_Page):
    """``GET /hub/datasets``: what the viewer's projects may know of."""

    @web.authenticated
    async def get(self) -> None:
        known = await self.known()
        await self.show("datasets.html", shelf=self.told(known), waiting=self.waiting(known))


class OneDataset(_Page):
    """``/hub/datasets/NAME``: one dataset, its terms, and what the viewer can do with it; ``?project=`` is shown first.

    A GET changes nothing. A POST is the viewer's own word: it accepts the agreement with the start form's fields
    (``project``, ``accept-NAME``, ``purpose-NAME``), asks for access (``project``, ``why``), or decides as the
    dataset's steward on a grant that a restore shut (``project``); the catalogue service knows who is one.
    """

    @web.authenticated
    async def get(self, name: str) -> None:
        await self._show(name, project=self.get_query_argument("project", ""))

    @web.authenticated
    async def post(self, name: str) -> None:
        fields = {key: self.get_body_argument(key) for key in self.request.body_arguments if key != "_xsrf"}
        project = fields.get("project", "")
        try:
            asked = fields.pop("do", "")
            if asked == ACCEPT:
                await self._accept(name, fields)
            elif asked == REQUEST:
                await self._request(name, fields)
            elif asked in (CONFIRM, REFUSE):
                await self._decide(name, project, confirm=asked == CONFIRM)
            else:
                raise FabricError(texts.FORM_ASKS_NOTHING())
        except FabricError as error:
            agreements.tell_refusal(self.shared, self.current_user.name, error)
            self.log.info("Refused dataset %s for %s: %s", name, self.current_user.name, error)
            self.set_status(error.status)
            await self._show(name, project=project, problem=error)
        else:
            await self._show(name, project=project, done=asked)

    async def _accept(self, name: str, fields: dict[str, str]) -> None:
        """The same as a start with this dataset, without the start."""
        user = self.current_user.name
        wish, known = parse_options(from_form({**fields, "datasets": name})), await self.shared.datasets()
        project, _ = choice.open_project(self.shared.settings, user, wish.project, self.today)
        found = choice.acceptances(user, project, wish, self.today, known)
        await agreements.record(self.shared, found, by_person=agreements.in_person(self, user))

    async def _request(self, name: str, fields: dict[str, str]) -> None:
        user, wish = self.current_user.name, wish_of(fields)
        if not agreements.in_person(self, user):
            raise FabricError(texts.REQUEST_IN_PERSON())
        choice.open_project(self.shared.settings, user, wish.project, self.today)
        catalogue = catalogue_of(await self.shared.datasets())
        may_request(catalogue, name, user, wish.project, self.today)
        assert self.shared.catalogue_service is not None  # without one these pages do not exist
        await self.shared.catalogue_service.request(user, wish.project, name, wish.why)

    async def _decide(self, name: str, project: str, *, confirm: bool) -> None:
        user = self.current_user.name
        if not agreements.in_person(self, user):
            raise FabricError(dataset_texts.DECIDE_IN_PERSON())
        assert self.shared.catalogue_service is not None  # without one these pages do not exist
        await self.shared.catalogue_service.decide(user, wish_of({"project": project}).project, name, confirm=confirm)

    async def _show(self, name: str, *, project: str, problem: FabricError | None = None, done: str = "") -> None:
        known = await self.known(fresh=bool(done))
        shelf = self.told(known)
        dataset, entry = shelf.find(name), find(known.catalogue or Catalogue(), name)
        steward = entry is not None and is_steward(self.shared.settings.catalogue, name, self.current_user.name)
        if dataset is None and problem is None and not steward:
            problem = why_no_page(self.shared.settings, known, self.current_user.name, self.today, name)
            self.set_status(problem.status)
        await self.show(
            "dataset.html",
            shelf=shelf,
            dataset=dataset,
            # a steward need not be in a project that has it
            title=dataset.title if dataset else (entry.title or name) if entry and steward else "",
            steward=steward,
            waiting=[one for one in self.waiting(known) if one.dataset == name],
            project=project,
            project_title=self._title_of(project) if steward else "",
            problem=problem,
            done=done,
            accept=dataset.where(State.AGREEMENT) if dataset else (),
            ask=dataset.to_request if dataset else (),
        )

    def _title_of(self, project: str) -> str:
        found = self.shared.settings.project.get(project)
        return (found.title if found else "") or project


def pages(settings: Settings) -> list[tuple[Any, ...]]:
    """The pages of datasets, where the site offers any."""
    if settings.catalogue is None:
        return []
    return [(r"/datasets", AllDatasets), (r"/datasets/([a-z0-9-]{1,40})", OneDataset)]
