from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from fabric_hub.hub.with_parent import with_parent

_PARENT = """
import os, subprocess, sys
from fabric_hub.hub.with_parent import with_parent
child = subprocess.Popen(with_parent(sys.argv[1:], os.getpid()), start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def test_a_command_ends_with_the_process_that_started_it_even_one_that_ignores_signals() -> None:
    stubborn = ["sh", "-c", "trap '' TERM HUP INT; echo ready; exec sleep 300"]
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, *stubborn], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent.stdout:
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"
        handle = os.pidfd_open(pid)
        try:
            assert not select.select([handle], [], [], 0)[0]
            parent.kill()
            parent.wait()
            assert select.select([handle], [], [], 20)[0]
        finally:
            os.close(handle)


def test_a_command_whose_parent_is_gone_before_it_begins_does_not_begin() -> None:
    ran = subprocess.run(with_parent(["echo", "begun"], 1), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "The process that this belongs to (1) has ended already.\n"


def test_a_command_that_cannot_be_run_is_named() -> None:
    ran = subprocess.run(with_parent(["/no/such", "x"], os.getpid()), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "/no/such: No such file or directory\n")


def test_what_is_wrapped_already_stays_as_it_is() -> None:
    once = with_parent(["a", "b"], 7)
    assert once[-3:] == ["7", "a", "b"]
    assert with_parent(once, 8) == once
