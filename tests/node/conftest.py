"""Compute nodes in a directory, with real mounts; removed whatever happens."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scratch_node import ScratchNode

RESEARCHER, STUDENT, STRANGER = 61001, 61002, 61003  # uids without an account: the kernel knows no names


def names(items: list[dict[str, Any]]) -> list[str]:
    """The datasets of an answer."""
    return [item["dataset"] for item in items]


@pytest.fixture
def node(sandbox: Path) -> Iterator[ScratchNode]:
    """A node with the datasets wind (two versions) and maps, granted to RESEARCHER, and maps also to STUDENT."""
    directory = Path(tempfile.mkdtemp(prefix="node-", dir=sandbox))
    directory.chmod(0o755)
    made = ScratchNode(directory)
    made.dataset("wind", {"a.txt": "wind 1"})
    made.dataset("wind", {"a.txt": "wind 2"}, version="2")
    made.dataset("maps", {"a.txt": "maps"})
    made.grant("wind", RESEARCHER)
    made.grant("maps", RESEARCHER, STUDENT)
    made.publish()
    yield made
    made.remove()
    shutil.rmtree(directory)
