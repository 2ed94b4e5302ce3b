"""A task's directory on its node's disk goes with the task; what a killed one left goes with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from fabric_lab.dask.scratch import STARTING_S, scratch, sweep

CODE = """
import sys, time
from fabric_lab.dask.scratch import scratch
with scratch(sys.argv[1]) as path:
    print(path, flush=True)
    time.sleep(600)
"""


def test_it_is_there_for_the_task_and_gone_with_it(tmp_path: Path) -> None:
    with scratch(str(tmp_path)) as path:
        assert Path(path).stat().st_mode & 0o777 == 0o700
        with scratch(str(tmp_path)) as other:
            assert Path(path).is_dir(), "one that lives was taken away"
            assert other != path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_task_left_goes_with_the_next(tmp_path: Path) -> None:
    extensions = Path(__file__).parents[2] / "extensions"
    argv = [sys.executable, "-c", CODE, str(tmp_path)]
    task = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(extensions)})
    assert task.stdout is not None
    left = Path(task.stdout.readline().strip())
    task.send_signal(signal.SIGKILL)
    task.wait()
    task.stdout.close()
    assert left.is_dir()
    with scratch(str(tmp_path)):
        assert not left.exists()


def test_what_is_not_ours_or_may_be_starting_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "fabric-dask-link").symlink_to(tmp_path / "else")
    starting, old = tmp_path / "fabric-dask-new", tmp_path / "fabric-dask-old"
    starting.mkdir()
    old.mkdir()
    before = old.stat().st_mtime - 2 * STARTING_S
    os.utime(old, (before, before))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["else", "fabric-dask-link", "fabric-dask-new"]
