"""An operator's description of a dataset (TOML): read into an entry, every mistake at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric_hub.config.mistakes import explain
from fabric_hub.datasets.model import Dataset
from fabric_hub.errors import FabricError

from .rows import KEPT

# Long enough for an agreement and a provenance in full.
_LARGEST = 1 << 20


def load(path: Path) -> Dataset:
    """Read a description, as whoever this process is.

    :raises FabricError: it cannot be read, or has mistakes; all of them, each with its line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FabricError(f"{path} cannot be read: {why}.", reason="dataset-file") from error
    if len(content) > _LARGEST:
        raise FabricError(f"{path} is larger than {_LARGEST} bytes.", reason="dataset-file")
    return parse(text, str(path))


def parse(text: str, name: str = "dataset.toml") -> Dataset:
    """The entry that a description's text makes; errors as :func:`load` raises them.

    It is a :class:`Dataset` but for what the catalogue itself keeps (versions, dates), and ``[purposes]``
    is a table: ``research = "Scientific research"``.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FabricError(f"{name} is not valid TOML: {error}.", reason="dataset-file") from error
    purposes = data.get("purposes", {})
    if isinstance(purposes, dict):
        data["purposes"] = [{"name": key, "text": about} for key, about in purposes.items()]
    kept = [key for key in data if key in KEPT - {"name"}]
    wrong: list[Any] = [{"loc": [key], "type": "kept", "msg": "the catalogue itself keeps this"} for key in kept]
    try:
        entry = Dataset.model_validate({key: value for key, value in data.items() if key not in kept})
    except ValidationError as error:
        wrong += [_told(item, purposes) for item in error.errors()]
    if wrong:
        lines = sorted((line for item in wrong for line in explain(item, text, name)), key=_line)
        raise FabricError(
            f"{name} has {len(lines)} mistake{'s' if len(lines) > 1 else ''}:\n" + "\n".join(lines),
            reason="dataset-file",
        )
    return entry


def _line(mistake: str) -> int:
    found = re.search(r":(\d+): ", mistake)
    return int(found.group(1)) if found else 0


def _told(item: Any, purposes: Any) -> Any:
    """A mistake in our words; one in the list of purposes is told of the table that the file has."""
    if item["type"] == "extra_forbidden":
        item = {**item, "type": "unknown", "msg": "no such field"}
    loc = list(item["loc"])
    if len(loc) > 1 and loc[0] == "purposes" and isinstance(purposes, dict):
        return {**item, "loc": ["purposes", list(purposes)[int(loc[1])]]}
    return item
