"""Write docs/reference from the code: settings, command line, the APIs, and who may call them.

``python -m scripts.make_reference`` writes the pages; ``--check`` writes nothing and
ends with status 1 when a page differs from what the code says.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from fabric_dev.layout import default_directory
from fabric_hub import cli, types
from fabric_hub.catalogue.api import Verbs as CatalogueVerbs
from fabric_hub.catalogue.server import create_app as catalogue_app
from fabric_hub.config import settings
from fabric_hub.config.catalogue import CatalogueSettings, ExportSettings
from fabric_hub.config.hub import HubSettings, LoginSettings
from fabric_hub.config.quotas import QuotasSettings, StorageSettings
from fabric_hub.gateway.api import Verbs
from fabric_hub.gateway.server import create_app
from fabric_hub.rpc.problem import Problem
from fabric_hub.service.app import make_app
from fabric_hub.service.callers import CATALOGUE, GATEWAY, HUB, SERVICE, Caller, Line
from fabric_hub.service.deps import ServiceContext
from fabric_hub.sessions.store import SessionStore

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLE_SITE = ROOT / "packaging" / "site.example.toml"
NOTE = "<!-- Written by scripts/make_reference.py from the code; run `make docs` after a change there. -->\n"
VERBS = {"session_log": "log"}  # where a call of the gateway has another name than its verb
METHODS = ("get", "post", "put", "patch", "delete")

Schema = dict[str, Any]

# Kinds of text that have a name: what the pages call them, and what they must match.
TEXTS = {
    TypeAdapter(alias).json_schema()["pattern"]: word
    for alias, word in (
        (types.Slug, "name"),
        (types.HubUser, "user name"),
        (types.SlurmName, "Slurm name"),
        (types.HubId, "hub id"),
        (types.SessionId, "session id"),
        (settings.MemorySize, "size"),
        (types.Gres, "generic resource"),
        (types.OneLine, "one line"),
    )
}


# -- words


def plain(text: str) -> str:
    """A docstring's or help text's markup as Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", inspect.cleandoc(text).strip())
    return text.replace("``", "`")


