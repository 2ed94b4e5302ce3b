"""Datasets as Croissant 1.1, checked with the standard's own validator."""

from __future__ import annotations

import json
from typing import Any

import mlcroissant
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.catalogue.exchange.croissant import croissant, text
from fabric_hub.datasets.model import Access, Agreement, PersonalData
from fabric_hub.errors import FabricError
from tests.support.catalogue_entries import ABOUT, a_version, an_entry


def validated(document: dict[str, Any]) -> Any:
    """The document as the validator reads it; fails with what it finds, warnings too."""
    dataset = mlcroissant.Dataset(jsonld=json.loads(text(document)))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors, issues.report()
    assert not issues.warnings, issues.report()
    return dataset.metadata


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(),
        an_entry(access=Access.PUBLIC, agreement=None, purposes=(), creator=None, page=None, keywords=()),
        an_entry(personal_data=PersonalData.SPECIAL, languages=(), licence="https://example.org/own"),
        an_entry(versions=(a_version("2", kind="directory", formats={"geojson": 2, "csv.gz": 1, "": 4}),)),
        an_entry(versions=(a_version("2", formats={}),), retired_at=1_791_000_000.0),
    ],
    ids=["restricted", "public", "sensitive", "directory", "retired"],
)
def test_an_export_has_no_error_and_no_warning(entry: Any, caplog: pytest.LogCaptureFixture) -> None:
    metadata = validated(croissant(entry, ABOUT))
    assert metadata.name == "A wind farm, hour by hour"
    assert metadata.distribution[0].sha256 == entry.versions[-1].sha256
    assert not caplog.records, "the validator says that something is not standard"


REQUIRED = ("@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished")


def test_everything_that_the_specification_requires_is_there() -> None:
    document = croissant(an_entry(), ABOUT)
    assert [key for key in (*REQUIRED, "distribution") if not document.get(key)] == []
    assert "http://mlcommons.org/croissant/1.1" in document["conformsTo"]


@pytest.mark.parametrize("gone", ["license", "datePublished"])
def test_the_validator_finds_what_a_document_lacks(gone: str) -> None:
    document = {key: value for key, value in croissant(an_entry(), ABOUT).items() if key != gone}
    with pytest.raises((mlcroissant.ValidationError, AssertionError), match=gone):
        validated(document)


def test_the_validator_finds_a_file_without_its_digest() -> None:
    document = croissant(an_entry(), ABOUT)
    del document["distribution"][0]["sha256"]
    with pytest.raises(mlcroissant.ValidationError, match="sha256"):
        validated(document)


def test_it_says_who_may_use_it_for_what_and_whether_it_holds_personal_data() -> None:
    document = croissant(an_entry(personal_data=PersonalData.PSEUDONYMISED), ABOUT)
    limit = document["usageInfo"]["odrl:permission"]["odrl:constraint"]
    assert [one["termCode"] for one in limit["odrl:rightOperand"]] == ["research", "teaching"]
    assert document["usageInfo"]["text"] == "Name the source.\nDo not pass it on."
    assert "Pseudonymised" in document["rai:personalSensitiveInformation"]
    assert document["conditionsOfAccess"] == "restricted"
    assert document["prov:wasGeneratedBy"]["prov:label"] == "Measured on the nacelle, cleaned by hand."


def test_the_files_are_where_a_session_finds_them() -> None:
    whole, csv, _markdown = croissant(an_entry(), ABOUT)["distribution"]
    assert whole["contentUrl"] == "file:///data/wind-farm/2"
    assert (csv["containedIn"], csv["encodingFormat"]) == ({"@id": whole["@id"]}, "text/csv")


def test_another_published_version_can_be_asked_for() -> None:
    assert croissant(an_entry(), ABOUT, "1")["distribution"][0]["sha256"] == "31" * 32
    with pytest.raises(FabricError, match="no published version 7"):
        croissant(an_entry(), ABOUT, "7")
    with pytest.raises(FabricError, match="no published version"):
        croissant(an_entry(versions=(a_version("2", published_at=None),)), ABOUT)


def _as_an_entry_takes_it(text: str) -> str:
    return "".join(char for char in text if char.isprintable() or char in "\t\n\r") or "x"


@given(written=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).map(_as_an_entry_takes_it))
@settings(deadline=None, max_examples=40)
def test_no_text_of_a_steward_breaks_it(written: str) -> None:
    line = "".join(char for char in written if char.isprintable()) or "x"
    agreement = Agreement(version="1", text=written)
    entry = an_entry(title=line, description=written, keywords=(line,), provenance=written, agreement=agreement)
    document = json.loads(text(croissant(entry, ABOUT)))
    assert (document["name"], document["description"]) == (line, written)
    citation = document["citeAs"]
    assert citation.count("{") == citation.count("}")
