"""``python with_parent.py PID COMMAND ...``: become a command that ends when process PID does, its parent.

The hub starts its proxy and its service so. A hub that is killed ends nothing itself; what it leaves behind would
hold the ports of the next one, and act on what it knows of sessions. The kernel does it, at once (prctl(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def with_parent(command: Sequence[str], parent: int) -> list[str]:
    """The argument list that runs a command as long as its parent lives; one that is so already stays as it is."""
    ours = [sys.executable, "-I", "-S", __file__]
    return list(command) if list(command[: len(ours)]) == ours else [*ours, str(parent), *command]


def main(argv: Sequence[str]) -> None:
    parent, command = int(argv[0]), list(argv[1:])
    # not a signal that can be put off: nothing is lost when one of these dies
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise SystemExit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        raise SystemExit(f"The process that this belongs to ({parent}) has ended already.")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
