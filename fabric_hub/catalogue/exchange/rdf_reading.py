"""RDF that others wrote, as a graph: Turtle or JSON-LD, of a limited size, and nothing is fetched to read it.

A JSON-LD document may name contexts on other machines or in files of this one, and a literal may be XML with entities
that grow. Neither is ever looked at: contexts must be in the document, and literals stay the text that they are.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import rdflib
import rdflib.term
from rdflib import Graph
from rdflib.plugins.parsers.jsonld import Parser
from rdflib.plugins.shared.jsonld.context import Context

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import exchange as texts

LARGEST = 5 << 20  # bytes; a catalogue of a thousand entries has about half of it
Form = Literal["turtle", "json-ld"]
SUFFIXES: dict[str, Form] = {".ttl": "turtle", ".jsonld": "json-ld", ".json": "json-ld"}
_BASE = "urn:x-fabric:document"  # what relative addresses are resolved against: it names nothing


def read_graph(content: bytes, form: Form, name: str) -> Graph:
    """The triples of a document, also those in named graphs.

    :param name: what errors call the document.
    :raises FabricError: it is too large, malformed, nested too deeply, or needs a context from elsewhere.
    """
    if len(content) > LARGEST:
        raise FabricError(texts.TOO_LARGE(name=name, size=len(content), most=LARGEST))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FabricError(texts.NOT_UTF8(name=name)) from error
    try:
        with _literals_as_text():
            return (
                _json_ld(text, name) if form == "json-ld" else Graph().parse(data=text, format="turtle", publicID=_BASE)
            )
    except FabricError:
        raise
    except RecursionError as error:
        raise FabricError(texts.TOO_DEEP(name=name)) from error
    except Exception as error:  # rdflib's parsers raise whatever their code runs into
        why = " ".join(str(error).split())[:300]
        raise FabricError(texts.NOT_OF_FORM(name=name, form=form, why=why)) from error


class _NothingFetched(Context):
    """A second lock behind :func:`_require_own_contexts`: the way to other documents ends here."""

    def _fetch_context(self, source: str, base: str | None, referenced_contexts: set[str]) -> Any:
        raise PermissionError(f"the context {source} is not in the document")


def _json_ld(text: str, name: str) -> Graph:
    data = json.loads(text)
    _require_own_contexts(data, name)
    everything = rdflib.Dataset(default_union=True)
    Parser().parse(data, _NothingFetched(base=_BASE, version=1.1), everything)
    graph = Graph()
    for triple in everything.triples((None, None, None)):
        graph.add(triple[:3])
    return graph


def _require_own_contexts(data: Any, name: str) -> None:
    """Refuse every context that is elsewhere, wherever in the document it is named; not recursive."""
    todo: list[tuple[Any, bool]] = [(data, False)]
    while todo:
        value, in_context = todo.pop()
        if isinstance(value, list):
            todo += [(one, in_context) for one in value]
        elif isinstance(value, dict):
            if "@import" in value:
                raise _elsewhere(name, value["@import"])
            todo += [(one, key == "@context") for key, one in value.items()]
        elif in_context and isinstance(value, str):
            raise _elsewhere(name, value)


def _elsewhere(name: str, where: Any) -> FabricError:
    return FabricError(texts.CONTEXT_ELSEWHERE(name=name, where=repr(str(where)[:200])))


@contextmanager
def _literals_as_text() -> Iterator[None]:
    """Within it no literal is converted: not XML or HTML parsed, nor a number of a million digits made."""
    known = rdflib.term._toPythonMapping
    kept, log = dict(known), logging.getLogger("rdflib.term")
    level = log.level
    known.clear()
    log.setLevel(logging.ERROR)  # it warns of every odd address, with a traceback for some
    try:
        yield
    finally:
        known.update(kept)
        log.setLevel(level)
