"""The catalogue as DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/), pure: entries to an RDF graph.

Every node is named by an address below the catalogue's own (``BASE/datasets/NAME``), so that two exports of the same
catalogue are the same text. Every resource that an entry refers to carries its class and, of a code list, its scheme:
validators that have only this graph find what they look for. What DCAT has no word for is said in the vocabularies
that its health profile uses: ODRL (agreement and purposes), DPV (personal data), HealthDCAT-AP (retention).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from rdflib import DCAT, DCTERMS, FOAF, ODRL2, RDF, RDFS, SKOS, XSD, Graph, Literal, URIRef

from fabric_hub.datasets.model import Agent, Contact, Dataset, Language, Version, WebAddress
from fabric_hub.types import Frozen

from . import codes, rdf
from .rdf import ADMS, DCATAP, DPV, HEALTH, PREFIXES, SPDX, VERSION

CROISSANT = URIRef("http://mlcommons.org/croissant/1.1")


class About(Frozen):
    """What an export says of the catalogue and of the place where its datasets are used.

    :param base: the address below which entries are named, without a final slash.
    :param hub: the hub's public address, without a final slash.
    :param data_dir: where sessions find datasets.
    """

    title: str
    description: str
    base: WebAddress
    hub: WebAddress
    publisher: Agent
    contact: Contact
    languages: tuple[Language, ...] = ("ENG",)
    licence: WebAddress | None = None
    data_dir: str = "/data"


def dataset_iri(about: About, name: str) -> URIRef:
    """The address that names a dataset."""
    return URIRef(f"{about.base}/datasets/{name}")


def hub_page(about: About, name: str) -> URIRef:
    """The hub's page of a dataset, where a person accepts its agreement or asks for it."""
    return URIRef(f"{about.hub}/hub/datasets/{name}")


def place(about: About, name: str, version: str) -> str:
    """Where a session finds a version, as an address (RFC 8089): there is no other way to its files."""
    return f"file://{quote(about.data_dir.rstrip('/'))}/{name}/{version}"


def catalogue_graph(datasets: Iterable[Dataset], about: About) -> Graph:
    """The catalogue with the given entries.

    :param datasets: entries, also incomplete ones: what is not known is not said, and a validator will say so.
    """
    graph = rdf.new_graph()
    catalogue = URIRef(f"{about.base}/datasets")
    graph.add((catalogue, RDF.type, DCAT.Catalog))
    rdf.add_texts(graph, catalogue, DCTERMS.title, about.title)
    rdf.add_texts(graph, catalogue, DCTERMS.description, about.description)
    agent = rdf.agent(graph, about.publisher, URIRef(f"{catalogue}#publisher"))
    graph.add((catalogue, DCTERMS.publisher, agent))
    graph.add((catalogue, DCTERMS.creator, agent))
    graph.add((catalogue, DCAT.contactPoint, rdf.contact_point(graph, about.contact, URIRef(f"{catalogue}#contact"))))
    rdf.add_languages(graph, catalogue, about.languages)
    if about.licence:
        graph.add((catalogue, DCTERMS.license, rdf.licence(graph, about.licence)))
    homepage = URIRef(f"{about.hub}/")
    graph.add((homepage, RDF.type, FOAF.Document))
    graph.add((catalogue, FOAF.homepage, homepage))
    graph.add((catalogue, DCAT.themeTaxonomy, rdf.scheme(graph, "data-theme")))
    moments = []
    for dataset in datasets:
        node = _dataset(graph, dataset, about)
        graph.add((catalogue, DCAT.dataset, node))
        graph.add((catalogue, DCAT.service, URIRef(f"{node}#access")))
        moments += [moment for moment in (dataset.published_at, _modified(dataset)) if moment is not None]
    if moments:
        graph.add((catalogue, DCTERMS.issued, rdf.moment(min(moments))))
        graph.add((catalogue, DCTERMS.modified, rdf.moment(max(moments))))
    return graph


def dataset_graph(dataset: Dataset, about: About) -> Graph:
    """One entry, without a catalogue around it."""
    graph = rdf.new_graph()
    _dataset(graph, dataset, about)
    return graph


