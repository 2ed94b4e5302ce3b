"""``python -m tests.support.crashing NODE_JSON STEP VERB...``: do a verb, killed before its STEP-th change.

A change is any call that alters a file, a mount or an ACL. Ends with status 0 when the verb has fewer than STEP.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from fabric_node import kernel
from fabric_node.agent import Agent
from fabric_node.config import load

from .scratch_node import slurm_says


class Countdown:
    """Lets so many changes happen, and no more."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def before(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **options)

        return counted


def main() -> None:
    agent = Agent(load(sys.argv[1]))
    agent.make_directories()
    countdown = Countdown(int(sys.argv[2]))
    for module, calls in (
        (os, ("mkdir", "rmdir", "rename", "unlink", "symlink", "setxattr")),
        (kernel, ("mount", "unmount", "attach_mount")),
    ):
        for name in calls:
            setattr(module, name, countdown.before(getattr(module, name)))
    verb, number, uid, *names = sys.argv[3:]
    if verb == "open":
        agent.open(int(number), int(uid), names)
    elif verb == "close":
        agent.close(int(number), int(uid), names)
    elif verb == "prolog":
        agent.register(slurm_says(int(number), int(uid)))
    elif verb == "epilog":
        agent.finish(slurm_says(int(number), int(uid)))
        agent.reconcile()
    else:
        agent.reconcile()


if __name__ == "__main__":
    main()
