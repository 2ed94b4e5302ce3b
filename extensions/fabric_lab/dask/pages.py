"""What the scheduler's web server has besides the dashboard: verbs for the session's JupyterLab panel.

That server answers only to who has the cluster's key (:mod:`.tls_nodes`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tornado.web import RequestHandler

from ..common.translation import _
from .control import Control
from .dashboard_client import CONTROL

# What the panel may ask for, with the types of its words.
VERBS: dict[str, dict[str, tuple[type, ...]]] = {
    "scale": {"n": (int,), "pool": (str, type(None))},
    "quote": {"n": (int,), "pool": (str, type(None))},
    "adapt": {"minimum": (int,), "maximum": (int,), "pool": (str, type(None))},
    "close": {},
    "datasets": {},
    "working": {},
}


class WrongWordsError(Exception):
    """There is no such verb, or it does not take these words."""


async def do(control: Control, verb: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody else than a notebook asks for.

    :raises WrongWordsError: there is no such verb, or it does not take these words.
    """
    known = VERBS.get(verb)
    if known is None or not all(
        isinstance(value, known.get(name, ())) and not isinstance(value, bool) for name, value in words.items()
    ):
        said = _("{verb} with {words} is nothing that a cluster does.").format(verb=verb, words=dict(words))
        raise WrongWordsError(said)
    return dict(await getattr(control, verb)(**words) or {})


class ControlPage(RequestHandler):
    """GET: the cluster's status. POST ``{"verb": "scale", ...}``: what :class:`.control.Control` has of this name."""

    def initialize(self, control: Control) -> None:
        self._control = control

    async def get(self) -> None:
        self.finish(json.dumps(await self._control.status()))

    async def post(self) -> None:
        try:
            words = json.loads(self.request.body)
            answer = await do(self._control, str(words.pop("verb")), words)
        except (WrongWordsError, ValueError, AttributeError, KeyError) as error:
            self.set_status(400)
            answer = {"error": str(error)}
        if answer.get("error"):
            self.set_status(400)
        self.finish(json.dumps(answer))


def control_pages(control: Control) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Routes for the scheduler's web server."""
    return [(CONTROL, ControlPage, {"control": control})]
