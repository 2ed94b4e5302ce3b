"""The catalogue as DCAT-AP-NL 3.0, checked with the standard's own shapes, and back."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import DCTERMS, RDF, SKOS, Graph, Literal, URIRef

from fabric_hub.catalogue.exchange import codes, rdf_reading, shapes
from fabric_hub.catalogue.exchange.dcat import catalogue_graph, json_ld, turtle
from fabric_hub.catalogue.exchange.dcat_import import Imported, entries_of
from fabric_hub.catalogue.exchange.rdf import ADMS, SPDX
from fabric_hub.catalogue.exchange.rdf_reading import LARGEST, read_graph
from fabric_hub.datasets.model import Access, Agreement, Dataset, PersonalData
from fabric_hub.errors import FabricError
from tests.support.catalogue_entries import ABOUT, SHAPES, a_version, an_entry, described, needs_shapes

WIND = URIRef("https://hub.example.org/datasets/wind-farm")
EU = "http://publications.europa.eu/resource/authority/"
FORMS = {"turtle": turtle, "json-ld": json_ld}


def entries() -> tuple[Dataset, ...]:
    """One of every kind."""
    return (
        an_entry(),
        an_entry(
            name="yields",
            access=Access.PUBLIC,
            agreement=None,
            purposes=(),
            creator=None,
            page=None,
            licence="https://creativecommons.org/publicdomain/zero/1.0/",
            versions=(a_version("1", kind="directory", formats={"geojson": 3, "csv": 1}),),
            latest="1",
        ),
        an_entry(
            name="patients",
            access=Access.NON_PUBLIC,
            personal_data=PersonalData.SPECIAL,
            licence="https://example.org/own-licence",
            themes=("HEAL",),
        ),
        an_entry(name="old", retired_at=1_791_000_000.0, versions=(a_version("1", formats={}),), latest="1"),
    )


def back(text: str, form: str = "turtle") -> Imported:
    return entries_of(read_graph(text.encode(), "turtle" if form == "turtle" else "json-ld", "the document"))


# -- what the standard asks for


@needs_shapes
@pytest.mark.parametrize("form", FORMS)
def test_an_export_conforms_to_the_mandatory_and_recommended_shapes(form: str) -> None:
    text = FORMS[form](catalogue_graph(entries(), ABOUT))
    found = shapes.findings(Graph().parse(data=text, format=form), SHAPES)
    assert not found, "\n".join(map(str, found))


@needs_shapes
@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"title": None}, "title"),
        ({"description": None}, "description"),
        ({"access": None}, "accessRights"),
        ({"contact": None}, "contactPoint"),
        ({"publisher": None}, "publisher"),
        ({"publisher": None, "creator": None}, "creator"),
        ({"licence": None}, "license"),
        ({"themes": ()}, "theme"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_shapes_find_what_an_entry_lacks(missing: dict[str, Any], named: str) -> None:
    found = shapes.findings(catalogue_graph([an_entry(**missing)], ABOUT), SHAPES)
    assert [one for one in found if one.severity == "Violation" and named in one.what], found


@needs_shapes
def test_the_shapes_find_a_second_identifier() -> None:
    graph = catalogue_graph([an_entry()], ABOUT)
    graph.add((WIND, DCTERMS.identifier, Literal("another")))
    found = shapes.findings(graph, SHAPES)
    assert [one for one in found if one.about == str(WIND) and "identifier" in one.what]


def test_a_directory_without_shapes_checks_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="no shapes"):
        shapes.findings(catalogue_graph([an_entry()], ABOUT), tmp_path)


def test_every_resource_that_an_entry_refers_to_has_a_type() -> None:
    graph = catalogue_graph(entries(), ABOUT)
    ours = {subject for subject in graph.subjects() if graph.value(subject, RDF.type)}
    vocabularies = ("http://www.w3.org/ns/odrl/2/", "https://w3id.org/dpv#", "mailto:", "https://example.org/desk")
    untyped = {
        str(value)
        for _, predicate, value in graph
        if predicate not in (RDF.type, SKOS.exactMatch) and isinstance(value, URIRef) and value not in ours
    }
    assert {one for one in untyped if not one.startswith(vocabularies)} == set()


def test_codes_are_those_of_the_official_lists() -> None:
    graph = catalogue_graph(entries(), ABOUT)
    newest = URIRef(f"{WIND}/2")
    assert set(graph.objects(WIND, rdflib.DCAT.theme)) == {
        URIRef(f"{EU}data-theme/{code}") for code in ("ENER", "ENVI")
    }
    assert set(graph.objects(WIND, DCTERMS.language)) == {URIRef(f"{EU}language/{code}") for code in ("ENG", "NLD")}
    assert graph.value(WIND, DCTERMS.accessRights) == URIRef(f"{EU}access-right/RESTRICTED")
    assert graph.value(WIND, ADMS.status) == URIRef(f"{EU}dataset-status/COMPLETED")
    assert graph.value(newest, DCTERMS.license) == URIRef(f"{EU}licence/CC_BY_4_0")
    assert graph.value(newest, DCTERMS["format"]) == URIRef(f"{EU}file-type/CSV")
    assert graph.value(newest, rdflib.DCAT.mediaType) == URIRef("https://www.iana.org/assignments/media-types/text/csv")
    assert {str(code).rsplit("/", 1)[-1] for code in graph.objects(None, DCTERMS.accessRights)} == {
        "PUBLIC",
        "RESTRICTED",
        "NON_PUBLIC",
    }


def test_a_version_is_a_distribution_with_its_checksum_and_size() -> None:
    graph = catalogue_graph([an_entry()], ABOUT)
    assert set(graph.objects(WIND, rdflib.DCAT.distribution)) == {URIRef(f"{WIND}/1"), URIRef(f"{WIND}/2")}
    checksum = graph.value(URIRef(f"{WIND}/2"), SPDX.checksum)
    assert graph.value(checksum, SPDX.checksumValue) == Literal("32" * 32, datatype=rdflib.XSD.hexBinary)
    assert graph.value(checksum, SPDX.algorithm) == URIRef(codes.SHA256)
    assert graph.value(URIRef(f"{WIND}/2"), rdflib.DCAT.byteSize) == Literal(
        "40960", datatype=rdflib.XSD.nonNegativeInteger
    )
    assert graph.value(URIRef(f"{WIND}/1"), ADMS.status) == URIRef(f"{EU}distribution-status/WITHDRAWN")
    assert graph.value(URIRef(f"{WIND}/2"), ADMS.status) == URIRef(f"{EU}distribution-status/COMPLETED")


def test_a_version_that_is_not_published_is_not_told() -> None:
    text = turtle(catalogue_graph([an_entry(versions=(a_version("1"), a_version("3", published_at=None)))], ABOUT))
    assert "wind-farm/1" in text
    assert "wind-farm/3" not in text


def test_a_retired_dataset_is_withdrawn() -> None:
    graph = catalogue_graph([an_entry(retired_at=1_791_000_000.0)], ABOUT)
    assert graph.value(WIND, ADMS.status) == URIRef(f"{EU}dataset-status/WITHDRAWN")


def test_the_place_of_an_image_in_the_store_is_not_told() -> None:
    for form in FORMS.values():
        assert "/srv/fabric" not in form(catalogue_graph(entries(), ABOUT))


def test_the_same_catalogue_is_the_same_text() -> None:
    for form in FORMS.values():
        assert form(catalogue_graph(entries(), ABOUT)) == form(catalogue_graph(entries(), ABOUT))


# -- there and back


@pytest.mark.parametrize("form", FORMS)
def test_what_dcat_carries_comes_back_as_it_was(form: str) -> None:
    imported = back(FORMS[form](catalogue_graph(entries(), ABOUT)), form)
    wanted = {entry.name: described(entry) for entry in entries()}
    assert {entry.name: described(entry) for entry in imported.entries} == wanted
    assert {str(line).split(":")[1].split(" (")[0] for line in imported.left_out} <= {
        " the files of 1 distribution",
        " the files of 2 distributions",
    }, imported.left_out


# control characters, and what turns the order of letters round: no entry has them
STEERING = [chr(number) for number in (*range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))]


def lines(most: int = 300) -> st.SearchStrategy[str]:
    plain = st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), *STEERING])
    awkward = st.sampled_from(
        ['"', '"""', "\\", "'", "<", ">", "@en", "^^", "\\u0041", "}", "*/", "]]>", "&lt;", "\u200f"]
    )
    return st.lists(st.one_of(plain, awkward), min_size=1, max_size=20).map("".join).map(lambda text: text[:most])


