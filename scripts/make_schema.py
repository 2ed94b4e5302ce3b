"""Write the shapes of what the hub's service and a session's server say, for all that reads them in a session.

``python -m scripts.make_schema`` writes ``extensions/fabric_lab/schema.py`` from the service's OpenAPI document, and
``extensions/src/schema.ts`` from that and from ``fabric_lab.answers``; ``--check`` writes nothing and ends with status
1 when a file differs. The two share this program, and the front end needs no package more: each site fetches those of
package-lock.json when it builds an image.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
import sys
import types
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from .make_reference import stale
from .reference.apis import service_openapi
from .reference.markdown import ROOT, Schema

EXTENSIONS = ROOT / "extensions"
PYTHON = EXTENSIONS / "fabric_lab" / "schema.py"
TYPESCRIPT = EXTENSIONS / "src" / "schema.ts"
# What a session's token is for.
OF_SESSIONS = "/api/session"
WIDTH = 120
NOTE = "Written by scripts/make_schema.py; run `make docs` after a change."
_PYTHON = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_TYPESCRIPT = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_OF_PYTHON: dict[object, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    object: "unknown",
    types.NoneType: "null",
}


def _named(node: object) -> Iterator[str]:
    """Names of the schemas that a part of the document refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


def of_sessions(document: Schema) -> dict[str, Schema]:
    """The schemas that a session sends or is sent, by name."""
    known: dict[str, Schema] = document["components"]["schemas"]
    found: set[str] = set()
    names = [name for path, verbs in document["paths"].items() if OF_SESSIONS in path for name in _named(verbs)]
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += _named(known[name])
    return {name: known[name] for name in sorted(found)}


def python_type(schema: Schema) -> str:
    """A JSON schema as Python's type of what ``json.loads`` makes of it."""
    if not schema:
        return "object"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return f"Literal{json.dumps(schema['enum'])}"
    if "anyOf" in schema:
        return " | ".join(python_type(one) for one in schema["anyOf"])
    if schema["type"] == "array":
        return f"list[{python_type(schema['items'])}]"
    if schema["type"] == "object":
        return f"dict[str, {python_type(_values(schema))}]"
    return _PYTHON[schema["type"]]


