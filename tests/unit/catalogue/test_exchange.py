"""What the export says of a site, and how the commands refuse."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue import admin as desk
from fabric_hub.catalogue.exchange import documents as exchange
from fabric_hub.catalogue.exchange import shapes
from fabric_hub.catalogue.exchange.dcat import catalogue_graph
from fabric_hub.cli.datasets import add_exchange
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from tests.support.builders import a_site
from tests.support.catalogue_entries import ABOUT, an_entry


def site_with(directory: Path, more: str = "") -> Settings:
    return a_site(directory, f"[catalogue]\n{more}")


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_exchange(parser.add_subparsers())
    return parser.parse_args(words)


def test_a_catalogue_without_a_publisher_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match=r"\[catalogue.export\]"):
        exchange.about(site_with(tmp_path))


def test_entries_are_named_below_the_catalogue_s_own_address(tmp_path: Path) -> None:
    said = exchange.about(
        site_with(tmp_path, '[catalogue.export]\nurl = "https://data.example.org/"\npublisher = "Factory"')
    )
    assert (said.base, said.publisher.name, said.contact.name) == ("https://data.example.org", "Factory", "Factory")
    assert said.contact.url == "https://data.example.org/"
    without = exchange.about(site_with(tmp_path, '[catalogue.export]\npublisher = "Factory"'))
    assert without.base == without.hub == "http://127.0.0.1:8000"


def test_an_address_that_would_end_an_iri_is_a_mistake_in_the_site_s_file(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match=r"catalogue\.export\.url"):
        site_with(tmp_path, '[catalogue.export]\nurl = "https://data.example.org/> <urn:x"')


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("export", "--croissant"), "describes one dataset"),
        (("export", "wind-farm", "--croissant", "--check"), "not for Croissant"),
        (("export", "--check"), "names no directory of shapes"),
        (("import", "theirs.rdf"), "neither Turtle"),
        (("import", "not-there.ttl"), "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_that_makes_no_sense_is_refused_before_anything_is_opened(
    words: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("the catalogue was opened")

    monkeypatch.setattr(exchange, "open_catalogue", opened)
    monkeypatch.setattr(desk, "opened", opened)
    monkeypatch.chdir(tmp_path)
    parsed = arguments(*words)
    with pytest.raises(FabricError, match=why):
        parsed.work(site_with(tmp_path), parsed)


def test_without_pyshacl_a_check_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshacl", None)
    with pytest.raises(FabricError, match=r"fabric-hub\[shapes\]"):
        shapes.findings(catalogue_graph([an_entry()], ABOUT), tmp_path)


def test_shapes_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.ttl").write_text("this is not Turtle")
    with pytest.raises(FabricError, match=r"broken\.ttl cannot be read"):
        shapes.findings(catalogue_graph([an_entry()], ABOUT), tmp_path)


@pytest.mark.parametrize("only", [[], ["--only", "public"], ["--only", "restricted", "--only", "non-public"]], ids=str)
def test_an_export_can_be_of_some_access_only(only: list[str]) -> None:
    entries = [an_entry(name=access, access=access) for access in ("public", "restricted", "non-public")]
    wanted: Any = set(only) - {"--only"} or {"public", "restricted", "non-public"}
    assert {entry.name for entry in exchange._chosen(entries, arguments("export", *only))} == wanted
    with pytest.raises(FabricError, match="no published dataset other"):
        exchange._chosen(entries, arguments("export", "other"))
