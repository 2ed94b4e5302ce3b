"""Entries and versions as an operator's terminal shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fabric_hub.datasets.model import AccessRequest, Agent, Contact, Dataset, Grant, Version
from fabric_hub.messages.formats import size

_LABEL = 14


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def state_of(entry: Dataset | Version) -> str:
    """Draft, published or retired."""
    if entry.retired_at:
        return "retired"
    return "published" if entry.published_at else "draft"


def of_version(version: Version) -> list[str]:
    """What a version is."""
    formats = ", ".join(f"{count} {name or 'without a suffix'}" for name, count in version.formats.items())
    made = f"{datetime.fromtimestamp(version.created_at).astimezone():%Y-%m-%d %H:%M}"
    about = f"{version.files} file{'' if version.files == 1 else 's'} ({formats}), {size(version.bytes)}, made {made}"
    return [
        f"version {version.version} ({version.kind}, {state_of(version)}): {about}",
        f"  {version.path}",
        f"  sha256 {version.sha256}",
    ]


def of_dataset(entry: Dataset) -> list[str]:
    """What an entry says, and its versions."""
    said: list[tuple[str, str]] = [
        ("name", f"{entry.name} ({state_of(entry)})"),
        ("title", entry.title or ""),
        ("access", str(entry.access or "")),
        ("publisher", _agent(entry.publisher)),
        ("creator", _agent(entry.creator)),
        ("contact", _contact(entry.contact)),
        ("licence", entry.licence or ""),
        ("themes", ", ".join(entry.themes)),
        ("keywords", ", ".join(entry.keywords)),
        ("languages", ", ".join(entry.languages)),
        ("personal data", str(entry.personal_data or "")),
        *(("purpose", f"{purpose.name}: {purpose.text}") for purpose in entry.purposes),
        ("agreement", f"version {entry.agreement.version}" if entry.agreement else ""),
        ("retention", entry.retention or ""),
        ("retain until", str(entry.retain_until or "")),
        ("page", entry.page or ""),
        ("latest", entry.latest or ""),
    ]
    lines = [label.ljust(_LABEL) + text for label, text in said if text]
    for heading, text in (("description", entry.description), ("provenance", entry.provenance)):
        if text:
            lines += [heading, *(f"  {line}" for line in text.strip().splitlines())]
    for version in entry.versions:
        lines += of_version(version)
    return lines


def of_grant(grant: Grant) -> str:
    """A grant as a line below its dataset."""
    until = f"until {grant.until}" if grant.until else "without an end"
    return f"{'grant'.ljust(_LABEL)}{grant.project} {until}, by {grant.by}"


def of_request(request: AccessRequest) -> str:
    """A request as a line below its dataset."""
    why = f": {request.why}" if request.why else ""
    return f"{'request'.ljust(_LABEL)}{request.user} for {request.project}{why}"


def _agent(agent: Agent | None) -> str:
    return "" if agent is None else " ".join(filter(None, (agent.name, agent.uri)))


def _contact(contact: Contact | None) -> str:
    return "" if contact is None else " ".join(filter(None, (contact.name, contact.email, contact.url)))
