"""Shared by the unit tests: a site, a store on a real file, a catalogue, and hypothesis leaving nothing behind."""

from __future__ import annotations

import logging
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import hypothesis.configuration
import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.sessions.store import SessionStore
from tests.conftest import sandbox_directory
from tests.support.builders import a_site
from tests.support.catalogue_process import Daemon
from tests.support.skipped_time import SkippedTime

hypothesis.configuration.set_hypothesis_home_dir(sandbox_directory() / "hypothesis")
hypothesis.settings.register_profile("fabric", database=None, deadline=None, print_blob=True)
hypothesis.settings.load_profile("fabric")


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return a_site(tmp_path)


@pytest.fixture
def catalogue_site(tmp_path: Path) -> Settings:
    """A site with a catalogue service."""
    return a_site(tmp_path, "[catalogue]\ndata_dir = '/data'\n")


@pytest.fixture
async def skipped_time(monkeypatch: pytest.MonkeyPatch) -> SkippedTime:
    """The test's loop waits for no time."""
    return SkippedTime(monkeypatch)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite"


@pytest.fixture
def store(database: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{database}")
    yield opened
    opened.close()


@pytest.fixture
def daemon(sandbox: Path) -> Iterator[Daemon]:
    """A running catalogue service with an empty catalogue."""
    made = Daemon(sandbox / f"catalogue-{secrets.token_hex(4)}")
    made.prepare()
    made.start()
    yield made
    made.stop()
    shutil.rmtree(made.directory)
    sys.stdout.write("".join(made.log))  # shown when the test failed


@pytest.fixture(autouse=True)
def logging_stays() -> Iterator[None]:
    """What sets up all of the process's logging, as a hub that makes its database does, does so for its test only."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
