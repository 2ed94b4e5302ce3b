"""The conftest of the node agent's tests where Python is older than the hub's: nothing but pytest and hypothesis.

scripts/generations.py lays it as ``tests/conftest.py`` into a root with Python 3.9. What the tests' own conftest knows
of clusters and hubs needs the hub's packages, which no node has.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.scratch_node import unmount_below

hypothesis.settings.register_profile(
    "node", deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("node")


def pytest_configure(config: pytest.Config) -> None:
    for name in ("root", "long", "slurm"):
        config.addinivalue_line("markers", f"{name}: as in setup.cfg")
    assert sys.version_info < (3, 11), "this Python runs the tests as they are"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Path]:
    """A directory that other accounts can pass through; cleared whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-test-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    unmount_below(directory)
    shutil.rmtree(directory)