def turtle(graph: Graph) -> str:
    """A graph as Turtle; the same graph gives the same text."""
    return graph.serialize(format="turtle")


def json_ld(graph: Graph) -> str:
    """A graph as JSON-LD whose context is in the document: reading it fetches nothing."""
    context = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
    return graph.serialize(format="json-ld", context=context, auto_compact=False, sort_keys=True, indent=2) + "\n"


# -- one entry


def _dataset(graph: Graph, dataset: Dataset, about: About) -> URIRef:
    node = dataset_iri(about, dataset.name)
    at_hub = hub_page(about, dataset.name)
    graph.add((node, RDF.type, DCAT.Dataset))
    graph.add((node, DCTERMS.identifier, Literal(str(node))))
    rdf.add_texts(graph, node, DCTERMS.title, dataset.title)
    rdf.add_texts(graph, node, DCTERMS.description, dataset.description)
    rdf.add_texts(graph, node, DCAT.keyword, *dataset.keywords)
    rdf.add_languages(graph, node, dataset.languages)
    _parties(graph, node, dataset)
    if dataset.access:
        graph.add((node, DCTERMS.accessRights, rdf.access_right(graph, dataset.access)))
    for theme in dataset.themes:
        graph.add((node, DCAT.theme, rdf.concept(graph, "data-theme", theme, codes.THEMES[theme])))
    pages = [URIRef(dataset.page)] if dataset.page else [at_hub]
    for page in pages:
        graph.add((page, RDF.type, FOAF.Document))
        graph.add((node, DCAT.landingPage, page))
        graph.add((node, FOAF.page, page))
    _provenance(graph, node, dataset)
    _personal_data(graph, node, dataset)
    policy = _policy(graph, node, dataset)
    versions = [version for version in dataset.versions if version.published_at is not None]
    for version in versions:
        graph.add((node, DCAT.distribution, _distribution(graph, node, dataset, version, policy, about)))
    rdf.add_standard(graph, node, CROISSANT, "Croissant 1.1")
    latest = next((version for version in versions if version.version == dataset.latest), None)
    for known in codes.formats(latest.formats) if latest else ():
        if known.standard:
            rdf.add_standard(graph, node, URIRef(known.standard), known.title)
    if dataset.latest:
        graph.add((node, VERSION, Literal(dataset.latest)))
    if dataset.published_at is not None:
        graph.add((node, DCTERMS.issued, rdf.moment(dataset.published_at)))
        status = "WITHDRAWN" if dataset.retired_at is not None else "COMPLETED"
        graph.add((node, ADMS.status, rdf.concept(graph, "dataset-status", status, codes.STATUS[status])))
    if (modified := _modified(dataset)) is not None:
        graph.add((node, DCTERMS.modified, rdf.moment(modified)))
    _service(graph, node, dataset, about)
    return node


def _modified(dataset: Dataset) -> float | None:
    """When an entry last changed for those who read the catalogue."""
    moments = [dataset.published_at, dataset.retired_at]
    moments += [moment for version in dataset.versions for moment in (version.published_at, version.retired_at)]
    return max((moment for moment in moments if moment is not None), default=None)


def _parties(graph: Graph, node: URIRef, dataset: Dataset) -> None:
    """Publisher, creator (the publisher where nobody else is named) and the one point of contact."""
    publisher = rdf.agent(graph, dataset.publisher, URIRef(f"{node}#publisher")) if dataset.publisher else None
    creator = rdf.agent(graph, dataset.creator, URIRef(f"{node}#creator")) if dataset.creator else publisher
    if publisher:
        graph.add((node, DCTERMS.publisher, publisher))
    if creator:
        graph.add((node, DCTERMS.creator, creator))
    if dataset.contact:
        graph.add((node, DCAT.contactPoint, rdf.contact_point(graph, dataset.contact, URIRef(f"{node}#contact"))))


