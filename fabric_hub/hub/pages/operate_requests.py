"""One request for a project, for operators (``/hub/operate/projects/requests/NUMBER``): approve it, or decline it.

The form is filled in from a template of the site's file and from the request, so that opening it and approving are two
clicks. The catalogue service decides; where the hub may not widen so much, the page shows the command that does it.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from jupyterhub.utils import url_path_join
from tornado import web

from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.templates import TemplateSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as page_texts
from fabric_hub.messages.texts import project_requests as texts
from fabric_hub.projects.requests import AnswerRequestBody, Request, proposal, template_for

from .known_requests import views
from .operate import operator_of, refused_in_words
from .operate_projects import PATH as PROJECTS
from .project_forms import KINDS
from .projects import ProjectPages, look_anew, today_at
from .request_forms import approved, refusal_in

log = logging.getLogger(__name__)

PATH: Final = f"{PROJECTS}/requests"
APPROVE, DECLINE = "approve", "decline"


class OneRequest(ProjectPages):
    """See the module. A GET changes nothing; a POST answers (``do`` approve or decline)."""

    @web.authenticated
    async def get(self, number: str) -> None:
        """Show it."""
        with refused_in_words():
            operator_of(self.current_user)
            await self._show(await self._service.project_request(_number(number)))

    @web.authenticated
    async def post(self, number: str) -> None:
        """Answer it."""
        with refused_in_words():
            operator = operator_of(self.current_user).name
            service, fields = self._service, self.fields()
            request = await service.project_request(_number(number))
            try:
                self.in_person()
                done = await self._answer(service, request, fields)
            except FabricError as error:
                self.log.info("Refused an answer of operator %s to request %s: %s", operator, number, error)
                self.set_status(error.status)
                await self._show(await service.project_request(_number(number)), problem=error, typed=fields)
                return
            log.info("Operator %s answered request %s: %s", operator, number, fields["do"])
            await self._show(await service.project_request(_number(number)), done=done)

    async def _answer(self, service: CatalogueClient, request: Request, fields: dict[str, str]) -> Text:
        by, number = self.current_user.name, request.number
        if fields.get("do") == DECLINE:
            await service.answer_request(AnswerRequestBody(by=by, number=number, why=refusal_in(fields)))
            return texts.REFUSED(user=request.user)
        if fields.get("do") != APPROVE:
            raise FabricError(page_texts.NO_SUCH_CHANGE())
        approval = approved(request, fields, self._templates.get(fields.get("template", "")))
        try:
            await service.answer_request(AnswerRequestBody(by=by, number=number, approval=approval))
        finally:
            look_anew(self.shared)
        if request.kind == "more":
            return texts.MORE_APPROVED(project=request.title)
        return texts.APPROVED(project=approval.title, user=request.user)

    async def _show(
        self,
        request: Request,
        problem: FabricError | None = None,
        done: Text | None = None,
        typed: dict[str, str] | None = None,
    ) -> None:
        shared, today, templates = self.shared, today_at(time.time()), self._templates
        chosen = (typed or {}).get("template") or self.get_query_argument("template", "")
        chosen = chosen if chosen in templates else template_for(request, templates) or ""
        projects = shared.settings.project
        catalogue = shared.settings.catalogue
        await self.show(
            "operate_request.html",
            view=views((request,), request.answered_at or 0.0)[0],
            project=projects.get(request.project) if request.project else None,
            filled=proposal(request, templates.get(chosen), projects.keys(), today),
            templates=templates,
            chosen=chosen,
            kinds=KINDS,
            account_prefix=catalogue.account_prefix if catalogue else "",
            problem=problem,
            done=done,
            typed=typed or {},
            address=url_path_join(self.hub.base_url, PATH, str(request.number)),
        )

    @property
    def _service(self) -> CatalogueClient:
        service = self.shared.catalogue_service
        if service is None:
            raise web.HTTPError(404)
        return service

    @property
    def _templates(self) -> dict[str, TemplateSettings]:
        catalogue = self.shared.settings.catalogue
        return catalogue.templates if catalogue else {}


def _number(typed: str) -> int:
    if not typed.isdigit() or typed.startswith("0"):
        raise web.HTTPError(404)
    return int(typed)


def pages() -> list[tuple[Any, ...]]:
    """The page, for JupyterHub's list of pages."""
    return [(rf"{PATH}/([a-z0-9]{{1,9}})", OneRequest)]
