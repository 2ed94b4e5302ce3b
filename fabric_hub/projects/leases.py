"""What is said of accounts that were given back: by the catalogue service to the gateway, and back. Pure but for two
small readers.

The catalogue service publishes ``accounts.json`` beside its socket: what is to be done for each account that is being
cleaned. The gateway answers in a file of its own (``gateway.accounts_file``), which only it may write. Each answer
names the round of the question, so that no old one counts.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from fabric_hub.config.catalogue import CatalogueSettings, UnixAccount
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.types import Frozen

FILE = "accounts.json"
LARGEST = 8 << 20  # bytes
# What the gateway does: close: nothing more is submitted, and no job is left; home: the home is emptied.
Work = Literal["close", "home"]


class Wanted(Frozen):
    """What the gateway is to do for an account."""

    uid: int = Field(gt=0, lt=2**32 - 1)
    work: Work
    round: int = Field(ge=0)


class WantedDocument(Frozen):
    """What the gateway is to do, by account; and why accounts are set apart, for operators."""

    format: Literal[1] = 1
    accounts: dict[UnixAccount, Wanted] = Field(default={})
    apart: dict[UnixAccount, Text] = Field(default={})


class Done(Frozen):
    """How far the gateway is with what it was asked for; ``why``: what keeps it from being done, ``found``: how many
    things it removed from a home."""

    work: Work
    round: int = Field(ge=0)
    done: bool
    why: Text = NOTHING
    found: int = Field(default=0, ge=0)


class DoneDocument(Frozen):
    """How far the gateway is, by account."""

    format: Literal[1] = 1
    accounts: dict[UnixAccount, Done] = Field(default={})


D = TypeVar("D", WantedDocument, DoneDocument)


def wanted_file(catalogue: CatalogueSettings) -> Path:
    """Where the catalogue service says what the gateway is to do."""
    return catalogue.socket.parent / FILE


def read(path: Path, kind: type[D], owners: frozenset[int]) -> D:
    """A document of one of ``owners``; nobody else may write it.

    :raises ValueError: it is somebody else's, or says something else.
    :raises OSError: it is not there, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in owners or status.st_mode & 0o022:
            raise ValueError("it is not who it should be who wrote it, or others may write it")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None


def as_content(document: WantedDocument | DoneDocument) -> dict[str, Any]:
    """A document as it is written."""
    content: dict[str, Any] = json.loads(document.model_dump_json())
    return content
