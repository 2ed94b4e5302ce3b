"""Fixtures of all tests: real clusters, real hubs, in directories that disappear whatever happens.

``FABRIC_TEST_IMAGES=DIR`` keeps the built image between runs; without it every run builds its own.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .embedded_run import ROOT, EmbeddedRun
from .watchdog import clear


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``root`` need to be root: they make Unix accounts."""
    if ROOT:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root: it makes Unix accounts and becomes them"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows the logs one would look for."""
    report = yield
    if report.failed:
        runs = {run.directory: run for run in getattr(item, "funcargs", {}).values() if isinstance(run, EmbeddedRun)}
        for directory, run in runs.items():
            report.sections.append((f"logs of {directory}", run.logs()))
    return report


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Path]:
    """A directory for embedded runs, which other accounts can pass through; a watchdog outlives us to clear it."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-test-", dir="/tmp"))
    directory.chmod(0o755)
    subprocess.Popen(
        [sys.executable, "-m", "tests.watchdog", str(os.getpid()), str(directory)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield directory
    clear(directory)


@pytest.fixture
def prefix() -> str:
    """A prefix for Unix accounts that nobody else uses."""
    return new_prefix()


def new_prefix() -> str:
    return f"ft{secrets.token_hex(2)}-"


@pytest.fixture(scope="session")
def images(sandbox: Path) -> Path:
    """The directory of the images, with ``base`` built in it."""
    kept = os.environ.get("FABRIC_TEST_IMAGES")
    directory = Path(kept) if kept else sandbox / "images"
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not (directory / "base" / "current").exists():
        from fabric_hub.images.build import build

        build("base", directory, print)
    return directory


def _run(directory: Path, *arguments: str) -> Iterator[EmbeddedRun]:
    run = EmbeddedRun.start(directory, "--prefix", new_prefix(), *arguments)
    yield run
    run.remove()


@pytest.fixture(scope="session")
def embedded(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """The embedded cluster with the gateway, without a hub."""
    yield from _run(sandbox / "cluster", "--images", str(images), "--until", "gateway")


@pytest.fixture(scope="session")
def bare_cluster(sandbox: Path) -> Iterator[EmbeddedRun]:
    """The embedded Slurm alone."""
    yield from _run(sandbox / "slurm", "--until", "slurm")


@pytest.fixture(scope="session")
def hub(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """Everything: the embedded cluster, the gateway and the hub with its proxy and service."""
    yield from _run(sandbox / "hub", "--images", str(images))