def typescript_type(schema: Schema) -> str:
    """A JSON schema as TypeScript's type."""
    if not schema:
        return "unknown"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(f"'{choice}'" for choice in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(typescript_type(one) for one in schema["anyOf"])
    if schema["type"] == "array":
        return _array(typescript_type(schema["items"]))
    if schema["type"] == "object":
        return _record(typescript_type(_values(schema)))
    return _TYPESCRIPT[schema["type"]]


def _values(schema: Schema) -> Schema:
    """What the values of an object are whose keys are free."""
    patterns: list[Schema] = [*schema.get("patternProperties", {}).values()]
    free = schema["additionalProperties"]
    return patterns[0] if patterns else {} if free is True else dict(free)


def _array(inner: str) -> str:
    return f"readonly ({inner})[]" if "|" in inner else f"readonly {inner}[]"


def _record(inner: str) -> str:
    return f"Readonly<Record<string, {inner}>>"


# -- Python


def python_module(schemas: dict[str, Schema]) -> str:
    """Typed dicts of the service's shapes."""
    text = f'"""What the hub\'s service sends a session, and is sent by it.\n\n{NOTE}\n"""\n\n'
    text += "from __future__ import annotations\n\nfrom typing import Literal, NotRequired, TypedDict\n"
    return text + "".join(_class(name, schema) for name, schema in _choices_first(schemas))


def _choices_first(schemas: dict[str, Schema]) -> list[tuple[str, Schema]]:
    return sorted(schemas.items(), key=lambda item: "enum" not in item[1])


def _class(name: str, schema: Schema) -> str:
    about = schema.get("description", "")
    if "enum" in schema:
        return f"\n# {' '.join(about.split())}\n{name} = {python_type(schema)}\n"
    text = f"\n\nclass {name}(TypedDict):\n"
    if about:
        one_line = f'    """{about}"""\n'
        text += one_line if "\n" not in about and len(one_line) <= WIDTH else _docstring(about)
        text += "\n"
    for field, told in schema["properties"].items():
        kind = python_type(told)
        text += f"    {field}: {kind if field in schema.get('required', ()) else f'NotRequired[{kind}]'}\n"
    return text


def _docstring(about: str) -> str:
    lines = "".join(f"    {line}\n" if line else "\n" for line in about.splitlines()).lstrip()
    return f'    """{lines}    """\n'


# -- TypeScript


def typescript_module(schemas: dict[str, Schema]) -> str:
    """Interfaces of the service's shapes, and of those of the session's own server."""
    answers = _answers()
    own = [kind for kind in vars(answers).values() if _is_shape(kind) and kind.__module__ == answers.__name__]
    text = f"// {NOTE}\n\n// What the hub's service sends a session, and is sent by it.\n"
    text += "".join(_interface(name, schema) for name, schema in _choices_first(schemas))
    text += "\n// What the session's own server answers: fabric_lab/answers.py.\n"
    return text + "".join(_own_interface(kind) for kind in own)


def _answers() -> types.ModuleType:
    if str(EXTENSIONS) not in sys.path:  # fabric_lab is no package of the hub's
        sys.path.insert(0, str(EXTENSIONS))
    return importlib.import_module("fabric_lab.answers")


def _comment(about: str, indent: str = "") -> str:
    about = re.sub(r":\w+:`~?\.*([\w.]+)`", r"`\1`", about.replace("``", "`"))
    about = re.sub(r"\bNone\b", "null", about)
    if "\n" not in about:
        return f"{indent}/** {about} */\n" if about else ""
    lines = "".join(f"{indent} * {line}".rstrip() + "\n" for line in about.splitlines())
    return f"{indent}/**\n{lines}{indent} */\n"


def _interface(name: str, schema: Schema) -> str:
    comment = f"\n{_comment(schema.get('description', ''))}"
    if "enum" in schema:
        return f"{comment}export type {name} = {typescript_type(schema)};\n"
    fields = "".join(
        f"  readonly {field}{'' if field in schema.get('required', ()) else '?'}: {typescript_type(told)};\n"
        for field, told in schema["properties"].items()
    )
    return f"{comment}export interface {name} {{\n{fields}}}\n"


def _is_shape(kind: object) -> bool:
    return is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, tuple))


def _own_interface(kind: type) -> str:
    hints = get_type_hints(kind, include_extras=True)
    fields = "".join(
        f"  readonly {field}{'?' if get_origin(hint) is NotRequired else ''}: {_of_hint(hint)};\n"
        for field, hint in hints.items()
    )
    return f"\n{_comment(inspect.getdoc(kind) or '')}export interface {kind.__name__} {{\n{fields}}}\n"


def _of_hint(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if _is_shape(hint):
        return str(hint.__name__)
    if origin is NotRequired:
        return _of_hint(arguments[0])
    if origin is Literal:
        return " | ".join(f"'{choice}'" for choice in arguments)
    if origin in (types.UnionType, Union):
        return " | ".join(_of_hint(one) for one in arguments)
    if origin is list:
        return _array(_of_hint(arguments[0]))
    if origin is dict:
        return _record(_of_hint(arguments[1]))
    return _OF_PYTHON[hint]


def main() -> int:
    """Write the files, or only check them."""
    parser = argparse.ArgumentParser(prog="python -m scripts.make_schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a file is not up to date")
    only_check = parser.parse_args().check
    schemas = of_sessions(service_openapi())
    old: list[str] = []
    # the second is made of what the first says
    for path, make in ((PYTHON, python_module), (TYPESCRIPT, typescript_module)):
        text = make(schemas)
        if stale({path: text}):
            old.append(str(path.relative_to(ROOT)))
            if not only_check:
                path.write_text(text, encoding="utf-8")
    for name in old:
        print(f"{name} is not up to date; run make docs." if only_check else f"Wrote {name}.")
    return 1 if old and only_check else 0


if __name__ == "__main__":
    sys.exit(main())
