"""What users and publishers write is shown to operators: nothing in it steers a terminal or turns words round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, RDF

from fabric_hub import cli
from fabric_hub.catalogue.exchange.dcat_import import entries_of
from fabric_hub.datasets.model import Line, Text

STEERS = ["\x1b[2J", "\x9b2J", "\x07", "\x7f", "\u202e", "\u2066", "\u2028"]


@pytest.mark.parametrize("steering", STEERS)
@pytest.mark.parametrize("kind", [Line, Text])
def test_what_steers_a_terminal_is_refused(kind: Any, steering: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(f"For my thesis{steering}")


@pytest.mark.parametrize("words", ["Für meine Arbeit", "論文のため", "family: 👩\u200d👧"])
@pytest.mark.parametrize("kind", [Line, Text])
def test_words_of_any_language_are_taken(kind: Any, words: str) -> None:
    assert TypeAdapter(kind).validate_python(words) == words


def test_a_text_has_lines() -> None:
    assert TypeAdapter(Text).validate_python("One,\r\n\ttwo.\n") == "One,\r\n\ttwo.\n"


def test_what_an_import_leaves_out_is_told_without_what_steers_a_terminal() -> None:
    graph = Graph()
    graph.add((URIRef("https://example.org/wind"), RDF.type, DCAT.Dataset))
    graph.add((URIRef("https://example.org/wind"), DCTERMS.title, Literal("Wind")))
    graph.add((URIRef("https://example.org/wind"), DCTERMS.description, Literal("Clear\x1b[2J the screen")))
    graph.add((URIRef("https://example.org/wind"), URIRef("https://example.org/\x1b[2J"), Literal("x\x9b2J")))
    told = entries_of(graph).left_out
    assert len(told) == 2
    assert all(str(line).isprintable() for line in told)


def test_a_mistake_in_somebody_elses_file_is_told_without_what_steers_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text('"\\u001b[2J\\u009b2J" = 1\n')
    assert cli.main(["check-config", "--site", str(site)]) == 1
    told = capsys.readouterr()
    assert "no such setting" in told.err + told.out
    assert not {"\x1b", "\x9b"} & set(told.err + told.out)
