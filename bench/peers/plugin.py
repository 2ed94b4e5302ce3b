"""A pytest plugin: dask-jobqueue's own tests, with ``DaskCluster`` wherever they say ``SLURMCluster``.

It is loaded (``pytest -p plugin``) in a session, by the Python of the session's image. ``BENCH_TESTS`` is where the
tests are; ``BENCH_OUTCOMES`` is a file that gets one line of JSON for each outcome.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import dask_jobqueue
import dask_jobqueue.slurm
import pytest
from distributed.utils_test import cleanup, loop, loop_in_thread  # noqa: F401  # fixtures that the tests want
from fabric_lab import DaskCluster, clusters

TESTS, OUTCOMES = Path(os.environ["BENCH_TESTS"]), Path(os.environ["BENCH_OUTCOMES"])

# Everything but the tests is the image's own dask-jobqueue.
dask_jobqueue.__path__.append(str(TESTS.parent))
dask_jobqueue.SLURMCluster = dask_jobqueue.slurm.SLURMCluster = DaskCluster


def of_job(*arguments: Any, job_cls: type, **words: Any) -> Any:
    """What ``JobQueueCluster(job_cls=SLURMJob)`` is: the cluster of such jobs."""
    assert job_cls is DaskCluster.job_cls
    return DaskCluster(*arguments, **words)


def tell(test: str, outcome: str, text: str = "") -> None:
    """Write down how a test went, for whoever waits."""
    with OUTCOMES.open("a") as file:
        file.write(json.dumps({"test": test, "outcome": outcome, "text": text}) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    for mark in ("env", "xfail_env"):
        config.addinivalue_line("markers", f"{mark}(NAME): dask-jobqueue's; here all of them run on Slurm")


def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        module = getattr(item, "module", None)
        if module is not None and module.__name__.endswith("test_job"):
            module.JobQueueCluster = of_job


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        tell(item.nodeid, "not run")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell how the call went, and what went wrong before or after it."""
    report = yield
    if call.when == "call" or not report.passed:
        error = call.excinfo
        tell(item.nodeid, report.outcome, "" if error is None else f"{error.type.__name__}: {error.value}")
    return report


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """A cluster that a failed test has left does not take the next one's place on the node."""
    yield
    for name in clusters():
        DaskCluster.connect(name).close()


@pytest.fixture(name="Cluster")
def cluster() -> type[DaskCluster]:
    """Any of dask-jobqueue's classes, to its tests."""
    return DaskCluster


@pytest.fixture(name="EnvSpecificCluster")
def env_specific_cluster() -> type[DaskCluster]:
    """The class of the batch system that is there."""
    return DaskCluster
