"""A session on the embedded hub, and notebooks in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.dask_notebook import Notebook, Session
from tests.support.embedded_run import EmbeddedRun


@pytest.fixture(scope="module")
def session(embedded_hub: EmbeddedRun) -> Iterator[Session]:
    """A CPU session of the trainer in project ml-course."""
    started = Session(embedded_hub, "trainer", project="ml-course")
    yield started
    started.stop()


@pytest.fixture
def notebook(session: Session) -> Iterator[Notebook]:
    """A notebook; what clusters a test leaves are closed after it."""
    opened = session.notebook()
    yield opened
    if session.get("api").status_code != 200:
        return  # the test has ended it
    closing = session.notebook()
    closing.run("from fabric_lab import DaskCluster, clusters\nfor n in clusters(): DaskCluster.connect(n).close()")