def texts() -> st.SearchStrategy[str]:
    controls = set(map(chr, range(32))) - set("\t\n\r")
    plain = st.characters(exclude_categories=["Cs"], exclude_characters=[*controls, *STEERING])
    return st.text(plain, min_size=1, max_size=60)


@given(title=lines(), description=texts(), keyword=lines(), name=lines(), provenance=texts(), terms=texts())
@settings(deadline=None, max_examples=60)
def test_no_text_of_a_steward_breaks_the_syntax(
    title: str, description: str, keyword: str, name: str, provenance: str, terms: str
) -> None:
    entry = an_entry(
        title=title,
        description=description,
        keywords=(keyword,),
        publisher={"name": name},
        provenance=provenance,
        agreement=Agreement(version="1", text=terms),
    )
    graph = catalogue_graph([entry], ABOUT)
    for form, write in FORMS.items():
        [again] = back(write(graph), form).entries
        assert described(again) == described(entry)


@given(local=st.from_regex(r'[^@\s"<>\x00-\x1f\x7f-\x9f]{1,30}', fullmatch=True))
@settings(deadline=None, max_examples=60)
def test_any_address_of_a_contact_comes_back(local: str) -> None:
    entry = an_entry(contact={"name": "Desk", "email": f"{local}@example.org"})
    for form, write in FORMS.items():
        [again] = back(write(catalogue_graph([entry], ABOUT)), form).entries
        assert again.contact == entry.contact


