"""What an entry must have before it can be published. Pure.

Mandatory in DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/): title, description, publisher,
creator, contact point, licence, access rights, theme. The rest is what this catalogue promises to say of a dataset.
"""

from __future__ import annotations

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import dataset_files as texts
from fabric_hub.messages.translation import N_

from .model import Access, Dataset

_ALWAYS = {
    "title": N_("what people read in the list"),
    "description": N_("what it holds, in a few sentences"),
    "publisher": N_("the organisation that makes it available"),
    "creator": N_("who made it"),
    "contact": N_("where questions go"),
    "licence": N_("the address of the licence's text"),
    "access": N_("public, restricted or non-public"),
    "themes": N_("at least one theme"),
    "personal_data": N_("none, pseudonymised, personal or special"),
    "provenance": N_("where it comes from and what was done to it"),
    "retention": N_("how long it is kept, and why"),
}


def missing(dataset: Dataset) -> tuple[Text, ...]:
    """The fields that an entry lacks, each as ``field: what belongs there``; empty when it can be published.

    A version is not a field: :meth:`CatalogueStore.publish` asks for one.
    """
    lacks = [texts.LACKS(field=field, what=about) for field, about in _ALWAYS.items() if not getattr(dataset, field)]
    if dataset.contact and not (dataset.contact.email or dataset.contact.url):
        lacks.append(texts.LACKS_CONTACT())
    limited = dataset.access in (Access.RESTRICTED, Access.NON_PUBLIC)
    if limited and not dataset.agreement:
        lacks.append(texts.LACKS_TERMS(access=str(dataset.access)))
    if (limited or dataset.agreement) and not dataset.purposes:
        lacks.append(texts.LACKS_PURPOSES())
    return tuple(lacks)