def _provenance(graph: Graph, node: URIRef, dataset: Dataset) -> None:
    if dataset.provenance:
        statement = URIRef(f"{node}#provenance")
        graph.add((statement, RDF.type, DCTERMS.ProvenanceStatement))
        rdf.add_texts(graph, statement, RDFS.label, dataset.provenance)
        graph.add((node, DCTERMS.provenance, statement))
    if dataset.retention or dataset.retain_until:
        period = URIRef(f"{node}#retention")
        graph.add((period, RDF.type, DCTERMS.PeriodOfTime))
        rdf.add_texts(graph, period, RDFS.label, dataset.retention)
        if dataset.retain_until:
            graph.add((period, DCAT.endDate, Literal(dataset.retain_until.isoformat(), datatype=XSD.date)))
        graph.add((node, HEALTH.retentionPeriod, period))


def _personal_data(graph: Graph, node: URIRef, dataset: Dataset) -> None:
    if dataset.personal_data:
        has, what = codes.PERSONAL_DATA[dataset.personal_data]
        graph.add((node, DPV[has], DPV[what]))


def _policy(graph: Graph, node: URIRef, dataset: Dataset) -> URIRef | None:
    """What the dataset may be used for and on which terms, as an ODRL offer; None where everything is allowed."""
    purposes = []
    for purpose in dataset.purposes:
        named = URIRef(f"{node}#purpose-{purpose.name}")
        graph.add((named, RDF.type, DPV.Purpose))
        graph.add((named, SKOS.notation, Literal(purpose.name)))
        rdf.add_texts(graph, named, SKOS.prefLabel, purpose.text)
        graph.add((node, DPV.hasPurpose, named))
        purposes.append(named)
    if not (purposes or dataset.agreement):
        return None
    policy, permission, limit = (URIRef(f"{node}#{part}") for part in ("policy", "permission", "purpose-limit"))
    graph.add((policy, RDF.type, ODRL2.Policy))
    graph.add((policy, RDF.type, ODRL2.Offer))
    graph.add((policy, ODRL2.uid, policy))
    graph.add((policy, ODRL2.permission, permission))
    graph.add((permission, RDF.type, ODRL2.Permission))
    graph.add((permission, ODRL2.action, ODRL2.use))
    graph.add((permission, ODRL2.target, node))
    if assigner := graph.value(node, DCTERMS.publisher):
        graph.add((permission, ODRL2.assigner, assigner))
    if purposes:
        graph.add((permission, ODRL2.constraint, limit))
        graph.add((limit, RDF.type, ODRL2.Constraint))
        graph.add((limit, ODRL2.leftOperand, ODRL2.purpose))
        graph.add((limit, ODRL2.operator, ODRL2.isAnyOf))
        for named in purposes:
            graph.add((limit, ODRL2.rightOperand, named))
    if dataset.agreement:
        rdf.add_texts(graph, policy, DCTERMS.description, dataset.agreement.text)
        graph.add((policy, VERSION, Literal(dataset.agreement.version)))
    graph.add((node, ODRL2.hasPolicy, policy))
    return policy