def cell(text: str) -> str:
    """Text for one cell of a table."""
    return " ".join(plain(text).split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; "" when it has no rows."""
    body = ["| " + " | ".join(row) + " |\n" for row in rows]
    if not body:
        return ""
    return "| " + " | ".join(head) + " |\n" + "|" + " --- |" * len(head) + "\n" + "".join(body)


def kind(schema: Schema) -> str:
    """A JSON schema's type in words, with its limits."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "allOf"):
        if several in schema:
            return " or ".join(kind(part) for part in schema[several] if part.get("type") != "null")
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return f"list of {kind(items)}" if items else "list"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {kind(values)}" if isinstance(values, dict) and values else "object"
    if schema.get("type") == "string":
        return _string(schema)
    word = {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        schema.get("type", ""), "any"
    )
    return word + _limits(schema)


def _string(schema: Schema) -> str:
    if schema.get("format") in ("path", "date"):
        return {"path": "absolute path", "date": "date"}[schema["format"]]
    pattern = schema.get("pattern", "")
    return TEXTS.get(pattern) or (f"text matching {code(pattern)}" if pattern else "text")


def code(pattern: str) -> str:
    """A pattern as code in a table, without the anchors that all have."""
    return "`" + pattern.removeprefix("^").removesuffix("$").replace("|", "\\|") + "`"


def texts(page: str) -> str:
    """What the kinds of text that a page names must match."""
    rows = [(word, code(pattern)) for pattern, word in TEXTS.items() if re.search(rf"\| (?:list of )?{word} \|", page)]
    return f"\n## Kinds of text\n\n{table(('kind', 'matches'), rows)}" if rows else ""


def _limits(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    words = []
    if above is not None:
        words.append(f"above {above}")
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        words.append(f"at least {low}")
    if high is not None:
        words.append(f"at most {high}")
    return f", {' and '.join(words)}" if words else ""


def fields(schema: Schema, *, optional: str = "") -> str:
    """The properties of an object's schema as a table.

    :param optional: what the default column says of a property without a default.
    """
    required = set(schema.get("required", ()))
    rows = []
    for name, part in schema.get("properties", {}).items():
        default = part.get("default")
        word = "required" if name in required else optional if default is None else f"`{json.dumps(default)}`"
        nullable = name in required and any(one.get("type") == "null" for one in part.get("anyOf", ()))
        rows.append((f"`{name}`", kind(part) + " or null" * nullable, word, cell(part.get("description", ""))))
    if all(not row[3] for row in rows):
        return table(("field", "type", "default"), [row[:3] for row in rows])
    return table(("field", "type", "default", "meaning"), rows)


# -- settings


def sections() -> list[tuple[str, type[BaseModel]]]:
    """The tables of the site's file with the model that each one holds."""
    return [
        ("hub", HubSettings),
        ("login", LoginSettings),
        ("gateway", settings.GatewaySettings),
        ("slurm", settings.SlurmSettings),
        ("users", settings.UserSettings),
        ("images", settings.ImagesSettings),
        ("image.NAME", settings.ImageSettings),
        ("profile.NAME", settings.Profile),
        ("project.NAME", settings.Project),
        ("project.NAME.members", settings.Members),
        ("catalogue", CatalogueSettings),
        ("catalogue.export", ExportSettings),
        ("quotas", QuotasSettings),
        ("[quotas.storage]", StorageSettings),
    ]


def settings_page() -> str:
    """Every setting of the site's file."""
    text = NOTE + "# Settings of the site's file\n\n"
    text += (
        f"The file is TOML. It is read from `${settings.ENV}`, or else from `{settings.DEFAULT_PATH}`.\n"
        "`fabric-hub check-config` reports every mistake in it, with its line.\n"
        "A setting without a default that is not required may be left out.\n"
        "There is an example in [packaging/site.example.toml](../../packaging/site.example.toml).\n"
    )
    for name, section in sections():
        schema = section.model_json_schema()
        if name == "project.NAME":  # its members are a table of their own
            schema["properties"].pop("members")
        if name == "catalogue":
            schema["properties"].pop("export")
        if name == "quotas":
            schema["properties"].pop("storage")
        text += f"\n## [{name}]\n\n{plain(section.__doc__ or '')}\n\n"
        text += fields(schema).replace("| field |", "| setting |", 1)
    return text + texts(text)


# -- command line


def commands(parser: argparse.ArgumentParser, about: str = "") -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """A parser and all its sub-commands, depth first, each with its one-line help."""
    yield parser, about or parser.description or ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, child in action.choices.items():
                yield from commands(child, helps.get(name, ""))


def arguments(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """A command's own arguments as (how it is written, what it means); hidden ones are left out."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        default = action.default
        if default == default_directory():  # differs from user to user
            default = "/var/lib/fabric-hub for root, else ~/.local/state/fabric-hub"
        text = (action.help or "") % {**vars(action), "default": default, "prog": parser.prog}
        if action.option_strings and action.required:
            text += " (required)"
        found.append((_written(action), text))
    return found


def _written(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return value
    takes_value = action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction)
    return ", ".join(action.option_strings) + (f" {value}" if takes_value else "")


def command_line_page() -> str:
    """Every command of ``fabric-hub``."""
    text = NOTE + "# Command line\n\n"
    text += "Exit status: 0 done, 1 refused or failed (the reason is printed), 2 wrong usage.\n"
    for parser, about in commands(cli.parser()):
        text += f"\n## {parser.prog}\n\n{_sentence(about)}\n\n"
        text += table(("argument", "meaning"), [(f"`{written}`", cell(what)) for written, what in arguments(parser)])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _sentence(text: str) -> str:
    text = plain(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") or not text else ".")


# -- APIs


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
The same as a document: [openapi.json](openapi.json).
How to start and stop sessions: [REST API](../how-to/rest-api.md)."""

GATEWAY_INTRO = """HTTP on the Unix socket `gateway.socket`.
Who may open the socket may submit for every user, so only the hub may.
Errors have a `Problem` as body. What each verb does for a session: [architecture](../architecture.md)."""


CATALOGUE_INTRO = """HTTP on the Unix socket `catalogue.socket`.
Only the hub may open it; nothing that it can ask for grants anybody anything.
Errors have a `Problem` as body. What the catalogue service is: [architecture](../architecture.md)."""


WHO_INTRO = """Every call that we add to JupyterHub's own, and who may make it: nobody else is let in.
The tests hold this list to the code. Why it is so: [what is trusted](../explanation/security.md)."""

SERVICE_CALLERS = """At the hub's public address. A token is one of the hub's and has all scopes that are named;
`access:services` stands for the first, too."""

HUB_CALLERS = """What we add to the hub itself or change in it; `*` is every verb. All else is JupyterHub's own."""

GATEWAY_CALLERS = """On the Unix socket `gateway.socket`, in a directory that lets in the hub's account only.
What its verbs refuse beside that: [its API](../architecture.md)."""

CATALOGUE_CALLERS = """On the Unix socket `catalogue.socket`, in a directory that lets in the hub's account only.
No verb grants anything."""

WHO_SECTIONS = (
    ("The service", SERVICE_CALLERS, SERVICE),
    ("The hub", HUB_CALLERS, HUB),
    ("The gateway", GATEWAY_CALLERS, GATEWAY),
    ("The catalogue service", CATALOGUE_CALLERS, CATALOGUE),
)


def who_may_call_page() -> str:
    """Who may call what, from the list that the tests hold to the code."""
    text = f"{NOTE}# Who may call what\n\n{WHO_INTRO}\n"
    for title, about, lines in WHO_SECTIONS:
        text += f"\n## {title}\n\n{about}\n\n"
        text += table(("call", "who", "scopes", "what checks it", "notes"), [_who(line) for line in lines])
    return text


def _who(line: Line) -> tuple[str, ...]:
    caller = line.caller
    who = "anybody" if caller is Caller.ANYBODY else caller.who
    check = f"`{caller.check}`" if caller.check else "nothing"
    return f"`{line.operation}`", who, ", ".join(f"`{scope}`" for scope in caller.scopes), check, cell(line.note)


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    service, gateway = service_openapi(), gateway_openapi()
    catalogue_service = catalogue_app(cast("CatalogueVerbs", None)).openapi()
    for document in (gateway, catalogue_service):
        document.setdefault("components", {}).setdefault("schemas", {}).setdefault("Problem", problem_schema())
    return {
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "command-line.md": command_line_page(),
        REFERENCE / "openapi.json": json.dumps(service, indent=2, sort_keys=True) + "\n",
        REFERENCE / "service-api.md": api_page("The service's API", SERVICE_INTRO, service),
        REFERENCE / "gateway-api.md": api_page("The gateway's API", GATEWAY_INTRO, gateway),
        REFERENCE / "who-may-call.md": who_may_call_page(),
        REFERENCE / "catalogue-api.md": api_page("The catalogue service's API", CATALOGUE_INTRO, catalogue_service),
    }


def problem_schema() -> Schema:
    """The schema of an error's body."""
    return Problem.model_json_schema()


def stale(wanted: dict[Path, str]) -> list[str]:
    """The generated files that are missing or differ from what the code says."""
    return [
        str(path.relative_to(ROOT))
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write the pages, or only check them."""
    parser = argparse.ArgumentParser(prog="python -m scripts.make_reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a page is not up to date")
    wanted = pages()
    old = stale(wanted)
    if parser.parse_args().check:
        for name in old:
            print(f"{name} is not up to date; run make docs.")
        return 1 if old else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in wanted.items():
        if str(path.relative_to(ROOT)) in old:
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {path.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
