"""What a run remembers between its starts: ports, account prefix, images directory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from fabric_hub.errors import FabricError
from fabric_hub.types import Frozen

from .layout import Layout
from .ports import Ports

DEFAULT_PREFIX = "fabric-"
_LARGEST = 65536  # bytes; our own files have a few hundred


class Instance(Frozen):
    """The memory of one run, in its instance.json."""

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = DEFAULT_PREFIX
    ports: Ports
    local: bool = False
    oidc: bool = False  # people may log in at an identity provider of the run's own, too
    science: bool = True  # the larger image is built, and comes first
    images: Path
    settings: Path | None = None  # laid over the demo's own
    loaded: str = ""  # digest of the accounts and budgets that Slurm's database was given
    samples: bool = False  # the demo datasets were put into the catalogue


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
    """Replace a file that only its owner may read, in one step.

    No link is followed, whoever may write to the directory: O_EXCL refuses one at the fresh name,
    the owner is set on the open file, and rename(2) replaces one at ``path``.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if owner:
            os.fchown(file.fileno(), *owner)
    fresh.replace(path)


def read_owned(path: Path, uid: int) -> str:
    """The text of a file in a directory that belongs to another account, which may put anything there.

    :param uid: the account that must own the file.
    :raises FabricError: it is not a small regular file of that account; what a link names is never opened.
    """

    def refused(what: str) -> FabricError:
        return FabricError(
            f"{path} {what}.",
            reason="file",
            hint="Remove it and start again; `fabric-hub up` writes it anew.",
        )

    try:
        # not blocking: opening a pipe would wait for its other end
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        what = "is a link" if error.errno == errno.ELOOP else f"cannot be opened: {error.strerror}"
        raise refused(what) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise refused("is not a regular file")
        if status.st_uid != uid:
            raise refused(f"belongs to uid {status.st_uid}, not to uid {uid}")
        content = os.read(handle, _LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > _LARGEST:
        raise refused(f"is larger than {_LARGEST} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise refused("is not text") from error


def layout_of(directory: Path) -> Layout:
    """The layout of a run's directory, with the images directory that its last start used."""
    layout = Layout(directory, directory / "images")
    known = read(layout)
    return Layout(directory, known.images) if known else layout


_MARK = "An embedded run of Fabric Hub: `fabric-hub down --purge` removes this directory and all that is in it.\n"


def is_ours(layout: Layout) -> bool:
    """Whether an embedded run of this account made the directory, so that it may be used and removed."""
    try:
        if layout.root.stat().st_uid != os.geteuid():
            return False
        status = layout.mark.lstat()
        return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    except FileNotFoundError:
        pass
    try:  # made before there were marks
        return layout.root.exists() and layout.instance.stat().st_uid == os.geteuid() and read(layout) is not None
    except (OSError, FabricError):
        return False


def mark(layout: Layout) -> None:
    """Say that the directory is ours. It must be so, or new."""
    with contextlib.suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(layout.mark, flags, 0o644), "w", encoding="utf-8") as file:
            file.write(_MARK)


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the run's lock: one supervisor per directory.

    :raises FabricError: another one holds it.
    """
    layout.run.mkdir(parents=True, exist_ok=True)
    # nobody else may open it: whoever can read a file can hold its lock
    with os.fdopen(os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as lock:
        os.fchmod(lock.fileno(), 0o600)
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
    except (FileNotFoundError, PermissionError):  # a run of somebody else is none of ours
        pass
    return None
