"""``<base>/fabric/datasets``: what the datasets panel of JupyterLab asks this session's own server.

The node's kernel decides who may read; the hub's service knows what there is, why not, and what was chosen.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from ..answers import ChangedDataset, Here
from ..client import AsyncHubClient
from ..common import node
from ..common.lines import one_line
from ..common.translation import _, sentences
from ..kernel import merge
from . import loading
from .base import FabricHandler, Kept
from .preview import PreviewError, Previews

NAME = rf"({node.NAME.pattern})"
KEEP_S = 3.0
LONGEST_REASON = 300  # characters, as the service takes them


class DatasetsHandler(FabricHandler):
    """What the handlers below share."""

    def initialize(self, service: AsyncHubClient, catalogue: Kept, previews: Previews) -> None:
        self.service = service
        self.catalogue = catalogue
        self.previews = previews

    async def ask_node(self, verb: node.Verb, *names: str) -> node.NodeAnswer | None:
        """The node's answer; None when it gave none, and this request is answered with why."""
        try:
            return await node.ask_async(os.environ, verb, names)
        except node.NodeError as error:
            self.refuse(503, str(error), "node")
            return None

    async def opened(self, name: str) -> node.Opened | None:
        """Where a dataset is open here; None where it is not, and this request is answered with why."""
        answer = await self.ask_node("list")
        if answer is None:
            return None
        found = next((one for one in answer.opened if one.dataset == name), None)
        if found is None:
            self.refuse(409, _("{name} is not open in this session. Add it first.").format(name=name), "closed")
        return found


class CatalogueHandler(DatasetsHandler):
    """GET: every dataset that this session's project may know of, and which are open here."""

    @authenticated
    @authorized
    async def get(self) -> None:
        answer, node_problem = None, ""
        response = await self.catalogue.get()
        try:
            answer = await node.ask_async(os.environ, "list")
        except node.NodeError as error:
            node_problem = str(error)
        self.respond(merge.combine(response.body, response.problem, answer, node_problem, os.environ))


class DatasetHandler(DatasetsHandler):
    """POST: add one dataset to the running session. DELETE: drop it."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        answer = await self.ask_node("open", name)
        if answer is None:
            return
        opened = next((one for one in answer.opened if one.dataset == name), None)
        if opened is None:
            why = next((one for one in answer.refused if one.dataset == name), None)
            message = why.message if why else _("The node's dataset service did not say why.")
            said = sentences(_("{name} was not added.").format(name=name), message)
            self.refuse(403, said, why.reason if why else "node")
            return
        noted = await self.service.ask(f"/datasets/{name}", "POST")
        self.catalogue.forget()
        problem = await self.after_change(noted.problem, dropped=False)
        self.respond(ChangedDataset(here=Here(version=opened.version, path=opened.files), problem=problem))

    @authenticated
    @authorized
    async def delete(self, name: str) -> None:
        if await self.ask_node("close", name) is None:
            return
        noted = await self.service.ask(f"/datasets/{name}", "DELETE")
        self.catalogue.forget()
        problem = await self.after_change(noted.problem, dropped=True)
        self.respond(ChangedDataset(here=None, problem=problem))

    async def after_change(self, unnoted: str, *, dropped: bool) -> str:
        """Tell the session's clusters of the change; what went wrong with it anywhere, in words.

        :param unnoted: why the hub did not note it; "" when it did.
        """
        from ..dask import dashboard_client  # nothing of it is needed before a dataset changes

        problems = await asyncio.to_thread(dashboard_client.datasets_changed)
        if unnoted:
            noted = (
                _("It is closed, but the hub did not note it for this session: {problem}")
                if dropped
                else _("It is open, but the hub did not note it for this session: {problem}")
            )
            return sentences(noted.format(problem=unnoted), *problems)
        if problems:
            followed = _("It is closed, but {problem}") if dropped else _("It is open, but {problem}")
            return followed.format(problem=sentences(*problems))
        return ""


class RequestHandler(DatasetsHandler):
    """POST ``{"why": text or null}``: ask the data's stewards for access, for this session's project."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        why = one_line(self.body(optional=True).get("why"), LONGEST_REASON)
        response = await self.service.ask(f"/datasets/{name}/request", "POST", {"why": why or None})
        self.catalogue.forget()
        if response.body is None:
            self.refuse(response.status, response.problem, "request")
        else:
            self.respond({})


class FilesHandler(DatasetsHandler):
    """GET: a few files of a dataset that is open here, and code that loads them."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        opened = await self.opened(name)
        if opened is None:
            return
        try:
            found = await asyncio.to_thread(loading.below, opened.files)
        except OSError as error:
            message = _("{name} cannot be read under {path} ({error}).").format(
                name=name, path=opened.files, error=error.strerror
            )
            self.refuse(409, message, "unreadable")
            return
        response = await self.catalogue.get()
        formats = merge.formats(response.body, name, opened.version)
        ways = loading.snippets(name, opened.version, opened.files, found.files, formats)
        self.respond(
            {
                "path": opened.files,
                "files": [file._asdict() for file in found.files],
                "more": found.more,
                "snippets": [way._asdict() for way in ways],
            }
        )


class TableHandler(DatasetsHandler):
    """GET ``?file=PATH``: the first rows of a file of a dataset that is open here, and its columns."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        opened = await self.opened(name)
        if opened is None:
            return
        try:
            self.respond(await self.previews.of(opened.files, self.get_query_argument("file", "", strip=False)))
        except PreviewError as error:
            self.refuse(409, str(error), error.reason)


def routes(base: str, service: AsyncHubClient) -> list[tuple[str, type[APIHandler], dict[str, Any]]]:
    """The handlers with their addresses below ``<base>``."""
    datasets = url_path_join(base, "datasets")
    shared = {"service": service, "catalogue": Kept(service, "/datasets", KEEP_S), "previews": Previews()}
    return [
        (datasets, CatalogueHandler, shared),
        (url_path_join(datasets, NAME), DatasetHandler, shared),
        (url_path_join(datasets, NAME, "request"), RequestHandler, shared),
        (url_path_join(datasets, NAME, "files"), FilesHandler, shared),
        (url_path_join(datasets, NAME, "table"), TableHandler, shared),
    ]
