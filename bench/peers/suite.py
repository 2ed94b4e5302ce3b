"""dask-jobqueue's own tests, from its source distribution, run in a session with ``DaskCluster`` for its class."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.images.build import find_uv
from tests.support.dask_notebook import Session

from ..peer import CHECKOUT, locked
from .table import TESTS
from .verdict import Outcome

PACKAGE = "dask-jobqueue"
RUNNER = ("pytest", "pytest-asyncio", "pluggy", "iniconfig")
LIMIT_S = 900.0

# What a notebook runs: the tests in a process below its kernel, so below the session's server.
_START = """
import os, pathlib, subprocess, sys
place = pathlib.Path({material!r})
work = pathlib.Path({work!r})
work.mkdir()
where = str(place / 'dask_jobqueue' / 'tests')
environment = dict(os.environ, BENCH_TESTS=where, BENCH_OUTCOMES=str(work / 'outcomes'),
                   PYTHONPATH=os.pathsep.join([str(place), str(place / 'packages')]), PYTHONDONTWRITEBYTECODE='1')
with open(work / 'log', 'w') as log:
    tests = subprocess.Popen(
        [sys.executable, '-m', 'pytest', '-p', 'plugin', '-p', 'no:cacheprovider', '-c', os.devnull, '--color=no',
         '--tb=short', '--rootdir', where, *{deselect!r}, where],
        cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
"""


def prepare(directory: Path, image: Path) -> str:
    """Put the tests, what runs them and the plugin into a new directory that the session's user can read.

    The source distribution is that of the version which the image has, and must have the digest of the image's lock
    file. The distribution leaves the tests' keys out: others are made.

    :param image: the image's directory.
    :returns: the version.
    :raises FabricError: the distribution has no tests, or cannot be had.
    """
    directory.mkdir()
    python, images = str(image / "bin" / "python"), CHECKOUT / "images"
    wanted = locked((images / "base" / "requirements.lock").read_text(), PACKAGE)
    # pip asks a source distribution what it is, and that takes setuptools, which not every environment has
    tool = locked((images / "pytorch" / "requirements.cpu.lock").read_text(), "setuptools")
    build = _install(directory / "build", python, tool)
    lock = directory / "peer.lock"
    lock.write_text(wanted)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    fetch += ["--no-binary", PACKAGE, "--no-build-isolation", "--require-hashes", "-r", str(lock), "-d", str(directory)]
    _run(fetch, {**os.environ, "PYTHONPATH": str(build)})
    (archive,) = directory.glob("dask_jobqueue-*.tar.gz")
    with tarfile.open(archive) as tar:
        for member in tar:
            _, _, name = member.name.partition("/dask_jobqueue/tests/")
            if member.isfile() and name and ".." not in Path(name).parts:
                file, to = tar.extractfile(member), directory / "dask_jobqueue" / "tests" / name
                assert file is not None
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(file.read())
    if not list(directory.glob("dask_jobqueue/tests/test_*.py")):
        raise FabricError(f"{archive.name} has no tests.", reason="bench-peer", hint="See bench/peers/suite.py.")
    tools = (CHECKOUT / "requirements-dev.lock").read_text()
    _install(directory / "packages", python, "".join(locked(tools, name) for name in RUNNER))
    shutil.copy(Path(__file__).with_name("plugin.py"), directory)
    key = (
        "import pathlib, sys; from distributed import Security; made = Security.temporary(); "
        "[(pathlib.Path(sys.argv[1]) / name).write_text(text) "
        "for name, text in (('key.pem', made.tls_client_key), ('ca.pem', made.tls_ca_file))]"
    )
    _run([python, "-I", "-c", key, str(directory / "dask_jobqueue" / "tests")])
    _run(["chmod", "-R", "a+rX", str(directory)])
    return wanted.split()[0].partition("==")[2]


def _install(target: Path, python: str, wanted: str) -> Path:
    """Packages by their digests, into a directory."""
    lock = target.with_suffix(".lock")
    lock.write_text(wanted)
    install = [str(find_uv()), "pip", "install", "--quiet", "--python", python, "--target", str(target)]
    _run([*install, "--no-deps", "--require-hashes", "-r", str(lock)])
    return target


def _run(argv: list[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise FabricError(
            f"{Path(argv[0]).name} failed: {done.stderr.strip()[-2000:]}",
            reason="bench-peer",
            hint="dask-jobqueue's source distribution comes from the package index that pip is set up for.",
        )


def run(session: Session, material: Path) -> list[Outcome]:
    """Run the tests as the session's user, on the session's Slurm.

    :param material: what :func:`prepare` has made.
    :raises FabricError: they did not come to their end.
    """
    notebook = session.notebook()
    work = session.run.home(session.user) / "dask-jobqueue-tests"
    deselect = [word for entry in TESTS if not entry.fails for word in ("--deselect", entry.test)]
    notebook.run(_START.format(material=str(material), work=str(work), deselect=deselect))
    end = time.monotonic() + LIMIT_S
    while (code := notebook.value("tests.poll()")) is None and time.monotonic() < end:
        time.sleep(1)
    if code is None:
        notebook.run("tests.kill()")
    if code not in (0, 1):
        said = (work / "log").read_text()[-3000:]
        ended = f"did not end within {LIMIT_S:g} s" if code is None else f"ended with {code}"
        raise FabricError(f"dask-jobqueue's tests {ended}:\n{said}", reason="bench-peer")
    return [Outcome(**json.loads(line)) for line in (work / "outcomes").read_text().splitlines()]
