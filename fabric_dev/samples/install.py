"""The sample datasets, and how they come into a catalogue.

``python -m fabric_dev.samples --site FILE`` does it in a process of its own, because acting on a catalogue means
to become the catalogue service's account for good.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from fabric_hub.catalogue import admin, files
from fabric_hub.catalogue.pack import versions as pack
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Dataset, Version
from fabric_hub.errors import FabricError

from . import agriculture, bakery, energy, health, manufacturing

VERSION = "1"
Say = Callable[[str], object]


class Sample(NamedTuple):
    """A dataset among the samples: its entry's name, what writes its files, and the demo's projects that may use it."""

    name: str
    write: Callable[[Path], None]
    projects: tuple[str, ...] = ()

    def entry(self) -> Dataset:
        """Its entry, from ``NAME.toml`` beside this module."""
        text = resources.files(__package__).joinpath(f"{self.name}.toml").read_text(encoding="utf-8")
        return files.parse(text, f"{self.name}.toml")


SAMPLES = (
    Sample("energy-year", energy.write),
    Sample("wheat-trials", agriculture.write),
    Sample("patients-synthetic", health.write, ("proteins",)),
    Sample("bearing-vibration", manufacturing.write, ("ml-course", "proteins")),
    Sample("bakery-sales", bakery.write, ("bakery",)),
)


def install(settings: Settings, say: Say, *, packed: bool) -> None:
    """Put every sample that the catalogue does not have into it, published, and granted to the demo's projects.

    What an operator changed, retired or revoked since stays so. This process is the catalogue service's account
    afterwards.

    :param packed: as images; else as directories in ``catalogue.data_dir``, where sessions look for them: for runs in
        which nothing mounts images and everybody is one account.
    """
    datasets = settings.catalogue
    if datasets is None:
        raise FabricError("This site offers no datasets.", reason="no-datasets", hint="Add [catalogue] to its file.")
    with admin.opened(settings) as at:
        published = {entry.name for entry in at.store.datasets() if entry.published_at is not None}
        for sample in SAMPLES:
            if sample.name in published:
                continue
            say(f"Making the demo dataset {sample.name}.")
            at.add(sample.entry())
            at.version(sample.name, _make(datasets, sample, packed=packed))
            for project in sample.projects:
                if project in settings.project:
                    at.grant(sample.name, project)
            # last: one that is published is whole
            at.publish(sample.name, VERSION)


def _make(datasets: CatalogueSettings, sample: Sample, *, packed: bool) -> Version:
    with tempfile.TemporaryDirectory(dir=datasets.state_dir, prefix="demo-") as made:
        source = Path(made) / sample.name
        source.mkdir()
        sample.write(source)
        if packed:
            return pack.pack(datasets, sample.name, VERSION, source)
        place = datasets.data_dir / sample.name / VERSION
        if place.exists():  # of a start that was killed before it was published
            shutil.rmtree(place)
        shutil.copytree(source, place)
        latest = place.with_name("latest")
        latest.unlink(missing_ok=True)
        latest.symlink_to(VERSION)
    return pack.link(datasets, VERSION, place)
