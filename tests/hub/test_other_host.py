"""What a test run that was killed leaves of another host is removed by the next one."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.other_host import NAMESPACES, PREFIX, impossible, ip, remove_old

pytestmark = pytest.mark.root


def test_a_dead_runs_host_goes_and_a_living_ones_stays() -> None:
    if why := impossible():
        pytest.skip(why)
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, living = f"{PREFIX}{gone.pid}-old", f"{PREFIX}{os.getpid()}-new"
    for name in (dead, living):
        ip("netns", "add", name)
    try:
        remove_old()
        assert not (NAMESPACES / dead).exists()
        assert (NAMESPACES / living).exists()
    finally:
        for name in (dead, living):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
