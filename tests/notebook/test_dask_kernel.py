"""A cluster and the process that started it: whose modules it imports, and with whom it ends. Without Slurm."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

MODULE = "class Answer:\n    def __init__(self, n): self.n = n\n\ndef answer(n): return Answer(n + 1)\n"
# In a kernel a module beside the notebook is found because "" is in sys.path.
BEGIN = """
import json, os, sys
sys.path.insert(0, "")
from fabric_lab import DaskCluster
if __name__ == "__main__":
    cluster = DaskCluster(1, **json.loads(sys.argv[1]))
    client = cluster.get_client()
"""
MODULES = """
    import mymod
    def on_scheduler(dask_scheduler):
        import mymod
        return mymod.answer(1).n, os.getcwd()
    print(json.dumps([
        client.submit(lambda a: a.n, client.submit(mymod.answer, 1)).result(timeout=90),
        client.run_on_scheduler(on_scheduler)[0],
    ]))
    os.makedirs("later"); open("later/other.py", "w").write("value = 7")
    os.chdir("later")
    again = DaskCluster.connect(cluster.name)
    print(again.get_client().submit(lambda: __import__("other").value).result(timeout=90))
    cluster.close()
"""
WAIT = """
    print(json.dumps([cluster.name, str(cluster.directory)]), flush=True)
    sys.stdin.readline()
    cluster.disconnect()
    print("let go", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def started(python: Path, directory: Path, text: str, **words: object) -> Iterator[subprocess.Popen[str]]:
    """A process that starts a cluster, as a kernel does; its home is the directory."""
    script = directory / "apart" / "script.py"
    script.parent.mkdir()
    script.write_text(BEGIN + text)
    environment = {"HOME": str(directory), "PATH": "/nowhere", "TMPDIR": tempfile.gettempdir()}
    process = subprocess.Popen(
        [python, "-P", script, json.dumps(words)], env=environment, cwd=directory,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _until_gone(directory: Path) -> None:
    until(lambda: not directory.exists(), "the cluster has ended", 60)


def test_scheduler_and_workers_import_what_stands_beside_the_notebook(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mymod.py").write_text(MODULE)
    with started(python, tmp_path, MODULES) as process:
        out, error = process.communicate(timeout=200)
        assert process.returncode == 0, error
    assert out.splitlines() == ["[2, 2]", "7"]


def test_a_cluster_that_nobody_named_ends_with_its_kernel(python: Path, tmp_path: Path) -> None:
    with started(python, tmp_path, WAIT) as process:
        assert process.stdout
        _, directory = json.loads(process.stdout.readline())
        assert Path(directory, "cluster.json").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        _until_gone(Path(directory))


@pytest.mark.parametrize("name", ["mine", None])
def test_one_that_was_named_or_let_go_of_stays(python: Path, tmp_path: Path, name: str | None) -> None:
    with started(python, tmp_path, WAIT, name=name) as process:
        assert process.stdout
        assert process.stdin
        known, directory = json.loads(process.stdout.readline())
        if name is None:
            print(file=process.stdin, flush=True)
            assert process.stdout.readline() == "let go\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = f"cluster = DaskCluster.connect({known!r}); cluster.wait_for_workers(1); print(1); cluster.close()"
        done = subprocess.run(
            [python, "-P", "-c", f"from fabric_lab import DaskCluster; {again}"],
            env={"HOME": str(tmp_path), "PATH": "/nowhere"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == "1\n", done.stderr
        _until_gone(Path(directory))
