"""A site's file of the release before goes on to work, and is told what has another name now."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.cli.notes import of_units
from fabric_hub.config.earlier import notes, renamed
from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from tests.support.builders import site_text

EARLIER = '[datasets]\nstore = "/srv/images"\n[datasets.catalogue]\npublisher = "Our university"\n'
NOW = '[catalogue]\nstore = "/srv/images"\n[catalogue.export]\npublisher = "Our university"\n'


def test_the_earlier_section_means_what_it_meant_with_the_places_of_its_release() -> None:
    site = parse(site_text(Path("/srv")) + EARLIER).catalogue
    assert site is not None
    assert (site.export.publisher, str(site.store)) == ("Our university", "/srv/images")
    assert (site.account, str(site.state_dir)) == ("fabric-data", "/var/lib/fabric-data")
    assert str(site.socket) == "/run/fabric-data/keeper.sock"
    moved = parse(site_text(Path("/srv")) + EARLIER.replace("store", 'account = "data"\nstore')).catalogue
    assert moved is not None
    assert moved.account == "data"


def test_the_section_of_today_has_the_places_of_today() -> None:
    site = parse(site_text(Path("/srv")) + NOW).catalogue
    assert site is not None
    assert (site.account, str(site.state_dir)) == ("fabric-catalogue", "/var/lib/fabric-catalogue")
    assert str(site.socket) == "/run/fabric-catalogue/catalogue.sock"


def test_a_file_of_today_is_told_nothing_and_one_of_before_what_to_write() -> None:
    assert not list(notes({"catalogue": {}}))
    name, places = map(str, notes({"datasets": {"account": "data"}}))
    assert name.startswith("datasets: this section is called [catalogue] now")
    assert 'socket = "/run/fabric-data/keeper.sock"' in places
    assert "account" not in places


def test_a_mistake_is_told_by_the_name_and_on_the_line_that_the_file_has() -> None:
    text = site_text(Path("/srv")) + EARLIER + 'languages = ["nederlands"]\n'
    with pytest.raises(FabricError) as refused:
        parse(text)
    last = len(text.splitlines())
    assert f"site.toml:{last}: datasets.catalogue.languages" in refused.value.message


def test_both_names_at_once_are_a_mistake_and_nothing_is_guessed() -> None:
    with pytest.raises(FabricError, match="datasets: no such setting"):
        parse(site_text(Path("/srv")) + EARLIER + NOW)
    assert renamed({"datasets": {"a": 1}, "catalogue": {"b": 2}}) == {"datasets": {"a": 1}, "catalogue": {"b": 2}}


def test_a_machine_with_the_earlier_unit_is_told_its_name_of_today(tmp_path: Path) -> None:
    assert not list(of_units(tmp_path))
    (tmp_path / "fabric-keeper.service").touch()
    (told,) = of_units(tmp_path)
    assert "is called fabric-catalogue.service now" in str(told.about)
