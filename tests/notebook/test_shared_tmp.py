"""Where /tmp is everybody's: what a session leaves names of there is nothing that others can take in its place."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answering_hub import AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment
from tests.support.terminal import Terminal

pytestmark = pytest.mark.image

NOBODY = 65534
SBATCH = "#!/bin/sh\nprintf 'given %s.\\n' \"$@\"\nenv\n"
CHECKPOINTS = """
import os
from fabric_lab.launch import place
with place.place() as directory:
    place.settle(os.environ, directory)
    from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
    from fabric_lab.launch.rescue import Checkpoints
    print(directory)
    for kind in (AsyncFileCheckpoints, Checkpoints):
        print(kind(root_dir="/usr").checkpoint_path("checkpoint", "lib/first.ipynb"))
"""


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A directory for temporary files as /tmp is."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    made.chmod(0o1777)
    yield made
    shutil.rmtree(made)


def _sbatch(directory: Path) -> Path:
    directory.mkdir()
    (directory / "sbatch").write_text(SBATCH)
    (directory / "sbatch").chmod(0o755)
    return directory


def _submitted(said: str) -> tuple[list[str], dict[str, str]]:
    """What sbatch was given, and in which environment."""
    lines = said.splitlines()
    given = [line.removeprefix("given ") for line in lines if line.startswith("given ")]
    return given, dict(line.split("=", 1) for line in lines if "=" in line)


def test_a_submitted_job_looks_for_nothing_in_the_sessions_directory(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    """On another node anybody can make that directory, and put programs where the job's PATH would begin."""
    slurm, late = _sbatch(tmp_path / "slurm"), _sbatch(tmp_path / "late")
    (late / "sbatch").rename(late / "salloc")
    environment = session_environment(hub.url, PATH=f"{slurm}:/usr/bin:/bin")
    with RunningSession(python, tmp_path, environment) as session:
        (session.home / ".profile").write_text(f"PATH={slurm}:{late}:/usr/bin:/bin\n")
        session.announced_by(hub)
        kernel, terminal = Kernel(session), Terminal.of(session)
        kernel.until("idle")
        place = kernel.run("import os; print(os.environ['FABRIC_SCRATCH'])").strip()
        assert place in kernel.run("import os; print(os.environ['PATH'])"), "it begins there in the session itself"
        cell = kernel.run("!sbatch --wrap 'two  words' '*'")
        typed = terminal.run("sbatch --wrap 'two  words' '*'")
        by_login = terminal.run("salloc --wrap 'two  words' '*'")
        for said in (cell, typed, by_login):
            given, seen = _submitted(said)
            assert given == ["--wrap.", "two  words.", "*."], said
            # "_" is what the shell ran last
            assert {name for name, value in seen.items() if place in value} <= {"FABRIC_ACCESS", "_"}
            assert str(python.parent.resolve()) in seen["PATH"].split(":"), "the image's programs are still first"
        own = _submitted(terminal.run("VIRTUAL_ENV=/home/ann/envs/mine sbatch x"))[1]
        assert own["VIRTUAL_ENV"] == "/home/ann/envs/mine", "what the user has set stays"
        kernel.close()
        terminal.close()


@pytest.mark.root
def test_the_token_is_taken_from_nobody_elses_process(python: Path, everybodys: Path) -> None:
    """The path of the socket is known to jobs, which may run where somebody else can make it."""
    path = everybodys / "access"
    theirs = (
        "import socket, sys\n"
        f"listener = socket.socket(socket.AF_UNIX); listener.bind({str(path)!r}); listener.listen()\n"
        "print('listens', flush=True)\n"
        "while True:\n line = listener.accept()[0]; line.sendall(b'their-token'); line.close()\n"
    )
    with subprocess.Popen(
        [python, "-I", "-c", theirs], user=NOBODY, group=NOBODY, extra_groups=[], stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout
            assert other.stdout.readline() == b"listens\n"
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(path))
                assert line.recv(100) == b"their-token", "it answers"
            done = subprocess.run(
                [python, "-I", "-m", "fabric_lab.access"],
                env={"FABRIC_ACCESS": str(path)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 1
            assert "their-token" not in done.stdout
        finally:
            other.kill()


@pytest.mark.root
def test_checkpoints_of_what_cannot_be_written_beside_are_nobody_elses(python: Path, everybodys: Path) -> None:
    """Jupyter has a fixed name for their directory, which somebody else could have made, with links in it."""
    done = subprocess.run(
        [python, "-I", "-c", CHECKPOINTS],
        env={"PATH": os.defpath, "HOME": "/", "TMPDIR": str(everybodys)},
        cwd="/", user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    place, *paths = done.stdout.split()
    assert len(paths) == 2
    assert [path for path in paths if not path.startswith(f"{place}/")] == [], json.dumps(paths)
