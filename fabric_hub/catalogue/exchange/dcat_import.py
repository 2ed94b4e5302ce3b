"""DCAT to draft entries, pure. What has no place in an entry, or is not as an entry wants it, is named, never dropped
silently: somebody decides about each line.

Ours and others' DCAT-AP are read alike; what only describes the way to the data (distributions, services, dates,
status) belongs to its old place and is not carried over: files come in with ``fabric-hub datasets pack``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from pydantic import ValidationError
from rdflib import DCAT, DCTERMS, FOAF, ODRL2, RDF, RDFS, SKOS, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from fabric_hub.config.mistakes import what_is_wrong
from fabric_hub.datasets.model import Access, Dataset, PersonalData
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import exchange as texts

from . import codes
from .rdf import ADMS, DPV, HEALTH, SPDX, VCARD, VERSION

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Said of the data's old place or of the description itself: follows from the entry and its versions here.
_OF_THE_OLD_PLACE = {
    RDF.type,
    DCTERMS.identifier,
    DCTERMS.issued,
    DCTERMS.modified,
    DCTERMS.conformsTo,
    ADMS.status,
    VERSION,
}
_OF_THE_FILES = {
    *_OF_THE_OLD_PLACE,
    DCTERMS.title,
    DCTERMS["format"],
    DCTERMS.language,
    DCAT.accessURL,
    DCAT.downloadURL,
    DCAT.accessService,
    DCAT.byteSize,
    DCAT.mediaType,
    SPDX.checksum,
    ODRL2.hasPolicy,
    URIRef("http://data.europa.eu/r5r/availability"),
}


class Imported(NamedTuple):
    """Draft entries, and what of the document is not in them, a line each."""

    entries: tuple[Dataset, ...]
    left_out: tuple[Text, ...]


def entries_of(graph: Graph, taken: Iterable[str] = ()) -> Imported:
    """Every dcat:Dataset of a graph as a draft.

    :param taken: names that no draft may get.
    :raises FabricError: there is no dataset in it.
    """
    found = sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)
    if not found:
        raise FabricError(texts.NO_DATASET())
    names = set(taken)
    entries, left_out = [], []
    for node in found:
        name = _name(graph, node, names)
        names.add(name)
        reading = _Reading(graph, node, name)
        entries.append(reading.entry())
        left_out += [texts.LEFT_OUT(name=name, what=line) for line in reading.left_out]
    return Imported(tuple(entries), tuple(left_out))


def _name(graph: Graph, node: Node, taken: set[str]) -> str:
    """A name of the catalogue's form: from the address, the identifier or the title, and not taken."""
    tails = [str(text).rstrip("/#").rsplit("/", 1)[-1].rsplit("#", 1)[-1] for text in _addresses(graph, node)]
    titles = sorted(str(title) for title in graph.objects(node, DCTERMS.title))
    wanted = next((tail for tail in tails if _NAME.fullmatch(tail)), None)
    wanted = wanted or next((slug for text in (*titles, *tails) if (slug := _slug(text))), "dataset")
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: 39 - len(str(number))].rstrip('-')}-{number}"
    return name


def _addresses(graph: Graph, node: Node) -> list[str]:
    own = [] if isinstance(node, BNode) else [str(node)]
    return own + sorted(str(identifier) for identifier in graph.objects(node, DCTERMS.identifier))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


