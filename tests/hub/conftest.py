"""One small site for most tests, others where a test kills it or configures it differently."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_dev.processes import tail
from tests.support.dataset_hub import DatasetHub
from tests.support.person import Person
from tests.support.small_site import SmallSite


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its hub said."""
    report = yield
    if report.failed:
        sites = {site.log: site for site in getattr(item, "funcargs", {}).values() if isinstance(site, SmallSite)}
        for log in sites:
            report.sections.append((f"the hub's log {log}", tail(log, 60)))
    return report


@pytest.fixture(scope="session")
def _running(sandbox: Path) -> Iterator[SmallSite]:
    with SmallSite(sandbox / "small") as site:
        yield site


@pytest.fixture
def site(_running: SmallSite) -> Iterator[SmallSite]:
    """A running hub; every test takes people of its own."""
    _running.reset()
    yield _running
    _running.reset()


@pytest.fixture
def person(site: SmallSite) -> Person:
    """A member of project ``twin``."""
    return site.somebody()


@pytest.fixture(scope="module")  # what one module publishes another does not find
def _dataset_hub(sandbox: Path, request: pytest.FixtureRequest) -> Iterator[DatasetHub]:
    with DatasetHub(sandbox / request.module.__name__.rpartition("_")[2]) as dataset_hub:
        yield dataset_hub


@pytest.fixture
def dataset_hub(_dataset_hub: DatasetHub) -> Iterator[DatasetHub]:
    """A running hub with datasets, for the tests of a module whose ``site`` is its own."""
    _dataset_hub.site.reset()
    yield _dataset_hub
    _dataset_hub.site.reset()


@pytest.fixture
def new_site(sandbox: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., SmallSite]]:
    """Makes sites that a test may kill; ``new_site(users={...})`` changes the site's file."""
    made: list[SmallSite] = []

    def make(configuration: str = "", **changes: dict[str, Any]) -> SmallSite:
        site = SmallSite(sandbox / f"own{abs(hash(request.node.nodeid)) % 10**6}-{len(made)}", configuration, **changes)
        made.append(site)
        return site.up()

    yield make
    for site in made:
        site.close()
