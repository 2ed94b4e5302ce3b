"""When the hub's state was last backed up: a small file in the hub's state directory, for its service and `doctor`.

The backups themselves are root's, and the hub cannot see them. What stands here is the word of the hub's account.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import Field, ValidationError

from fabric_hub.types import Frozen

FILE = "last-backup.json"
# A backup each night, and half a day for one that is late.
OLD_S = 36 * 3600.0
_MOST = 4096  # bytes


class LastBackup(Frozen):
    """A backup that was whole when it was made: ``at`` is its moment (Unix seconds), ``directory`` where it was put."""

    at: float = Field(ge=0, lt=1e11, allow_inf_nan=False)
    id: str = Field(max_length=32)
    directory: str = Field(max_length=2000)


def read(state_dir: Path) -> LastBackup | None:
    """The newest backup; None where none was ever made.

    :raises PermissionError: this account may not look there.
    """
    try:
        # root reads it, too: no link, and nothing that keeps who opens it waiting
        handle = os.open(state_dir / FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return LastBackup.model_validate_json(os.read(handle, _MOST))
    except (OSError, ValidationError):
        return None
    finally:
        os.close(handle)


def write(state_dir: Path, found: LastBackup) -> None:
    """Put one on record, as the state directory's own account; an older one than is there changes nothing."""
    before = read(state_dir)
    if before is not None and before.at > found.at:
        return
    draft = state_dir / f".{FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(found.model_dump_json() + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(state_dir / FILE)
