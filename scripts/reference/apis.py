"""The APIs of our processes, from their OpenAPI documents."""

from __future__ import annotations

import inspect
import re
from typing import cast

from fastapi.routing import APIRoute

from fabric_hub.config import settings
from fabric_hub.gateway.api import Verbs
from fabric_hub.gateway.server import create_app
from fabric_hub.rpc.problem import Problem
from fabric_hub.service.app import make_app
from fabric_hub.service.deps import ServiceContext
from fabric_hub.sessions.store import SessionStore

from .markdown import NOTE, ROOT, Schema, fields, kind, plain, table, texts

EXAMPLE_SITE = ROOT / "packaging" / "site.example.toml"
VERBS = {"session_log": "log"}  # where a call of the gateway has another name than its verb
METHODS = ("get", "post", "put", "patch", "delete")


def service_openapi() -> Schema:
    """The OpenAPI document of the hub's REST service."""
    site = settings.load(EXAMPLE_SITE)

    async def nobody(_token: str) -> None:
        return None

    async def nothing() -> None:
        return None

    # a description asks nothing of the store
    return make_app(ServiceContext(site, cast("SessionStore", None), nobody, nothing)).openapi()


def gateway_openapi() -> Schema:
    """The OpenAPI document of the gateway."""
    app = create_app(cast("Verbs", None))
    document = app.openapi()
    for route in app.routes:
        if isinstance(route, APIRoute):
            # what a verb does is said once, where all implementations of the verbs find it
            verb = getattr(Verbs, VERBS.get(route.name, route.name))
            for method in route.methods or ():
                document["paths"][route.path][method.lower()]["description"] = inspect.getdoc(verb) or ""
    return document


def api_page(title: str, intro: str, document: Schema) -> str:
    """An OpenAPI document as a page: operations first, then the objects they take and return."""
    text = f"{NOTE}# {title}\n\n{intro}\n"
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                text += _operation(path, method, operations[method])
    text += "\n## Objects\n"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own; ours are Problem
            continue
        text += f"\n### {name}\n\n{plain(schema.get('description', ''))}\n\n"
        if "enum" in schema:
            text += f"One of {kind(schema)}.\n"
        text += fields(schema, optional="none")
    return re.sub(r"\n{3,}", "\n\n", text + texts(text)).rstrip() + "\n"


def _operation(path: str, method: str, operation: Schema) -> str:
    text = f"\n## {method.upper()} {path}\n\n{plain(operation.get('description', ''))}\n\n"
    text += table(
        ("parameter", "in", "type"),
        [
            (f"`{one['name']}`" + (" (required)" if one.get("required") else ""), one["in"], kind(one["schema"]))
            for one in operation.get("parameters", ())
        ],
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        text += f"\nBody: {kind(body)}.\n"
    answers = []
    for status, answer in operation.get("responses", {}).items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if status == "422":
            schema = {"$ref": "#/Problem"}
        answers.append(f"{status}{f' {kind(schema)}' if schema else ''}")
    return text + f"\nAnswers: {', '.join(answers)}.\n"


SERVICE_INTRO = """The service that the hub manages, below `/services/fabric` of the hub's public address.
Every call but `health` needs a token of the hub: `Authorization: token TOKEN`.
Sentences are in the language of `Accept-Language`, their times in the zone of `X-Time-Zone` (`Europe/Amsterdam`).
The same as a document: [openapi.json](openapi.json).
How to start and stop sessions: [REST API](../how-to/rest-api.md)."""

GATEWAY_INTRO = """HTTP on the Unix socket `gateway.socket`.
Who may open the socket may submit for every user, so only the hub may.
Errors have a `Problem` as body. What each verb does for a session: [architecture](../architecture.md)."""


CATALOGUE_INTRO = """HTTP on the Unix socket `catalogue.socket`.
Only the hub may open it; nothing that it can ask for widens anything beyond what `catalogue.from_hub` allows.
Errors have a `Problem` as body. What the catalogue service is: [architecture](../architecture.md)."""


def problem_schema() -> Schema:
    """The schema of an error's body."""
    return Problem.model_json_schema()
