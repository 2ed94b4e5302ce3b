"""The forms of a steward's page as changes. Pure.

The publishing form asks what DCAT-AP-NL 3.0 requires of a dataset (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/):
title, description, identifier (the name), publisher, creator, contact point, theme, licence, access rights; and what
this catalogue promises to say beside it. Its dates of issue and change are the catalogue's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import TypeAdapter, ValidationError

from fabric_hub.datasets.model import Dataset, Theme
from fabric_hub.datasets.stewardship import Draft, StewardChange
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import pages as page_texts
from fabric_hub.messages.texts import stewards as texts

THEMES: Final[tuple[str, ...]] = get_args(Theme)
DONE: Final = {
    "grant": texts.GRANTED,
    "revoke": texts.REVOKED,
    "decline": texts.REQUEST_DECLINED,
    "review": texts.REVIEWED,
    "draft": texts.SAVED,
}
_CHANGES: Final[TypeAdapter[StewardChange]] = TypeAdapter(StewardChange)
# Fields of the form that are one text each, as the entry has them.
_PLAIN: Final = (
    "name", "title", "description", "licence", "access", "personal_data", "provenance", "retention", "page",
)  # fmt: skip


def change_of(fields: Mapping[str, str]) -> tuple[StewardChange, Text]:
    """What a button of the page asks for, and what is told once it is done.

    :raises FabricError: the form is none of the page's, or a value is none that it can have.
    """
    wanted: dict[str, Any] = {name: value.strip() for name, value in fields.items() if value.strip()}
    if wanted.get("do") not in ("grant", "revoke", "decline", "review"):
        raise FabricError(page_texts.FORM_ASKS_NOTHING())
    takes = {
        "grant": ("dataset", "project", "until"),
        "revoke": ("dataset", "project"),
        "decline": ("dataset", "project", "why"),
        "review": ("dataset", "project"),
    }[wanted["do"]]
    given = {"do": wanted["do"], **{name: wanted[name] for name in takes if name in wanted}}
    if given["do"] == "revoke":
        given["strict"] = bool(wanted.get("strict"))
    try:
        return _CHANGES.validate_python(given), DONE[given["do"]]()
    except ValidationError as error:
        raise FabricError(texts.WRONG_FIELD(field=str(error.errors()[0]["loc"][-1]))) from error


def draft_of(fields: Mapping[str, str], themes: Sequence[str]) -> Draft:
    """The entry that the publishing form describes; what is left empty is missing in the draft.

    :raises FabricError: a value is none that the field can have; which field.
    """
    told = {name: " ".join(value.split()) if name != "terms" else value for name, value in fields.items()}
    entry: dict[str, Any] = {name: told[name] for name in _PLAIN if told.get(name)}
    for text in ("description", "provenance"):
        if fields.get(text, "").strip():
            entry[text] = _lines(fields[text])
    entry |= {
        "themes": list(themes),
        "keywords": _split(told.get("keywords", "")),
        "languages": _split(told.get("languages", "").upper()),
    }
    for agent in ("publisher", "creator"):
        if told.get(agent):
            entry[agent] = {"name": told[agent], "uri": told.get(f"{agent}_uri") or None}
    if told.get("contact"):
        contact = {"email": told.get("contact_email") or None, "url": told.get("contact_url") or None}
        entry["contact"] = {"name": told["contact"], **contact}
    if fields.get("terms", "").strip():
        entry["agreement"] = {"version": told.get("agreement") or "1", "text": _lines(fields["terms"])}
    entry["purposes"] = [
        {"name": re.sub(r"[^a-z0-9]+", "-", purpose.casefold()).strip("-")[:40].strip("-"), "text": purpose}
        for purpose in (line.strip() for line in fields.get("purposes", "").splitlines())
        if purpose
    ]
    try:
        return Draft(entry=Dataset.model_validate_json(TypeAdapter(dict[str, Any]).dump_json(entry)))
    except ValidationError as error:
        raise FabricError(texts.WRONG_FIELD(field=str(error.errors()[0]["loc"][0]))) from error


def typed_of(entry: Dataset) -> dict[str, str]:
    """A draft as the form's fields have it."""
    found = {name: str(value) for name in _PLAIN if (value := getattr(entry, name))}
    for agent in ("publisher", "creator"):
        if (one := getattr(entry, agent)) is not None:
            found |= {agent: one.name, f"{agent}_uri": one.uri or ""}
    if entry.contact:
        contact = entry.contact
        found |= {"contact": contact.name, "contact_email": contact.email or "", "contact_url": contact.url or ""}
    if entry.agreement:
        found |= {"agreement": entry.agreement.version, "terms": entry.agreement.text}
    found["keywords"], found["languages"] = ", ".join(entry.keywords), ", ".join(entry.languages)
    found["purposes"] = "\n".join(one.text for one in entry.purposes)
    return found


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
