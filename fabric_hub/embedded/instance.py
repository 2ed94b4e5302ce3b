"""What a run remembers between its starts: ports, account prefix, images directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from ..errors import FabricError
from ..model import Frozen
from .layout import Layout
from .ports import Ports

DEFAULT_PREFIX = "fabric-"


class Instance(Frozen):
    """The memory of one run, in its instance.json."""

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = DEFAULT_PREFIX
    ports: Ports
    local: bool = False
    images: Path
    loaded: str = ""  # digest of the accounts and budgets that Slurm's database was given


def read(layout: Layout) -> Instance | None:
    """What earlier starts remembered; None before the first."""
    try:
        return Instance.model_validate_json(layout.instance.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise FabricError(
            f"{layout.instance} cannot be used: {error}.",
            reason="instance",
            hint=f"Start afresh: fabric-hub down --purge --dir {layout.root}",
        ) from error


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Replace a file that only its owner may read, in one step."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if owner:
            os.fchown(file.fileno(), *owner)
    fresh.replace(path)


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the run's lock: one supervisor per directory.

    :raises FabricError: another one holds it.
    """
    layout.run.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FabricError(
                f"Fabric Hub already runs in {layout.root}.",
                reason="already-running",
                hint=f"See it with: fabric-hub status --dir {layout.root}; end it with: "
                f"fabric-hub down --dir {layout.root}",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def holder(layout: Layout) -> int | None:
    """The process that holds the run's lock; None when nobody does."""
    try:
        with layout.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read())
    except FileNotFoundError:
        pass
    return None
