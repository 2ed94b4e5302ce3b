"""The RDF resources that entries of a catalogue refer to, each with its class and, of a code list, its scheme. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from rdflib import DCAT, DCTERMS, FOAF, ODRL2, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from fabric_hub.datasets.model import Access, Agent, Contact

from . import codes

ADMS = Namespace("http://www.w3.org/ns/adms#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
DPV = Namespace("https://w3id.org/dpv#")
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
PREFIXES = {
    "adms": ADMS,
    "dcat": DCAT,
    "dcatap": DCATAP,
    "dct": DCTERMS,
    "dpv": DPV,
    "foaf": FOAF,
    "healthdcatap": HEALTH,
    "odrl": ODRL2,
    "rdf": RDF,
    "rdfs": RDFS,
    "skos": SKOS,
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}
MAIL_SAFE = "!$&'*+-./=~"  # what RFC 6068 leaves as it is in the local part of an address, besides letters and digits
VERSION = URIRef(f"{DCAT}version")  # of DCAT 3, which rdflib's list of terms does not have


def new_graph() -> Graph:
    """An empty graph that knows our prefixes."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph


def add_texts(graph: Graph, node: Node, predicate: URIRef, *texts: str | None) -> None:
    """Say texts of a resource; an empty one is not said."""
    for text in texts:
        if text:
            graph.add((node, predicate, Literal(text)))


def moment(at: float) -> Literal:
    """A moment in Unix seconds as xsd:dateTime."""
    return Literal(datetime.fromtimestamp(at, UTC).isoformat(), datatype=XSD.dateTime)


def agent(graph: Graph, who: Agent, otherwise: URIRef) -> URIRef:
    """An organisation or person, named by its own address, or by ``otherwise`` where it has none."""
    node = URIRef(who.uri) if who.uri else otherwise
    graph.add((node, RDF.type, FOAF.Agent))
    add_texts(graph, node, FOAF.name, who.name)
    return node


def contact_point(graph: Graph, contact: Contact, node: URIRef) -> URIRef:
    """Where questions go, under the given name."""
    graph.add((node, RDF.type, VCARD.Kind))
    add_texts(graph, node, VCARD.fn, contact.name)
    if contact.email:
        local, _, domain = contact.email.partition("@")
        graph.add((node, VCARD.hasEmail, URIRef(f"mailto:{quote(local, safe=MAIL_SAFE)}@{domain}")))
    if contact.url:
        graph.add((node, VCARD.hasURL, URIRef(contact.url)))
    return node


def access_right(graph: Graph, access: Access) -> URIRef:
    """Who may see and use it, of the EU's list."""
    code, label = codes.ACCESS[access]
    node = concept(graph, "access-right", code, label)
    graph.add((node, RDF.type, DCTERMS.RightsStatement))
    return node


def licence(graph: Graph, address: str) -> URIRef:
    """A licence by its code where the EU's list has it, else by its own address."""
    known = codes.licence(address)
    node = URIRef(f"{codes.AUTHORITY}licence/{known.code}") if known else URIRef(address)
    graph.add((node, RDF.type, DCTERMS.LicenseDocument))
    if known:
        kind = URIRef(f"http://purl.org/adms/licencetype/{known.kind}")
        graph.add((kind, RDF.type, SKOS.Concept))
        graph.add((kind, SKOS.prefLabel, Literal(known.kind_label, lang="en")))
        graph.add((kind, SKOS.inScheme, scheme(graph, codes.LICENCE_TYPES)))
        graph.add((node, DCTERMS.type, kind))
        graph.add((node, SKOS.exactMatch, URIRef(known.address)))
    return node


def add_languages(graph: Graph, node: Node, languages: Sequence[str]) -> None:
    """Say the languages of a resource, of the EU's list."""
    for code in languages:
        language = URIRef(f"{codes.AUTHORITY}language/{code}")
        graph.add((language, RDF.type, DCTERMS.LinguisticSystem))
        graph.add((language, SKOS.inScheme, scheme(graph, "language")))
        graph.add((node, DCTERMS.language, language))


def add_standard(graph: Graph, node: Node, standard: URIRef, title: str) -> None:
    """Say that a resource conforms to a standard."""
    graph.add((standard, RDF.type, DCTERMS.Standard))
    add_texts(graph, standard, DCTERMS.title, title)
    graph.add((node, DCTERMS.conformsTo, standard))


def concept(graph: Graph, list_name: str, code: str, label: str) -> URIRef:
    """A code of one of the EU's lists."""
    node = URIRef(f"{codes.AUTHORITY}{list_name}/{code}")
    graph.add((node, RDF.type, SKOS.Concept))
    graph.add((node, SKOS.prefLabel, Literal(label, lang="en")))
    graph.add((node, SKOS.inScheme, scheme(graph, list_name)))
    return node


def scheme(graph: Graph, name: str) -> URIRef:
    """A code list: a name of the EU's lists, or a whole address."""
    node = URIRef(name if ":" in name else f"{codes.AUTHORITY}{name}")
    graph.add((node, RDF.type, SKOS.ConceptScheme))
    graph.add((node, DCTERMS.title, Literal(codes.SCHEMES[name], lang="en")))
    return node
