"""A site with two people in every store of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.cli import main
from fabric_hub.config.settings import Settings
from tests.support.canaries import Planted
from tests.support.privacy_site import Run, make_site, place_of, plant


@pytest.fixture
def settings(sandbox: Path) -> Iterator[Settings]:
    """A site with nobody in a project; as root each part belongs to an account of its own."""
    made = make_site(sandbox)
    yield made
    shutil.rmtree(place_of(made))


@pytest.fixture
def run(settings: Settings) -> Run:
    """The command, on that site."""
    return lambda *arguments: main(["privacy", *arguments, "--site", str(place_of(settings) / "site.toml")])


@pytest.fixture
def anna(settings: Settings) -> Planted:
    """Whom the tests are about."""
    return plant(settings, Planted("annaq7canary"))


@pytest.fixture
def bob(settings: Settings) -> Planted:
    """Somebody else."""
    return plant(settings, Planted("bobz5canary"))
