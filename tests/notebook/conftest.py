from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from fabric_hub.images.build import build
from tests.browser.conftest import picture as picture
from tests.support import panel_catalogue as catalogue
from tests.support import panel_usage as usage
from tests.support import stand_ins
from tests.support.answering_hub import AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.chromium import chromium_with_token
from tests.support.running_session import RunningSession, session_environment

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
def library(tmp_path: Path) -> Path:
    """A directory with stand-ins for NVIDIA's libraries (NVML, CUDA), for LD_LIBRARY_PATH."""
    return stand_ins.compiled(tmp_path)


@pytest.fixture
def hub() -> Iterator[AnsweringHub]:
    with AnsweringHub() as answering:
        yield answering


@pytest.fixture
def session(python: Path, hub: AnsweringHub, tmp_path: Path) -> Iterator[RunningSession]:
    """A session that the hub knows."""
    with RunningSession(python, tmp_path, session_environment(hub.url)) as running:
        yield running.announced_by(hub)


@pytest.fixture
def chromium() -> Iterator[Page]:
    """A page that carries the session's token."""
    with chromium_with_token() as page:
        yield page


@pytest.fixture
def node(tmp_path: Path) -> Iterator[AnsweringNode]:
    """A node that may open two datasets, whose files are there."""
    data = tmp_path / "data"
    catalogue.write_files(data)
    granted = {"wind-farm": "1", "crop-trials": "1"}
    with AnsweringNode(tmp_path / "node.sock", data, granted) as answering:
        yield answering


def with_datasets(node: AnsweringNode, chosen: str = "") -> dict[str, str]:
    """What the gateway tells a session of datasets."""
    return {"FABRIC_NODE_SOCKET": str(node.socket), "FABRIC_DATASETS": chosen, "FABRIC_DATA_DIR": str(node.data)}


@pytest.fixture
def data_session(python: Path, hub: AnsweringHub, node: AnsweringNode, tmp_path: Path) -> Iterator[RunningSession]:
    """A session on a site with datasets, with none chosen."""
    hub.datasets = catalogue.told()
    with RunningSession(python, tmp_path, session_environment(hub.url, **with_datasets(node))) as running:
        yield running.announced_by(hub)


@pytest.fixture
def usage_known(hub: AnsweringHub) -> None:
    """The hub has an answer to every question about time and quota."""
    hub.usage = usage.answers()
