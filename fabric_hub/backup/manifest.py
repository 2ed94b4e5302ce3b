"""What a backup says of itself: ``manifest.json``, beside one tar file for each account's part."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from fabric_hub.catalogue.audit.log import Head
from fabric_hub.datasets.model import Digest
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.types import Frozen

FILE = "manifest.json"
DatabaseName = Literal["jupyterhub", "sessions", "catalogue"]
PartName = Literal["hub", "catalogue"]


class DatabaseState(Frozen):
    """A database as it was taken. ``revision`` is its schema's; None: it has none (it was never made)."""

    kind: Literal["sqlite", "postgresql"]
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f_]{1,64}$", strict=True)] | None = None


class Part(Frozen):
    """One account's part: a tar file."""

    file: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}\.tar$", strict=True)]
    sha256: Digest
    bytes: int = Field(ge=0)
    databases: dict[DatabaseName, DatabaseState]


class Manifest(Frozen):
    """A whole backup. ``at`` is its moment, Unix seconds; ``held_s`` is for how long writers waited for it.

    ``serial`` is the catalogue's and ``audit`` the head of the audit log, both as of that moment.
    """

    format: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$", strict=True)]
    release: str
    hub_id: str
    at: float
    held_s: float = Field(ge=0)
    secrets: bool
    parts: dict[PartName, Part]
    serial: int = 0
    audit: Head = Head()


def read(directory: Path) -> Manifest:
    """The manifest of a backup.

    :raises FabricError: there is none, or none that this release can read.
    """
    try:
        return Manifest.model_validate_json((directory / FILE).read_bytes())
    except OSError as error:
        cause = error.strerror or str(error)
    except ValidationError as error:
        first = error.errors()[0]
        cause = f"{FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise FabricError(texts.NO_BACKUP(directory=str(directory), cause=cause))


def check(directory: Path, manifest: Manifest) -> None:
    """Refuse a backup of which a file is not as it was made.

    :raises FabricError: which one.
    """
    for part in manifest.parts.values():
        path = directory / part.file
        try:
            found = digest(path)
        except OSError as error:
            raise FabricError(
                texts.NO_BACKUP(directory=str(directory), cause=f"{part.file}: {error.strerror}")
            ) from error
        if found != part.sha256:
            raise FabricError(texts.BACKUP_CHANGED(file=part.file))


def digest(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