# -- what others wrote


OTHERS = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
<https://data.example.nl/id/dataset/Population%20of%20Bees> a dcat:Dataset ;
    dct:title "De bijenstand"@nl, "The population of bees"@en ;
    dct:description "Counted every spring."@en ;
    dct:identifier "bees-2026" ;
    dct:spatial <http://publications.europa.eu/resource/authority/country/NLD> ;
    dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/ANNUAL> ;
    dct:accessRights <https://publications.europa.eu/resource/authority/access-right/PUBLIC> ;
    dcat:theme <http://publications.europa.eu/resource/authority/data-theme/AGRI>,
        <https://data.example.nl/theme/bees> ;
    dct:publisher [ a foaf:Agent ; foaf:name "Beekeepers" ] ;
    dcat:contactPoint [ a vcard:Organization ; vcard:hasEmail <mailto:bees@example.nl> ] ;
    dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://data.example.nl/bees.csv> ;
        dct:license <http://creativecommons.org/licenses/by/4.0> ; dct:rights [ ] ] .
"""


def test_another_catalogue_s_entry_becomes_a_draft_and_what_it_cannot_hold_is_named() -> None:
    imported = back(OTHERS)
    [entry] = imported.entries
    assert entry.name == "bees-2026"
    assert entry.title == "The population of bees"
    assert entry.access is Access.PUBLIC
    assert entry.themes == ("AGRI",)
    assert entry.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert entry.publisher
    assert entry.publisher.name == "Beekeepers"
    assert entry.contact
    assert entry.contact.email == "bees@example.nl"
    assert not entry.versions
    left = "\n".join(map(str, imported.left_out))
    for named in ("De bijenstand", "country/NLD", "frequency/ANNUAL", "theme/bees", "dct:rights", "files of 1 dist"):
        assert named in left


def test_a_value_that_an_entry_refuses_is_named_and_the_rest_is_kept() -> None:
    text = OTHERS.replace("The population of bees", "x" * 301).replace(
        '"bees-2026"', '"bees-2026" ; dcat:keyword "a\\nb", "c"'
    )
    imported = back(text)
    assert imported.entries[0].title is None
    assert imported.entries[0].keywords == ("c",)
    assert any("title" in str(line) for line in imported.left_out)
    assert any("keywords" in str(line) for line in imported.left_out)
    assert all(str(line).isprintable() for line in imported.left_out)


def test_two_datasets_of_one_name_get_two_names() -> None:
    imported = back(OTHERS + "<https://other.example/bees-2026> a <http://www.w3.org/ns/dcat#Dataset> .")
    assert sorted(entry.name for entry in imported.entries) == ["bees-2026", "bees-2026-2"]


def test_a_document_without_a_dataset_is_refused() -> None:
    with pytest.raises(FabricError, match=r"no dcat:Dataset"):
        back("<urn:a> <urn:b> <urn:c> .")


# -- what nobody should send


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whoever opens a connection, or a file by address, is recorded and refused."""
    asked: list[str] = []

    def refused(*arguments: object, **_: object) -> None:
        asked.append(repr(arguments))
        raise AssertionError(f"something was fetched: {arguments}")

    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr("urllib.request.urlopen", refused)
    monkeypatch.setattr("rdflib.parser.urlopen", refused, raising=False)
    monkeypatch.setattr("rdflib.plugins.shared.jsonld.context.source_to_json", refused)
    return asked


