"""What SHACL shapes find in an export: the standards' own rules, as files in a directory of the site's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rdflib import RDF, SH, Graph
from rdflib.term import Node

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import exchange as texts


class Finding(NamedTuple):
    """One thing that a shape does not like."""

    shapes: str  # the file that says so
    severity: str  # Violation, Warning or Info
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.about}: {self.what} ({self.shapes})"


def findings(graph: Graph, directory: Path) -> list[Finding]:
    """What the shapes (``*.ttl``) of a directory find in a graph, violations first.

    :raises FabricError: there are no shapes, one cannot be read, or pySHACL is not installed.
    """
    try:
        import pyshacl  # optional: only this asks for it, and it takes a second to import
    except ImportError:
        raise FabricError(texts.NO_PYSHACL()) from None
    files = sorted(directory.glob("*.ttl"))
    if not files:
        raise FabricError(texts.NO_SHAPES_THERE(path=str(directory)))
    found: list[Finding] = []
    for file in files:
        try:
            shapes = Graph().parse(file, format="turtle")
        except Exception as error:  # rdflib's parser raises whatever its code runs into
            raise FabricError(texts.SHAPES_UNREADABLE(path=str(file), why=str(error))) from error
        _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, inplace=False, do_owl_imports=False)
        if not isinstance(report, Graph):
            raise FabricError(texts.PYSHACL_FAILED(path=str(file), why=repr(report)))
        found += _results(report, file.name)
    return sorted(found, key=lambda one: (one.severity != "Violation", one))


def _results(report: Graph, name: str) -> Iterable[Finding]:
    for result in report.subjects(RDF.type, SH.ValidationResult):
        words = [_tail(report.value(result, SH.resultPath)), *map(str, report.objects(result, SH.resultMessage))]
        yield Finding(
            name,
            _tail(report.value(result, SH.resultSeverity)),
            str(report.value(result, SH.focusNode)),
            ": ".join(word for word in words if word),
        )


def _tail(node: Node | None) -> str:
    return "" if node is None else str(node).rsplit("#", 1)[-1].rsplit("/", 1)[-1]
