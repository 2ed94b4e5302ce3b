"""What the pages are written with: tables, and JSON schemas in words."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fabric_hub import types
from fabric_hub.config import settings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by scripts/make_reference.py from the code; run `make docs` after a change there. -->\n"

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
