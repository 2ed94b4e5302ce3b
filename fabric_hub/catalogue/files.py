"""An operator's description of a dataset (TOML): read into an entry, every mistake at once, each with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric_hub.config.mistakes import explain
from fabric_hub.datasets.model import Dataset
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.messages.texts import site_file as mistakes

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
        why = verbatim(error.strerror or "") if isinstance(error, OSError) else mistakes.NOT_UTF8()
        raise FabricError(texts.FILE_UNREADABLE(path=str(path), why=why)) from error
    if len(content) > _LARGEST:
        raise FabricError(texts.FILE_TOO_LARGE(path=str(path), size=_LARGEST))
    return parse(text, str(path))


def parse(text: str, name: str = "dataset.toml") -> Dataset:
    """The entry that a description's text makes; errors as :func:`load` raises them.

    It is a :class:`Dataset` but for what the catalogue itself keeps (versions, dates), and ``[purposes]``
    is a table: ``research = "Scientific research"``.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FabricError(mistakes.NOT_TOML(name=name, why=str(error)), reason="dataset-file") from error
    purposes = data.get("purposes", {})
    if isinstance(purposes, dict):
        data["purposes"] = [{"name": key, "text": about} for key, about in purposes.items()]
    kept = [key for key in data if key in KEPT - {"name"}]
    wrong: list[Any] = [{"loc": [key], "type": "kept", "msg": texts.KEPT()} for key in kept]
    try:
        entry = Dataset.model_validate({key: value for key, value in data.items() if key not in kept})
    except ValidationError as error:
        wrong += [_told(item, purposes) for item in error.errors()]
    if wrong:
        lines = [line for item in wrong for line in explain(item, text, name)]
        lines.sort(key=lambda line: int(line.params["line"]))
        raise FabricError(mistakes.MISTAKES(name=name, n=len(lines), mistakes=tuple(lines)), reason="dataset-file")
    return entry


def _told(item: Any, purposes: Any) -> Any:
    """A mistake in our words; one in the list of purposes is told of the table that the file has."""
    if item["type"] == "extra_forbidden":
        item = {**item, "type": "unknown", "msg": texts.NO_SUCH_FIELD()}
    loc = list(item["loc"])
    if len(loc) > 1 and loc[0] == "purposes" and isinstance(purposes, dict):
        return {**item, "loc": ["purposes", list(purposes)[int(loc[1])]]}
    return item


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Changes when a file is written or replaced."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
