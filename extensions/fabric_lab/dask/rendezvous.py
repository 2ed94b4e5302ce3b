"""Where a cluster's scheduler is: one line, in a file that is there before the scheduler is.

A cluster's first jobs are submitted while its daemon still starts (:mod:`.presubmit`), so a task may be there first. It
waits for this line. The file is made with the cluster's directory and written in place: a network file system shows
who opens a file that it knows what is in it now, but may hide for a minute that there is a new one (nfs(5), "Directory
entry caching").
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

FILE = "scheduler"
LOOK_S = 0.02
LONGEST_LOOK_S = 0.5


def make(directory: Path) -> None:
    """Make the empty file, readable by the user only."""
    os.close(os.open(directory / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write(directory: Path, address: str) -> None:
    """Tell the tasks that wait, and those to come."""
    with (directory / FILE).open("r+") as file:
        file.write(f"{address}\n")


def read(directory: Path) -> str:
    """The address; "" while it is not known.

    :raises FileNotFoundError: the cluster is gone.
    """
    line, end, _ = (directory / FILE).read_text().partition("\n")
    return line if end else ""


async def until_known(directory: Path, limit_s: float) -> str:
    """The address, as soon as it is known.

    :raises FileNotFoundError: the cluster is gone.
    :raises TimeoutError: it is not known within so many seconds.
    """
    end, wait = time.monotonic() + limit_s, LOOK_S
    while not (address := read(directory)):
        if time.monotonic() >= end:
            raise TimeoutError(f"it did not start within {limit_s:g} s")
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_LOOK_S)
    return address
