"""What an entry must have before it can be published. Pure.

Mandatory in DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/): title, description, publisher,
creator, contact point, licence, access rights, theme. The rest is what this catalogue promises to say of a dataset.
"""

from __future__ import annotations

from .model import Access, Dataset

_ALWAYS = {
    "title": "what people read in the list",
    "description": "what it holds, in a few sentences",
    "publisher": "the organisation that makes it available",
    "creator": "who made it",
    "contact": "where questions go",
    "licence": "the address of the licence's text",
    "access": "public, restricted or non-public",
    "themes": "at least one theme",
    "personal_data": "none, pseudonymised, personal or special",
    "provenance": "where it comes from and what was done to it",
    "retention": "how long it is kept, and why",
}


def missing(dataset: Dataset) -> tuple[str, ...]:
    """The fields that an entry lacks, each as ``field: what belongs there``; empty when it can be published.

    A version is not a field: :meth:`CatalogueStore.publish` asks for one.
    """
    lacks = [f"{field}: {about}" for field, about in _ALWAYS.items() if not getattr(dataset, field)]
    if dataset.contact and not (dataset.contact.email or dataset.contact.url):
        lacks.append("contact.email: an e-mail address, or contact.url: a web address")
    limited = dataset.access in (Access.RESTRICTED, Access.NON_PUBLIC)
    if limited and not dataset.agreement:
        lacks.append(f"agreement: the terms that users accept, with a version ({dataset.access} needs one)")
    if (limited or dataset.agreement) and not dataset.purposes:
        lacks.append("purposes: at least one purpose that it may be used for")
    return tuple(lacks)
