"""What the scheduler's web server has besides the dashboard: the cluster's verbs, for the session's JupyterLab panel.

That server answers only to who has the cluster's key (:mod:`.tls_nodes`).
"""

from __future__ import annotations

import json
from typing import Any

from tornado.web import RequestHandler

from .control import Control, WrongWordsError

PATH = "/fabric/cluster"


class ControlPage(RequestHandler):
    """GET: the cluster's status. POST ``{"verb": "scale", ...}``: what :class:`.control.Control` has of this name."""

    def initialize(self, control: Control) -> None:
        self._control = control

    async def get(self) -> None:
        self.finish(json.dumps(await self._control.status()))

    async def post(self) -> None:
        try:
            words = json.loads(self.request.body)
            answer = await self._control.do(str(words.pop("verb")), words)
        except (WrongWordsError, ValueError, AttributeError, KeyError) as error:
            self.set_status(400)
            answer = {"error": str(error)}
        if answer.get("error"):
            self.set_status(400)
        self.finish(json.dumps(answer))


def control_pages(control: Control) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Routes for the scheduler's web server."""
    return [(PATH, ControlPage, {"control": control})]
