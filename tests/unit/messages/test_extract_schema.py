"""What a settings schema says is in the catalogue, under the contexts by which JupyterLab asks for it."""

from __future__ import annotations

import io
import json

from scripts.extract_schema import extract


def test_titles_and_descriptions_are_found_and_nothing_else() -> None:
    schema = {
        "title": "A session",
        "description": "What it says.",
        "jupyter.lab.setting-icon-label": "Gauge",
        "jupyter.lab.setting-icon": "fabric-lab:usage",
        "properties": {"refresh": {"title": "Updates", "description": "In seconds.", "type": "number"}, "bare": {}},
    }
    found = extract(io.BytesIO(json.dumps(schema).encode()), {}, (), {})
    assert [text for _line, _function, text, _comments in found] == [
        ("schema", "A session"),
        ("schema", "What it says."),
        ("settings", "Gauge"),
        ("settings", "Updates"),
        ("settings", "In seconds."),
    ]
