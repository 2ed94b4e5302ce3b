"""What a run of the tests must not leave: files of its accounts, and what its own processes had for a while."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fabric_dev import accounts
from fabric_dev.instance import layout_of

# Of workers' tasks, of multiprocessing and of distributed.
NAMES = ("fabric-dask-*", ".fabric-dask-*", "pymp-*", "dask-scratch-space*")

# Until when a uid was an account's of ours, in Unix seconds. Then it is free: what is made after may be anybody's.
_ours_until: dict[int, float] = {}


@contextmanager
def purging(directory: Path) -> Iterator[None]:
    """Around the purge of the embedded run in a directory: from then on nothing of its accounts may be there."""
    uids = [entry.pw_uid for entry in accounts.ours(layout_of(directory))]
    yield
    _ours_until.update(dict.fromkeys(uids, time.time()))


def left(since: float) -> list[str]:
    """Files of accounts that are gone, changed since ``since`` (Unix seconds), and :data:`NAMES` in our directory."""
    own = Path(tempfile.gettempdir())
    found = [f"{path}, of a test's own processes" for name in NAMES for path in own.glob(name)]
    for directory in {*accounts.TEMPORARY, own}:
        for path in directory.iterdir():
            with suppress(FileNotFoundError):
                status = path.lstat()
                if since <= status.st_ctime <= _ours_until.get(status.st_uid, 0.0):
                    found.append(f"{path}, of uid {status.st_uid}, an account of an embedded run that was purged")
    return sorted(found)
