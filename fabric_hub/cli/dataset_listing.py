"""Entries and versions as an operator's terminal shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fabric_hub.datasets.model import Access, AccessRequest, Agent, Contact, Dataset, Grant, Version
from fabric_hub.messages.formats import size
from fabric_hub.messages.translation import gettext as _
from fabric_hub.messages.translation import ngettext

_LABEL = 14


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def state_of(entry: Dataset | Version) -> str:
    """Draft, published or retired."""
    if entry.retired_at:
        return _("retired")
    return _("published") if entry.published_at else _("draft")


def access_of(entry: Dataset) -> str:
    """Who may use it, in a word; "" where that is not said."""
    words = {Access.PUBLIC: _("public"), Access.RESTRICTED: _("restricted"), Access.NON_PUBLIC: _("non-public")}
    return words[entry.access] if entry.access else ""


def labelled(label: str, text: str) -> str:
    """A line of an entry: what it is about, and what is said."""
    return f"{label.ljust(_LABEL - 1)} {text}"


def of_version(version: Version) -> list[str]:
    """What a version is."""
    bare = _("without a suffix")
    formats = ", ".join(f"{count} {name or bare}" for name, count in version.formats.items())
    about = ngettext(
        "version {version} ({kind}, {state}): {n} file ({formats}), {size}, made {made}",
        "version {version} ({kind}, {state}): {n} files ({formats}), {size}, made {made}",
        version.files,
    ).format(
        version=version.version,
        kind=_("image") if version.kind == "image" else _("directory"),
        state=state_of(version),
        n=version.files,
        formats=formats,
        size=size(version.bytes),
        made=f"{datetime.fromtimestamp(version.created_at).astimezone():%Y-%m-%d %H:%M}",
    )
    return [
        about,
        f"  {version.path}",
        f"  sha256 {version.sha256}",
    ]


def of_dataset(entry: Dataset) -> list[str]:
    """What an entry says, and its versions."""
    said: list[tuple[str, str]] = [
        (_("name"), f"{entry.name} ({state_of(entry)})"),
        (_("title"), entry.title or ""),
        (_("access"), access_of(entry)),
        (_("publisher"), _agent(entry.publisher)),
        (_("creator"), _agent(entry.creator)),
        (_("contact"), _contact(entry.contact)),
        (_("licence"), entry.licence or ""),
        (_("themes"), ", ".join(entry.themes)),
        (_("keywords"), ", ".join(entry.keywords)),
        (_("languages"), ", ".join(entry.languages)),
        (_("personal data"), str(entry.personal_data or "")),
        *((_("purpose"), f"{purpose.name}: {purpose.text}") for purpose in entry.purposes),
        (_("agreement"), _("version {version}").format(version=entry.agreement.version) if entry.agreement else ""),
        (_("retention"), entry.retention or ""),
        (_("retain until"), str(entry.retain_until or "")),
        (_("page"), entry.page or ""),
        (_("latest"), entry.latest or ""),
    ]
    lines = [labelled(label, text) for label, text in said if text]
    for heading, text in ((_("description"), entry.description), (_("provenance"), entry.provenance)):
        if text:
            lines += [heading, *(f"  {line}" for line in text.strip().splitlines())]
    for version in entry.versions:
        lines += of_version(version)
    return lines


def of_grant(grant: Grant) -> str:
    """A grant as a line below its dataset."""
    said = _("{project} until {until}, by {by}") if grant.until else _("{project} without an end, by {by}")
    return labelled(_("grant"), said.format(project=grant.project, until=grant.until, by=grant.by))


def of_request(request: AccessRequest) -> str:
    """A request as a line below its dataset."""
    said = _("{user} for {project}: {why}") if request.why else _("{user} for {project}")
    return labelled(_("request"), said.format(user=request.user, project=request.project, why=request.why))


def _agent(agent: Agent | None) -> str:
    return "" if agent is None else " ".join(filter(None, (agent.name, agent.uri)))


def _contact(contact: Contact | None) -> str:
    return "" if contact is None else " ".join(filter(None, (contact.name, contact.email, contact.url)))
