"""The hub as a process, and what it has started."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

from fabric_dev.processes import end


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_alone(hub: subprocess.Popen[bytes], own_proxy: bool = True) -> None:
    """``kill -9`` of a hub, and of nothing else: its proxy and its service must end with it, at once.

    :param own_proxy: the proxy is its child; false where that has a unit of its own.
    """
    started = children(hub.pid)
    handles = [os.pidfd_open(pid) for pid in started]
    assert len(handles) == 1 + own_proxy, "proxy and service"
    hub.kill()
    hub.wait()
    try:
        for handle in handles:
            assert select.select([handle], [], [], 20)[0], "a child outlives its hub"
    finally:
        end(started)
        for handle in handles:
            os.close(handle)
