"""A rescue session's server: it lets people delete, and needs no room in the home directory for it."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints

FULL = (errno.ENOSPC, errno.EDQUOT)


class Checkpoints(AsyncFileCheckpoints):
    """Checkpoints beside the files, as ever; where there is no room for their directory, there are none.

    Jupyter makes that directory whenever it looks for checkpoints, also when a file is deleted.
    """

    def checkpoint_path(self, checkpoint_id: str, path: str) -> str:
        """Where a checkpoint of a file is, or would be."""
        try:
            return str(super().checkpoint_path(checkpoint_id, path))  # type: ignore[no-untyped-call]
        except OSError as error:
            if error.errno not in FULL:
                raise
            return str(Path(tempfile.gettempdir()) / "no-room-for-checkpoints" / checkpoint_id)


# What is moved to the trash in a full home directory needs room there, and gives none back.
CONTENTS = {
    "delete_to_trash": False,
    "always_delete_dir": True,
    "checkpoints_class": f"{__name__}.{Checkpoints.__name__}",
}
