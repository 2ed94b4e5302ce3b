"""What SHACL shapes find in an export: the standards' own rules, as files in a directory of the site's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rdflib import RDF, SH, Graph
from rdflib.term import Node

from fabric_hub.errors import FabricError

WHERE = "The shapes of DCAT-AP-NL 3.0 are in the folder shapes/300 of the repository Geonovum/DCAT-AP-NL30."


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
        raise FabricError(
            "An export can only be checked with pySHACL, which is not installed.",
            reason="check",
            hint="Install it beside Fabric Hub: pip install 'fabric-hub[shapes]'.",
        ) from None
    files = sorted(directory.glob("*.ttl"))
    if not files:
        raise FabricError(
            f"There are no shapes (*.ttl) in {directory}, which catalogue.shapes names.", reason="check", hint=WHERE
        )
    found: list[Finding] = []
    for file in files:
        try:
            shapes = Graph().parse(file, format="turtle")
        except Exception as error:  # rdflib's parser raises whatever its code runs into
            raise FabricError(f"The shapes {file} cannot be read: {error}.", reason="check", hint=WHERE) from error
        _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, inplace=False, do_owl_imports=False)
        if not isinstance(report, Graph):
            raise FabricError(f"pySHACL could not apply {file}: {report!r}.", reason="check")
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
