"""Shared by the unit tests: a site, a store on a real file, and hypothesis leaving nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import hypothesis.configuration
import pytest

from fabric_hub.sessions.store import SessionStore
from fabric_hub.settings import Settings
from tests.conftest import sandbox_directory

from .builders import a_site

hypothesis.configuration.set_hypothesis_home_dir(sandbox_directory() / "hypothesis")
hypothesis.settings.register_profile("fabric", database=None, deadline=None, print_blob=True)
hypothesis.settings.load_profile("fabric")


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return a_site(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite"


@pytest.fixture
def store(database: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{database}")
    yield opened
    opened.close()
