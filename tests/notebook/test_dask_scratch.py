"""A task's directory on its node's disk goes with the task; what a killed one left goes with the next."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fabric_lab.common.scratch import LOCK, STARTING_S, prefix, scratch, sweep
from fabric_lab.dask import queues
from fabric_lab.dask.pools import Place

CODE = """
import sys, time
from fabric_lab.common.scratch import scratch
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


@contextmanager
def task(directory: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has a directory of its own until it ends."""
    extensions = Path(__file__).parents[2] / "extensions"
    argv = [sys.executable, "-c", CODE, str(directory)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(extensions)}) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def test_what_a_killed_task_left_goes_with_the_next(tmp_path: Path) -> None:
    with task(tmp_path) as (process, left):
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.is_dir()
    with scratch(str(tmp_path)):
        assert not left.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_task_that_is_told_to_end_before_its_loop_runs_leaves_nothing(tmp_path: Path, number: int) -> None:
    with task(tmp_path) as (process, made):
        assert made.is_dir()
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "the cluster had no time to cancel it"])
async def test_of_a_worker_that_must_be_killed_nothing_is_left_where_there_is_no_slurm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    monkeypatch.setattr(queues, "ENDING_S", 0.2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    extensions = Path(__file__).parents[2] / "extensions"
    code = CODE.replace("    print", "    import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    print")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=subprocess.PIPE, env={"PYTHONPATH": str(extensions)}
    )
    assert process.stdout
    left = Path((await process.stdout.readline()).decode().strip())
    assert left.name in os.listdir(tmp_path)
    queue = queues.LocalQueue(tmp_path)
    queue._processes[Place(1, 0)] = process
    if cancelled:
        await queue.cancel({1: [0]})
    await queue.over()
    assert process.returncode == -signal.SIGKILL
    assert not os.listdir(tmp_path)


def test_what_is_not_ours_or_may_be_starting_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / f"{prefix()}link").symlink_to(tmp_path / "else")
    starting, old = tmp_path / f"{prefix()}new", tmp_path / f"{prefix()}old"
    starting.mkdir()
    old.mkdir()
    before = old.stat().st_mtime - 2 * STARTING_S
    os.utime(old, (before, before))
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"else", f"{prefix()}link", f"{prefix()}new"}


def test_one_that_has_no_lock_yet_is_not_taken_for_left_by_a_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks of an array start together: each looks for what is left while the others make theirs."""
    lock = fcntl.flock

    def sweep_then_lock(file: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        sweep(tmp_path)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", sweep_then_lock)
    with scratch(str(tmp_path)) as path:
        assert fcntl.flock is lock, "nothing was swept"
        assert [entry.name for entry in Path(path).iterdir()] == [LOCK]
    assert not list(tmp_path.iterdir())


def test_what_a_task_left_that_was_killed_while_it_started_goes_later(tmp_path: Path) -> None:
    new, old = (tmp_path / f".{prefix()}{name}" for name in ("new", "old"))
    for path in (new, old):
        path.mkdir()
        (path / LOCK).touch()
    before = time.time() - 2 * STARTING_S
    os.utime(old, (before, before))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_another_nodes_task_is_left_alone_because_its_lock_may_not_be_seen_here(tmp_path: Path) -> None:
    mine = prefix().removesuffix("_")
    others = [tmp_path / f"{name}_x" for name in ("fabric-dask-other", f"{mine}2", f"{mine}-2", f"{mine}.example.org")]
    for path in (*others, tmp_path / f"{prefix()}x"):
        path.mkdir()
        (path / LOCK).touch()
    with scratch(str(tmp_path)) as here:
        assert sorted(tmp_path.iterdir()) == sorted([*others, Path(here)])
        assert Path(here).name.startswith(prefix())


# Every process of a worker's task is killed, as when its node loses power; then the cluster starts another one there.
LOST = """
import json, os, tempfile, time
from pathlib import Path
import psutil
from fabric_lab import DaskCluster

def of_task(worker):
    # the workers and their parent are copies of the task's own process
    *_, task = [one for one in psutil.Process(worker).parents() if "fabric_lab.dask.worker_task" in one.cmdline()]
    return [task, *task.children(recursive=True)]

if __name__ == "__main__":
    there, here = os.environ["THERE"], Path(tempfile.gettempdir())
    places = [here, Path(there)] if there else [here]
    found = lambda: sorted(path.name for place in places for path in place.glob("fabric-dask-*"))
    semaphores = lambda: [path.name for path in Path("/dev/shm").glob("sem.fabric-dask-*")]
    with DaskCluster(1, name="lost", cores=1, memory="500 MB", local_directory=there or None) as cluster:
        with cluster.get_client() as client:
            client.wait_for_workers(1, timeout=90)
            ((address, worker),) = client.run(os.getpid).items()
            first = found()
            inside = sorted(path.name.partition("-")[0] for name in first for path in here.glob(f"{name}/*"))
            named = [name for name in semaphores() if any(name.startswith(f"sem.{one}-") for one in first)]
            for process in of_task(worker):
                process.kill()
            while address in client.scheduler_info()["workers"]:
                time.sleep(0.1)
            client.wait_for_workers(1, timeout=90)
            second = found()
            again = [name for name in semaphores() if name in named]
    print("=>" + json.dumps({"first": first, "inside": inside, "named": len(named), "second": second, "again": again}))
"""


@pytest.mark.image
@pytest.mark.parametrize("apart", [False, True])
def test_nothing_of_a_killed_worker_stays(python: Path, sandbox: Path, tmp_path: Path, apart: bool) -> None:
    """:param apart: its files are to be in another directory, whose name is too long for a socket."""
    script = tmp_path / "script.py"
    script.write_text(LOST)
    with TemporaryDirectory(dir=sandbox) as here:
        there = tmp_path / ("x" * 100)
        there.mkdir()
        environment = {"HOME": str(tmp_path), "PATH": "/nowhere", "TMPDIR": here, "THERE": str(there) if apart else ""}
        argv = [str(python), str(script)]
        done = subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280)
        assert "=>" in done.stdout, done.stdout + done.stderr
        found = json.loads(done.stdout.rpartition("=>")[2])
        assert "listener" in found["inside"], found
        assert found["named"] > 0, found
        assert len(found["first"]) == len(found["second"]) == 1 + apart
        assert not set(found["first"]) & set(found["second"]), found
        assert found["again"] == []
        assert [*Path(here).iterdir(), *there.iterdir()] == []
