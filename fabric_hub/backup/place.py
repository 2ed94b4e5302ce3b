"""The state directory of one account during a restore: what is made ready, moved aside, moved in, or moved back."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from fabric_hub.unix import state_lock

from .databases import BESIDE, dump, put_dump, sqlite_path
from .manifest import DatabaseName, DatabaseState
from .parts import AUDIT, UIDS, PartOf, file_of

READY = ".restoring"


class Place:
    """One state directory.

    :param aside: the name of the directory in it that keeps what was there before.
    :param look: whether nothing is to be swapped: daemons may go on.
    """

    def __init__(self, state_dir: Path, aside: str, *, look: bool = False) -> None:
        self.state_dir, self.aside, self._look = state_dir, state_dir / aside, look
        self.ready = state_dir / (f"{READY}-{os.getpid()}" if look else READY)
        self._mark = state_dir / state_lock.UNFINISHED

    def begin(self) -> None:
        """Have the directory alone, undo a restore that was cut short, and begin with nothing made ready.

        :raises FabricError: a daemon or a command works on it.
        """
        if not self._look:
            state_lock.take(self.state_dir)
            if self._mark.exists():
                self._undo()
        self.discard()
        self.ready.mkdir(mode=0o700)

    def discard(self) -> None:
        """Remove what was made ready, and not moved."""
        shutil.rmtree(self.ready, ignore_errors=True)

    def swap(self, part: PartOf, databases: dict[DatabaseName, DatabaseState], *, secrets: bool) -> None:
        """Move what is there aside, and what was made ready into its place; replace databases of a server.

        From here on until :meth:`finish` nobody else starts on the directory.
        """
        files: list[str] = []
        for name, url in part.urls.items():
            path = sqlite_path(url)
            if path is not None and name in databases:
                files += [f"{path.name}{suffix}" for suffix in BESIDE]
        more = (*part.files, *(part.secrets if secrets else ()))
        files += [file for file in more if (self.ready / file).exists()]
        if UIDS in files and (self.state_dir / UIDS).exists():
            files.remove(UIDS)  # what was seen last is newer
        if part.audit is not None and (self.ready / AUDIT).is_dir():
            os.rename(self.ready / AUDIT, self.ready / part.audit.name)
            files.append(part.audit.name)
        self.aside.mkdir(mode=0o700)
        for name, url in part.urls.items():
            if sqlite_path(url) is None and name in databases:
                dump(name, url, self.aside / file_of(name, "postgresql"))
        self._write_mark(files)
        for file in files:
            if os.path.lexists(self.state_dir / file):
                os.rename(self.state_dir / file, self.aside / file)
            if os.path.lexists(self.ready / file):
                os.rename(self.ready / file, self.state_dir / file)
        _sync(self.aside)
        _sync(self.state_dir)
        for name, url in part.urls.items():
            if sqlite_path(url) is None and name in databases:
                put_dump(name, url, self.ready / file_of(name, "postgresql"))

    def finish(self) -> None:
        """All is in place: daemons may start."""
        self._mark.unlink()
        _sync(self.state_dir)

    def _write_mark(self, files: list[str]) -> None:
        there = [name for name in files if os.path.lexists(self.state_dir / name)]
        draft = self.ready / "mark"
        draft.write_text(json.dumps({"aside": self.aside.name, "files": files, "there": there}))
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(self._mark)
        _sync(self.state_dir)

    def _undo(self) -> None:
        """Put back what a restore that was cut short had moved. Databases of a server it had changed whole, or not."""
        mark = json.loads(self._mark.read_text())
        aside = self.state_dir / mark["aside"]
        for name in mark["files"]:
            now = self.state_dir / name
            if os.path.lexists(aside / name):
                _remove(now)
                os.rename(aside / name, now)
            elif name not in mark["there"]:
                _remove(now)
        self._mark.unlink()
        _sync(self.state_dir)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
