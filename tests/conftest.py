"""Fixtures of all tests: real clusters, real hubs, in directories that disappear whatever happens.

``FABRIC_TEST_IMAGES=DIR`` keeps the built image between runs; without it every run builds its own.
"""

from __future__ import annotations

import functools
import os
import secrets
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

from tests.support.embedded_run import ROOT, EmbeddedRun
from tests.support.groups import group_of, in_order
from tests.support.waiting import until
from tests.support.watchdog import clear, watch

from .support import durations, leftovers

# A cluster's process goes on for a while after its session, and its tasks hand over their results.
ENDING_S = 60.0
_BEGAN = time.time()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups first; tests marked ``root`` need to be root: they make Unix accounts."""
    ordered = in_order([item.nodeid for item in items], durations.kept().get("files", {}))
    place = {name: number for number, name in enumerate(ordered)}
    items.sort(key=lambda item: place[item.nodeid])
    if ROOT:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root: it makes Unix accounts and becomes them"))


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives whole groups of tests to workers, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """How tests are spread over workers (``make test``)."""
    return Groups(config, log)


_time = durations.Durations()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """How long a phase of a test took; with workers, all of them report to the one process that prints."""
    _time.add(report.nodeid, report.when or "", report.duration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where the time of a run with workers went, and the file for the next change to compare with."""
    if not getattr(config.option, "numprocesses", None):
        return
    wall_s = time.time() - _BEGAN
    terminalreporter.section("where the time went")
    for line in _time.table(wall_s, durations.kept()):
        terminalreporter.line(line)
    durations.write(_time.record(wall_s))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the logs one would look for."""
    report = yield
    if report.failed:
        runs = {run.directory: run for run in getattr(item, "funcargs", {}).values() if isinstance(run, EmbeddedRun)}
        for directory, run in runs.items():
            report.sections.append((f"logs of {directory}", run.logs()))
    return report


def pytest_configure(config: pytest.Config) -> None:
    """Commands speak English whatever the terminal does. The process that starts workers names them one directory of
    images, and clears it after them."""
    os.environ["LANGUAGE"] = "en"
    if getattr(config.option, "numprocesses", None) and not os.environ.get("FABRIC_TEST_IMAGES"):
        os.environ["FABRIC_TEST_IMAGES"] = str(sandbox_directory() / "images")
        config.add_cleanup(lambda: clear(sandbox_directory()))


@functools.cache
def sandbox_directory() -> Path:
    """What these tests make is in here; other accounts can pass through, and a watchdog outlives us to clear it."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-test-", dir="/tmp"))
    directory.chmod(0o755)
    watch(directory)
    return directory


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Path]:
    """A directory for embedded runs, which other accounts can pass through; cleared whatever happens."""
    yield sandbox_directory()
    clear(sandbox_directory())


@pytest.fixture(scope="session", autouse=True)
def temporary_directory(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where tests, and what they start, put temporary files. The run fails where the product has left any."""
    tmp_path_factory.getbasetemp()  # stays where it is: pytest keeps it for whoever looks why a test has failed
    directory = sandbox / "tmp"
    directory.mkdir()
    directory.chmod(0o1777)
    started = time.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(directory))
        patch.setattr(tempfile, "tempdir", None)
        yield directory
        until(
            lambda: not leftovers.left(started),
            "no file is left behind by the tests",
            ENDING_S,
            every_s=0.2,
            seen=lambda: "\n".join(leftovers.left(started)),
        )


@pytest.fixture
def prefix() -> str:
    """A prefix for Unix accounts that nobody else uses."""
    return new_prefix()


def new_prefix() -> str:
    return f"ft{secrets.token_hex(2)}-"


@pytest.fixture(scope="session")
def images(sandbox: Path) -> Path:
    """The directory of the images, with ``base`` built in it: by the first worker that needs it, for all."""
    directory = Path(os.environ.get("FABRIC_TEST_IMAGES") or sandbox / "images")
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
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
def embedded_hub(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """Everything: the embedded cluster, the gateway and the hub with its proxy and service."""
    yield from _run(sandbox / "hub", "--images", str(images))