ELSEWHERE = "http://127.0.0.1:9/context.jsonld"


@pytest.mark.parametrize(
    "document",
    [
        {"@context": ELSEWHERE},
        {"@context": [{"a": "urn:a"}, ELSEWHERE]},
        {"@context": "file:///etc/hostname"},
        {"@context": "context.jsonld"},
        {"@context": {"@import": ELSEWHERE, "@version": 1.1}},
        {"@context": {"@version": 1.1, "part": {"@id": "urn:part", "@context": ELSEWHERE}}, "part": {"@id": "urn:x"}},
        {"@graph": [{"@id": "urn:x", "@context": ELSEWHERE}]},
        [{"@id": "urn:x", "urn:p": [{"@context": [[ELSEWHERE]]}]}],
    ],
    ids=str,
)
def test_a_context_in_another_document_is_never_fetched(document: Any, no_network: list[str]) -> None:
    with pytest.raises(FabricError, match="another document"):
        read_graph(json.dumps(document).encode(), "json-ld", "the document")
    assert not no_network


def test_a_context_that_slips_past_the_first_check_meets_the_second(
    monkeypatch: pytest.MonkeyPatch, no_network: list[str]
) -> None:
    monkeypatch.setattr(rdf_reading, "_require_own_contexts", lambda *_: None)
    with pytest.raises(FabricError, match="not in the document"):
        read_graph(json.dumps({"@context": ELSEWHERE, "@id": "urn:x"}).encode(), "json-ld", "the document")
    assert not no_network


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><x>&b;</x>"


@pytest.mark.parametrize("datatype", [RDF.XMLLiteral, RDF.HTML, rdflib.XSD.integer, rdflib.XSD.dateTime], ids=str)
def test_a_typed_literal_stays_the_text_that_it_is(datatype: URIRef, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("a literal was parsed")

    monkeypatch.setattr("xml.dom.minidom.parseString", parsed)
    monkeypatch.setattr("rdflib.term._parse_html", parsed)
    text = f"<urn:a> <urn:b> {json.dumps(BOMB)}^^<{datatype}> ."
    [value] = read_graph(text.encode(), "turtle", "the document").objects()
    assert str(value) == BOMB
    assert Literal("1", datatype=rdflib.XSD.integer).toPython() == 1  # elsewhere literals are converted as before


@pytest.mark.parametrize(
    ("content", "form", "why"),
    [
        (b" " * (LARGEST + 1), "turtle", "at most"),
        (b"\xff\xfe", "turtle", "UTF-8"),
        (b"this is not Turtle", "turtle", "not turtle"),
        (b"{", "json-ld", "not json-ld"),
        (b"[" * 200_000, "json-ld", "nested too deeply"),
        (b"<urn:a> <urn:b> " + b"[ <urn:c> " * 50_000, "turtle", "cannot be imported"),
    ],
    ids=["too large", "not text", "not Turtle", "not JSON", "deep JSON", "deep Turtle"],
)
def test_a_document_that_cannot_be_read_is_refused_in_words(content: bytes, form: Any, why: str) -> None:
    with pytest.raises(FabricError, match=why):
        read_graph(content, form, "the document")


def test_named_graphs_are_read_too() -> None:
    document = {"@id": "urn:g", "@graph": [{"@id": str(WIND), "@type": "http://www.w3.org/ns/dcat#Dataset"}]}
    assert entries_of(read_graph(json.dumps(document).encode(), "json-ld", "x")).entries[0].name == "wind-farm"
