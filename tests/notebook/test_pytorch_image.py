"""The image with PyTorch: built and started. Too large for every change: FABRIC_TEST_PYTORCH=1 runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fabric_hub.images.build import build
from tests.support.answering_hub import AnsweringHub
from tests.support.running_session import RunningSession, session_environment

pytestmark = [
    pytest.mark.image,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.environ.get("FABRIC_TEST_PYTORCH") != "1", reason="over 1 GB: set FABRIC_TEST_PYTORCH=1 to run it"
    ),
]

COMPUTE = "import torch; print(float((torch.ones(64, 64) @ torch.ones(64, 64)).sum()))"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("pytorch", tmp_path_factory.mktemp("images"), print) / "bin" / "python"


def test_it_computes(python: Path) -> None:
    done = subprocess.run([python, "-I", "-c", COMPUTE], capture_output=True, text=True, check=True)
    assert float(done.stdout) == 64 * 64 * 64


def test_a_session_starts_in_it(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        assert session.announced_by(hub).get("lab")[0] == 200