class _Reading:
    """One dataset of a graph; remembers which statements it has used."""

    def __init__(self, graph: Graph, node: Node, name: str) -> None:
        self._graph, self._node, self._name = graph, node, name
        self._used: set[tuple[Node, Node, Node]] = set()
        self.left_out: list[Text] = []

    def entry(self) -> Dataset:
        """The draft; afterwards ``left_out`` is complete."""
        files = sorted(set(self._graph.objects(self._node, DCAT.distribution)), key=str)
        policies = self._nodes(self._node, ODRL2.hasPolicy)
        policies += [p for file in files for p in self._nodes(file, ODRL2.hasPolicy) if p not in policies]
        publisher, creator = self._one(self._node, DCTERMS.publisher), self._one(self._node, DCTERMS.creator)
        fields: dict[str, Any] = {
            "title": self._text(self._node, DCTERMS.title),
            "description": self._text(self._node, DCTERMS.description),
            "publisher": self._agent(publisher),
            # ours names the publisher as creator where nobody else is
            "creator": self._agent(creator) if creator != publisher else None,
            "contact": self._contact(self._one(self._node, DCAT.contactPoint)),
            "licence": self._licence(files),
            "access": self._code(DCTERMS.accessRights, "access-right", {v[0]: k for k, v in codes.ACCESS.items()}.get),
            "themes": self._codes(DCAT.theme, "data-theme", lambda code: code if code in codes.THEMES else None),
            "keywords": tuple(dict.fromkeys(str(text) for text in self._nodes(self._node, DCAT.keyword))),
            "languages": self._codes(DCTERMS.language, "language", lambda code: code),
            "personal_data": self._personal_data(),
            "purposes": self._purposes(),
            "agreement": self._agreement(policies, files),
            "provenance": self._text(self._one(self._node, DCTERMS.provenance), RDFS.label, DCTERMS.description),
            "page": self._page(files),
            **self._retention(),
        }
        draft = self._valid(fields)
        self._name_the_rest(files)
        return draft

    # -- statements

    def _nodes(self, subject: Node | None, predicate: Node) -> list[Node]:
        """Every value of a property, in a fixed order; they count as used."""
        if subject is None:
            return []
        values = sorted(set(self._graph.objects(subject, predicate)), key=str)
        self._used |= {(subject, predicate, value) for value in values}
        return values

    def _one(self, subject: Node | None, predicate: Node) -> Node | None:
        """The first value; others are named as left out."""
        values = self._nodes(subject, predicate)
        for value in values[1:]:
            self._leave(predicate, value, texts.HAS_ONE())
        return values[0] if values else None

    def _text(self, subject: Node | None, *predicates: Node) -> str | None:
        """A text, preferably the one without a language, else English, else Dutch."""
        for predicate in predicates:
            found = [value for value in self._nodes(subject, predicate) if isinstance(value, Literal)]
            order = {None: 0, "en": 1, "nl": 2}
            found.sort(key=lambda text: (order.get(text.language, 3), text.language or "", str(text)))
            for other in found[1:]:
                self._leave(predicate, other, texts.ONE_LANGUAGE())
            if found:
                return str(found[0])
        if isinstance(subject, Literal):
            return str(subject)
        return None

    def _leave(self, predicate: Node, value: Node, why: Text) -> None:
        self._leave_out(_short(predicate), value, why)

    def _leave_out(self, what: str, value: Node, why: Text) -> None:
        self.left_out.append(texts.STATEMENT(predicate=what, value=_shown(value), why=why))

    # -- fields

    def _agent(self, node: Node | None) -> dict[str, Any] | None:
        if node is None:
            return None
        name = self._text(node, FOAF.name, SKOS.prefLabel, VCARD.fn, RDFS.label)
        uri = str(node) if isinstance(node, URIRef) else None
        if uri and "#" in uri and uri.split("#")[0] == str(self._node):
            uri = None  # a name that only this document has
        return {"name": name or uri, "uri": uri} if name or uri else None

    def _contact(self, node: Node | None) -> dict[str, Any] | None:
        if node is None:
            return None
        name = self._text(node, VCARD.fn, VCARD["organization-name"], FOAF.name)
        email, url = self._one(node, VCARD.hasEmail), self._one(node, VCARD.hasURL)
        address = unquote(str(email).removeprefix("mailto:")) if email else None
        return {"name": name or address or str(url), "email": address, "url": str(url) if url else None}

    def _licence(self, files: list[Node]) -> str | None:
        values = self._nodes(self._node, DCTERMS.license)
        values += [value for file in files for value in self._nodes(file, DCTERMS.license)]
        distinct = list(dict.fromkeys(str(value) for value in values))
        for other in distinct[1:]:
            self._leave(DCTERMS.license, URIRef(other), texts.ONE_LICENCE())
        known = codes.licence(distinct[0]) if distinct else None
        return known.address if known else distinct[0] if distinct else None

    def _codes(self, predicate: Node, scheme: str, known: Callable[[str], Any]) -> tuple[Any, ...]:
        found = []
        for value in self._nodes(self._node, predicate):
            code = codes.code_of(scheme, str(value))
            meant = known(code) if code else None
            if meant is None:
                self._leave(predicate, value, texts.NOT_OF_LIST(scheme=scheme))
            else:
                found.append(meant)
        return tuple(found)

    def _code(self, predicate: Node, scheme: str, known: Callable[[str], Access | None]) -> Access | None:
        found = self._codes(predicate, scheme, known)
        for other in found[1:]:
            self._leave(predicate, Literal(other), texts.HAS_ONE())
        return found[0] if found else None

    def _personal_data(self) -> PersonalData | None:
        words = {(DPV[has], DPV[what]): ours for ours, (has, what) in codes.PERSONAL_DATA.items()}
        found = []
        for has in (DPV.hasData, DPV.hasPersonalData):
            for value in self._nodes(self._node, has):
                meant = words.get((has, URIRef(str(value))))
                if meant is None:
                    self._leave(has, value, texts.PERSONAL_WORDS())
                else:
                    found.append(meant)
        # several: the one that asks for the most care
        return max(found, key=list(PersonalData).index, default=None)

    def _purposes(self) -> tuple[dict[str, Any], ...]:
        found, taken = [], set[str]()
        for node in self._nodes(self._node, DPV.hasPurpose):
            text = self._text(node, SKOS.prefLabel, DCTERMS.description, RDFS.label)
            text = text or str(node).rsplit("/", 1)[-1].rsplit("#", 1)[-1]
            notation = self._text(node, SKOS.notation) or ""
            name = notation if _NAME.fullmatch(notation) else _slug(text)
            if name and name not in taken:
                found.append({"name": name, "text": text})
                taken.add(name)
            else:
                self._leave(DPV.hasPurpose, node, texts.NO_NAME())
        return tuple(found)

    def _agreement(self, policies: list[Node], files: list[Node]) -> dict[str, Any] | None:
        rights = [right for file in files for right in self._nodes(file, DCTERMS.rights)]
        found = []
        for node in policies:
            if text := self._text(node, DCTERMS.description):
                found.append({"version": self._text(node, VERSION) or "1", "text": text})
            else:
                said = set(self._graph.predicates(node)) - {RDF.type, ODRL2.uid, ODRL2.permission}
                if said or not self._graph.value(node, ODRL2.permission):
                    self._leave(ODRL2.hasPolicy, node, texts.TERMS_ARE_TEXT())
        for right in dict.fromkeys(rights):
            text = self._text(right, RDFS.label, DCTERMS.description)
            if text and all(one["text"] != text for one in found):
                found.append({"version": "1", "text": text})
            elif not text:
                self._leave(DCTERMS.rights, right, texts.TERMS_ARE_TEXT())
        for other in found[1:]:
            self._leave(ODRL2.hasPolicy, Literal(other["text"]), texts.ONE_AGREEMENT())
        return found[0] if found else None

    def _page(self, files: list[Node]) -> str | None:
        starts = {access for file in files for access in self._graph.objects(file, DCAT.accessURL)}
        starts |= set(self._graph.objects(URIRef(f"{self._node}#access"), DCAT.landingPage))
        pages = self._nodes(self._node, FOAF.page) + self._nodes(self._node, DCAT.landingPage)
        distinct = [page for page in dict.fromkeys(pages) if page not in starts]
        for other in distinct[1:]:
            self._leave(FOAF.page, other, texts.ONE_PAGE())
        return str(distinct[0]) if distinct else None

    def _retention(self) -> dict[str, Any]:
        period = self._one(self._node, HEALTH.retentionPeriod)
        end = self._one(period, DCAT.endDate)
        return {"retention": self._text(period, RDFS.label), "retain_until": str(end)[:10] if end else None}

    # -- what it becomes

    def _valid(self, fields: dict[str, Any]) -> Dataset:
        """The draft of those fields that an entry takes; the others are left out, each with its reason."""
        kept = {field: value for field, value in fields.items() if value is not None}
        while True:
            try:
                return Dataset.model_validate({"name": self._name, **kept})
            except ValidationError as error:
                for field, why in {str(one["loc"][0]): what_is_wrong(one) for one in error.errors()}.items():
                    value = kept.pop(field)
                    if isinstance(value, tuple):  # of a list only what is wrong
                        kept[field] = tuple(one for one in value if not self._wrong(field, one))
                    else:
                        self._leave_out(field, Literal(str(value)), why)

    def _wrong(self, field: str, value: Any) -> bool:
        try:
            Dataset.model_validate({"name": self._name, field: (value,)})
        except ValidationError as error:
            self._leave_out(field, Literal(str(value)), what_is_wrong(error.errors()[0]))
            return True
        return False

    def _name_the_rest(self, files: list[Node]) -> None:
        """Every statement about the dataset and its distributions that nothing has used."""
        for subject, expected in ((self._node, _OF_THE_OLD_PLACE), *((file, _OF_THE_FILES) for file in files)):
            rest = [
                (predicate, value)
                for predicate, value in self._graph.predicate_objects(subject)
                if (subject, predicate, value) not in self._used and predicate not in expected
            ]
            for predicate, value in sorted(rest, key=str):
                if predicate != DCAT.distribution:
                    self._leave(predicate, value, texts.NO_PLACE())
        if files:
            self.left_out.append(texts.THE_FILES(n=len(files)))


def _short(predicate: Node) -> str:
    text = str(predicate)
    for prefix, namespace in (("dct", DCTERMS), ("dcat", DCAT), ("foaf", FOAF), ("odrl", ODRL2), ("dpv", DPV)):
        if text.startswith(str(namespace)):
            return f"{prefix}:{_on_one_line(text.removeprefix(str(namespace)))}"
    return _on_one_line(text)


def _shown(value: Node) -> str:
    """A value on one line of limited length, without control characters."""
    if isinstance(value, BNode):
        return "[…]"
    text = _on_one_line(str(value))
    return f'"{text}"' if isinstance(value, Literal) else f"<{text}>"


def _on_one_line(text: str) -> str:
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= 80 else f"{text[:79]}…"
