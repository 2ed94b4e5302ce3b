"""Removes what a test run left when its process is gone, however it went (kill -9 too).

Run as ``python -m tests.support.watchdog PID DIRECTORY``; DIRECTORY holds the test's embedded runs.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .scratch_node import unmount_below


def watch(directory: Path) -> None:
    """Have a directory cleared when this process has ended, by one that is nobody's child."""
    argv = [sys.executable, "-m", "tests.support.watchdog", str(os.getpid()), str(directory)]
    cwd = Path(__file__).parents[2]
    subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, start_new_session=True, check=True)


def wait_for_end(pid: int) -> None:
    """Return once the process is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([handle], [], [])


def clear(directory: Path) -> None:
    """Purge every embedded run below the directory, unmount what is left there, then remove it."""
    for lock in directory.glob("*/run/lock"):
        purge = [sys.executable, "-m", "fabric_hub.cli", "down", "--purge", "--dir", str(lock.parents[1])]
        subprocess.run(purge, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork():
        return  # whoever started this has no child to wait for
    wait_for_end(int(sys.argv[1]))
    clear(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
