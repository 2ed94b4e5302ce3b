"""What all our handlers share: whom they answer, how, and with what of the hub's service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from .hub_service import Answer


class FabricHandler(APIHandler):
    """Answers with JSON that no browser keeps."""

    auth_resource = "fabric"

    def respond(self, body: Mapping[str, Any], status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(body))

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Say no, in words for the person. The front end takes an answer with a ``reason`` for this server's own."""
        self.respond({"message": message, "reason": reason}, status)

    def pass_on(self, answer: Answer) -> None:
        """The service's answer, or its refusal in its own words."""
        if answer.body is None:
            self.refuse(answer.status, answer.problem, "hub")
        else:
            self.respond(answer.body)

    def body(self, *, optional: bool = False) -> dict[str, Any]:
        """The request's own object; one that is ``optional`` is empty where there is none.

        :raises HTTPError: it is no object.
        """
        body = self.get_json_body()
        if body is None and optional:
            return {}
        if not isinstance(body, dict):
            raise HTTPError(400, "The body must be an object.")
        return body
