"""Entries of a catalogue for the tests of its exports, and where the standards' shapes are."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue.exchange.dcat import About
from fabric_hub.datasets.model import Access, Agent, Agreement, Contact, Dataset, PersonalData, Purpose, Version

SHAPES = Path(
    os.environ.get("FABRIC_TEST_SHAPES")
    or Path(__file__).resolve().parents[2].parent / "shared" / "shapes" / "dcat-ap-nl-3.0"
)
needs_shapes = pytest.mark.skipif(
    not any(SHAPES.glob("*.ttl")), reason=f"no SHACL shapes in {SHAPES} (FABRIC_TEST_SHAPES names another directory)"
)

ABOUT = About(
    title="Datasets of the factory",
    description="What the factory's sessions can read.",
    base="https://hub.example.org",
    hub="https://hub.example.org",
    publisher=Agent(name="AI factory", uri="https://ror.org/00x69rs40"),
    contact=Contact(name="Data desk", email="data@example.org"),
    licence="https://creativecommons.org/publicdomain/zero/1.0/",
)


def a_version(name: str = "1", **other: Any) -> Version:
    """A published image."""
    said: dict[str, Any] = {
        "version": name,
        "kind": "image",
        "path": f"/srv/fabric/datasets/wind-farm/{name}.sqfs",
        "sha256": name.encode().hex()[:2] * 32,
        "bytes": 40960,
        "files": 3,
        "formats": {"csv": 2, "md": 1},
        "created_at": 1_790_000_000.0,
        "published_at": 1_790_000_100.5,
    }
    return Version(**{**said, **other})


def an_entry(**other: Any) -> Dataset:
    """A complete, published entry."""
    said: dict[str, Any] = {
        "name": "wind-farm",
        "title": "A wind farm, hour by hour",
        "description": "Power and wind of six turbines.\n\nOne file per year.",
        "publisher": Agent(name="AI factory", uri="https://ror.org/00x69rs40"),
        "creator": Agent(name="Measuring group"),
        "contact": Contact(name="Data desk", email="o'neil+wind@example.org", url="https://example.org/desk"),
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "access": Access.RESTRICTED,
        "themes": ("ENER", "ENVI"),
        "keywords": ("turbine", "wind"),
        "languages": ("ENG", "NLD"),
        "personal_data": PersonalData.NONE,
        "purposes": (Purpose(name="research", text="Research"), Purpose(name="teaching", text="Courses")),
        "agreement": Agreement(version="2026-1", text="Name the source.\nDo not pass it on."),
        "provenance": "Measured on the nacelle, cleaned by hand.",
        "retention": "Five years after the last measurement.",
        "retain_until": date(2031, 12, 31),
        "page": "https://example.org/wind",
        "versions": (a_version("1", retired_at=1_790_100_000.0), a_version("2")),
        "latest": "2",
        "created_at": 1_790_000_000.0,
        "published_at": 1_790_000_100.5,
    }
    return Dataset(**{**said, **other})


def described(entry: Dataset) -> dict[str, Any]:
    """What DCAT carries of an entry: its description, not its files and dates; lists have no order there."""
    said = entry.model_dump(exclude={"versions", "latest", "created_at", "published_at", "retired_at"})
    for several in ("themes", "keywords", "languages"):
        said[several] = sorted(said[several])
    said["purposes"] = sorted(said["purposes"], key=lambda purpose: str(purpose["name"]))
    return said
