"""What runs in a session has the shapes that the service's document gives, and no copy by hand."""

from __future__ import annotations

import re

from scripts import make_schema
from scripts.make_reference import stale
from scripts.reference.apis import service_openapi


def test_the_shapes_of_a_session_are_those_of_the_services_document() -> None:
    schemas = make_schema.of_sessions(service_openapi())
    assert {"SessionInfo", "SessionQuota", "SessionDatasets", "ClusterOffer", "Ready", "Problem"} <= schemas.keys()
    wanted = {
        make_schema.PYTHON: make_schema.python_module(schemas),
        make_schema.TYPESCRIPT: make_schema.typescript_module(schemas),
    }
    assert stale(wanted) == [], "run make docs"


def test_a_field_that_may_be_missing_or_null_says_so_in_both_languages() -> None:
    schema = {
        "description": "One of ``these``; None: not known.",
        "properties": {
            "left": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "all": {"items": {"anyOf": [{"$ref": "#/components/schemas/One"}, {"type": "null"}]}, "type": "array"},
            "sizes": {"additionalProperties": {"type": "integer"}, "type": "object"},
        },
        "required": ["all"],
    }
    assert make_schema.python_module({"Some": schema}).endswith(
        "class Some(TypedDict):\n"
        '    """One of ``these``; None: not known."""\n\n'
        "    left: NotRequired[float | None]\n"
        "    all: list[One | None]\n"
        "    sizes: NotRequired[dict[str, int]]\n"
    )
    written = make_schema.typescript_module({"Some": schema})
    assert (
        "/** One of `these`; null: not known. */\n"
        "export interface Some {\n"
        "  readonly left?: number | null;\n"
        "  readonly all: readonly (One | null)[];\n"
        "  readonly sizes?: Readonly<Record<string, number>>;\n"
        "}\n"
    ) in written
    [known] = re.findall(r"export interface KnownDataset \{\n(.*?)\}", written, re.DOTALL)
    assert "  readonly here: Here | null;\n" in known, "ours adds to what is the service's"
    assert "  readonly licence: string | null;\n" in known
