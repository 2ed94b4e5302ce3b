"""Find the sentences of a schema of JupyterLab's settings editor: an extraction method of Babel's.

They get the contexts under which JupyterLab itself looks up the texts of schemas.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

CONTEXT = "schema"
SETTING_CONTEXT = "settings"
_NAMES = ("title", "description")
_ICON = "jupyter.lab.setting-icon-label"


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, tuple[str, str], list[str]]]:
    """Line (none is known: 1), function, context and text, and no comments, of each title and description."""
    schema = json.load(file)
    said = [(CONTEXT, schema.get(name)) for name in _NAMES]
    said.append((SETTING_CONTEXT, schema.get(_ICON)))
    said += [(SETTING_CONTEXT, one.get(name)) for one in schema.get("properties", {}).values() for name in _NAMES]
    yield from ((1, "_p", (context, text), []) for context, text in said if text)