def _distribution(
    graph: Graph, node: URIRef, dataset: Dataset, version: Version, policy: URIRef | None, about: About
) -> URIRef:
    one = URIRef(f"{node}/{version.version}")
    graph.add((one, RDF.type, DCAT.Distribution))
    rdf.add_texts(graph, one, DCTERMS.title, f"{dataset.title or dataset.name}, version {version.version}")
    graph.add((one, VERSION, Literal(version.version)))
    at_hub = hub_page(about, dataset.name)
    where = URIRef(place(about, dataset.name, version.version))
    for predicate, address in ((DCAT.accessURL, at_hub), (DCAT.downloadURL, where)):
        graph.add((address, RDF.type, RDFS.Resource))
        graph.add((one, predicate, address))
    graph.add((one, DCAT.accessService, URIRef(f"{node}#access")))
    graph.add((one, DCAT.byteSize, Literal(str(version.bytes), datatype=XSD.nonNegativeInteger)))
    checksum = URIRef(f"{one}#sha256")
    graph.add((checksum, RDF.type, SPDX.Checksum))
    graph.add((checksum, SPDX.algorithm, URIRef(codes.SHA256)))
    graph.add((checksum, SPDX.checksumValue, Literal(version.sha256, datatype=XSD.hexBinary)))
    graph.add((URIRef(codes.SHA256), RDF.type, SPDX.ChecksumAlgorithm))
    graph.add((one, SPDX.checksum, checksum))
    if dataset.licence:
        graph.add((one, DCTERMS.license, rdf.licence(graph, dataset.licence)))
    if policy:
        graph.add((one, ODRL2.hasPolicy, policy))
    if dataset.agreement:
        rights = URIRef(f"{node}#rights")
        graph.add((rights, RDF.type, DCTERMS.RightsStatement))
        rdf.add_texts(graph, rights, RDFS.label, dataset.agreement.text)
        graph.add((one, DCTERMS.rights, rights))
    rdf.add_languages(graph, one, dataset.languages)
    _formats(graph, one, version)
    if version.published_at is not None:
        graph.add((one, DCTERMS.issued, rdf.moment(version.published_at)))
        graph.add((one, DCTERMS.modified, rdf.moment(version.retired_at or version.published_at)))
    gone = version.retired_at is not None or dataset.retired_at is not None
    status = "WITHDRAWN" if gone else "COMPLETED"
    graph.add((one, ADMS.status, rdf.concept(graph, "distribution-status", status, codes.STATUS[status])))
    if not gone:
        graph.add((one, DCATAP.availability, rdf.concept(graph, "planned-availability", "AVAILABLE", "available")))
    return one


def _formats(graph: Graph, one: URIRef, version: Version) -> None:
    """What is inside: the file type that most files have, the media type that all have, and the formats' standards."""
    known = codes.formats(version.formats)
    main = known[0] if known else codes.SQUASHFS if version.kind == "image" else None
    if main:
        format_ = URIRef(f"{codes.AUTHORITY}file-type/{main.code}")
        graph.add((format_, RDF.type, DCTERMS.MediaTypeOrExtent))
        graph.add((format_, SKOS.inScheme, rdf.scheme(graph, "file-type")))
        graph.add((one, DCTERMS["format"], format_))
    if media_type := codes.media_type(version.formats):
        media = URIRef(f"{codes.MEDIA_TYPES}{media_type}")
        graph.add((media, RDF.type, DCTERMS.MediaType))
        graph.add((one, DCAT.mediaType, media))
    for standard in (*known, *((codes.SQUASHFS,) if version.kind == "image" else ())):
        if standard.standard:
            rdf.add_standard(graph, one, URIRef(standard.standard), standard.title)


def _service(graph: Graph, node: URIRef, dataset: Dataset, about: About) -> None:
    """The REST service through which a session gets the dataset; DCAT-AP-NL wants it described like a dataset."""
    service = URIRef(f"{node}#access")
    graph.add((service, RDF.type, DCAT.DataService))
    graph.add((service, DCTERMS.identifier, Literal(str(service))))
    rdf.add_texts(graph, service, DCTERMS.title, f"Sessions with {dataset.title or dataset.name}")
    rdf.add_texts(
        graph, service, DCTERMS.description, f"Opens the dataset {dataset.name} in a session of {about.title}."
    )
    api = f"{about.hub}/services/fabric/api"
    for predicate, address in ((DCAT.endpointURL, api), (DCAT.endpointDescription, f"{api}/openapi.json")):
        graph.add((URIRef(address), RDF.type, RDFS.Resource))
        graph.add((service, predicate, URIRef(address)))
    at_hub = hub_page(about, dataset.name)
    graph.add((at_hub, RDF.type, FOAF.Document))
    graph.add((service, DCAT.landingPage, at_hub))
    graph.add((service, DCAT.servesDataset, node))
    rdf.add_standard(graph, service, URIRef("https://spec.openapis.org/oas/v3.1.0"), "OpenAPI 3.1")
    rdf.add_languages(graph, service, about.languages)
    if dataset.licence:
        graph.add((service, DCTERMS.license, rdf.licence(graph, dataset.licence)))
    shared = (DCTERMS.publisher, DCTERMS.creator, DCAT.contactPoint, DCTERMS.accessRights, DCAT.theme, DCAT.keyword)
    for predicate in shared:
        for value in graph.objects(node, predicate):
            graph.add((service, predicate, value))
