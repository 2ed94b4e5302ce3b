from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.images.build import build

from .answering_hub import AnsweringHub
from .running_session import RunningSession, session_environment

EXTENSIONS = Path(__file__).parents[2] / "extensions"
sys.path.insert(0, str(EXTENSIONS))  # its pure parts are tested here, the rest in the image


@pytest.fixture(scope="session")
def image_dir(images: Path) -> Path:
    """The live build of image ``base``, of the sources as they are now."""
    build("base", images, print)
    return images / "base" / "current"


@pytest.fixture(scope="session")
def python(image_dir: Path) -> Path:
    """The image's interpreter."""
    return image_dir / "bin" / "python"


@pytest.fixture
def hub() -> Iterator[AnsweringHub]:
    with AnsweringHub() as answering:
        yield answering


@pytest.fixture
def session(python: Path, hub: AnsweringHub, tmp_path: Path) -> Iterator[RunningSession]:
    """A session that the hub knows."""
    with RunningSession(python, tmp_path, session_environment(hub.url)) as running:
        yield running.announced_by(hub)
