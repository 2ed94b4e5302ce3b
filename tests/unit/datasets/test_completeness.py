"""What a dataset's description must say before it can be published, and how its mistakes are told."""

from __future__ import annotations

from datetime import date

import pytest

from fabric_hub.catalogue import files
from fabric_hub.datasets.completeness import missing
from fabric_hub.datasets.model import Contact, Dataset
from fabric_hub.errors import FabricError

WIND_FARM = """\
name = "wind-farm"
title = "Wind farm, ten-minute values"
description = "Power and wind speed of twelve turbines."
licence = "https://creativecommons.org/licenses/by/4.0/"
access = "restricted"
themes = ["ENER", "ENVI"]
keywords = ["wind", "vermogen"]
languages = ["NLD"]
personal_data = "none"
provenance = "Logged by the turbines."
retention = "Ten years."
retain_until = 2036-01-01

[publisher]
name = "Example Energy"
uri = "https://energy.example/"

[creator]
name = "Example Energy"

[contact]
name = "Data desk"
email = "data@energy.example"

[purposes]
research = "Scientific research"
teaching = "Teaching"

[agreement]
version = "1"
text = "Do no harm."
"""


def without(*fields: str) -> Dataset:
    empty = {"themes": (), "purposes": ()}
    return files.parse(WIND_FARM).model_copy(update={field: empty.get(field) for field in fields})


def names(entry: Dataset) -> list[str]:
    return [str(line).split(":")[0] for line in missing(entry)]


def test_a_description_is_read_into_an_entry() -> None:
    entry = files.parse(WIND_FARM)
    assert (entry.name, entry.access, entry.themes) == ("wind-farm", "restricted", ("ENER", "ENVI"))
    assert [(purpose.name, purpose.text) for purpose in entry.purposes] == [
        ("research", "Scientific research"),
        ("teaching", "Teaching"),
    ]
    assert entry.retain_until == date(2036, 1, 1)
    assert entry.versions == ()


def test_a_complete_entry_lacks_nothing() -> None:
    assert missing(files.parse(WIND_FARM)) == ()


@pytest.mark.parametrize(
    "field",
    ["title", "description", "publisher", "creator", "contact", "licence", "access", "themes", "personal_data",
     "provenance", "retention"],
)  # fmt: skip
def test_each_field_that_must_be_there_is_named_when_it_is_not(field: str) -> None:
    assert names(without(field)) == [field]


def test_all_that_is_missing_is_named_at_once() -> None:
    assert names(Dataset(name="empty")) == [
        "title", "description", "publisher", "creator", "contact", "licence", "access", "themes", "personal_data",
        "provenance", "retention",
    ]  # fmt: skip


def test_a_contact_has_an_address() -> None:
    entry = files.parse(WIND_FARM).model_copy(update={"contact": Contact(name="Data desk")})
    assert names(entry) == ["contact.email"]


@pytest.mark.parametrize(
    ("access", "agreement", "purposes", "lacks"),
    [
        ("public", False, False, []),
        ("public", True, True, []),
        ("public", True, False, ["purposes"]),
        ("restricted", False, False, ["agreement", "purposes"]),
        ("restricted", True, False, ["purposes"]),
        ("non-public", False, True, ["agreement"]),
        ("non-public", True, True, []),
    ],
)
def test_what_is_not_public_has_an_agreement_and_a_purpose_and_every_agreement_has_one(
    access: str, agreement: bool, purposes: bool, lacks: list[str]
) -> None:
    gone = [name for name, kept in (("agreement", agreement), ("purposes", purposes)) if not kept]
    entry = Dataset.model_validate({**without(*gone).model_dump(), "access": access})
    assert names(entry) == lacks


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = WIND_FARM.replace('["ENER", "ENVI"]', '["ENER", "WIND"]').replace("research =", "Re_Search =")
    text = text.replace("title =", "titel =").replace('version = "1"', 'version = ""')
    text = "versions = []\n" + text
    with pytest.raises(FabricError) as refused:
        files.parse(text, "wind.toml")
    assert refused.value.reason == "dataset-file"
    lines = text.splitlines()
    told = [line.split(":", 3) for line in refused.value.message.splitlines()[1:]]

    def at(start: str) -> str:
        return str(next(number for number, line in enumerate(lines, 1) if line.startswith(start)))

    assert [(where, key.strip()) for _, where, key, _ in told] == [
        (at("versions"), "versions"),
        (at("titel"), "titel"),
        (at("themes"), "themes.1"),
        (at("Re_Search"), "purposes.Re_Search"),
        (at("version = "), "agreement.version"),
    ]
    assert told[0][3].strip() == "the catalogue itself keeps this"
    assert told[1][3].strip() == "no such field"


@pytest.mark.parametrize("text", ["name = ", 'name = "x"\npurposes = 3', 'name = "x"\npurposes = ["research"]', ""])
def test_whatever_a_file_holds_is_refused_in_words(text: str) -> None:
    with pytest.raises(FabricError, match=r"^x\.toml "):
        files.parse(text, "x.toml")
