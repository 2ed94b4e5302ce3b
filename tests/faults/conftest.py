"""One cluster that every test here may break; it is whole again for the next."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.conftest import new_prefix
from tests.support.broken_site import BrokenSite


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what hub, gateway and Slurm said."""
    report = yield
    if report.failed:
        site = getattr(item, "funcargs", {}).get("site")
        if isinstance(site, BrokenSite):
            report.sections.append((f"logs of {site.run.directory}", site.run.logs()))
    return report


@pytest.fixture(scope="session")  # tests of another directory may come between
def _broken(sandbox: Path, images: Path) -> Iterator[BrokenSite]:
    site = BrokenSite.make(sandbox / "broken", new_prefix(), images / "base")
    try:
        site.up()
        yield site
    finally:
        site.close()


@pytest.fixture
def site(_broken: BrokenSite) -> Iterator[BrokenSite]:
    """A real cluster, gateway and hub, with nobody's session in it."""
    _broken.clean()
    yield _broken
    _broken.clean()
