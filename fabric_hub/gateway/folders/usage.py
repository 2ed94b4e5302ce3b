"""What the projects' folders hold, added up seldom and one after another, each as the project's service account."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text, message_of
from fabric_hub.messages.texts import folders as texts
from fabric_hub.slurm.storage import StorageQuota
from fabric_hub.unix.accounts import Account

from . import top

log = logging.getLogger(__name__)

# A folder that takes longer to walk through is not known; between two folders, and when there is nothing to do.
MEASURE_S = 120.0
_PAUSE_S = 1.0


class FolderUsage:
    """Start :meth:`run` as a task, and tell :meth:`follow` which folders there are.

    :param every_s: between two times that a folder is added up.
    :param clock: monotonic seconds.
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s, self._clock = every_s, clock
        self._folders: Mapping[Path, Account] = {}
        self._due: dict[Path, float] = {}
        self._found: dict[str, StorageQuota] = {}

    def follow(self, folders: Mapping[Path, Account]) -> None:
        """From now on these folders, each with its owner."""
        self._folders = folders
        self._due = {path: at for path, at in self._due.items() if path in folders}
        names = {path.name: path for path in folders}
        self._found = {name: self._found.get(name) or _unknown(path) for name, path in names.items()}

    def of(self, project: str) -> StorageQuota | None:
        """What was found last; None: the project has no folder."""
        return self._found.get(project)

    async def run(self) -> None:
        """Add up for ever; cancel the task to stop."""
        while True:
            due = [path for path in self._folders if self._due.get(path, 0.0) <= self._clock()]
            if due:
                try:
                    await self.measure(min(due, key=lambda path: self._due.get(path, 0.0)))
                except Exception:  # a fault of ours, of a number that nothing rests on
                    log.exception("what the projects' folders hold is not known for now")
            await asyncio.sleep(_PAUSE_S)

    async def measure(self, path: Path) -> None:
        """Add up one folder now."""
        self._due[path] = self._clock() + self._every_s
        at, owner = time.time(), self._folders[path]
        try:
            held = await top.measured(path, owner, MEASURE_S)
        except FabricError as error:
            found = _unknown(path, message_of(error))
        else:
            if held["closed"]:
                found = _unknown(path, texts.PARTLY_CLOSED(n=held["closed"], bytes=held["bytes"]))
            else:
                found = _quota(path).model_copy(update={"used": held["bytes"], "files_used": held["files"]})
        if path in self._folders:
            self._found[path.name] = found.model_copy(update={"at": at})


def _unknown(path: Path, why: Text | None = None) -> StorageQuota:
    return _quota(path).model_copy(update={"problem": why or texts.NOT_MEASURED()})


def _quota(path: Path) -> StorageQuota:
    title = str(texts.TITLE(project=path.name))
    return StorageQuota(title=title, path=str(path), scope="project", project=path.name)
