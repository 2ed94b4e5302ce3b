"""Erase one person: looked at first, refused while they are at work here, then store by store, and again after a kill.

The order makes that safe: the audit log says that it is done before anything is; the person's own files go while the
record still says which they are; JupyterHub's user and the record go in one transaction for each database.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import privacy_commands as texts

from . import audit_part, checks, session_files
from .model import Act
from .person import Person
from .register import register
from .stores import Part, ask, counted, erased, parts_of

Counts = list[tuple[str, str, int]]  # place, act, rows


@dataclass
class Plan:
    """What an erasure is to do: rows by place and act; and what it needs to know."""

    person: Person
    parts: list[Part]
    counts: Counts = field(default_factory=list)
    sessions: frozenset[str] = frozenset()
    is_user: bool = False
    other_names: tuple[str, ...] = ()

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)


def kept() -> list[tuple[str, str, Text]]:
    """The exceptions: what stays of a person after an erasure, as (place, field, reason)."""
    told: dict[tuple[str, str], tuple[str, str, Text]] = {}
    for line in register():
        if line.erasure.act is Act.KEEP and line.erasure.said.code != "privacy-without-name":
            told.setdefault((line.where, line.erasure.said.code), (line.where, line.field, line.erasure.said))
    return list(told.values())


def plan(settings: Settings, person: Person) -> Plan:
    """Look at what there is, and change nothing.

    :raises FabricError: the person cannot be erased now, and what to do first.
    """
    parts = parts_of(settings, person)
    if foreign := tuple(part.name for part in parts if not part.readable):
        raise FabricError(texts.NOT_MINE(parts=foreign))
    checks.refuse_named(settings, person.name)
    found = Plan(person, parts)
    hub = found.part("hub")
    assert hub is not None
    if catalogue := found.part("catalogue"):
        known = audit_part.Known(**ask(catalogue, lambda: asdict(audit_part.known(settings, person))))
        audit_part.refuse_known(known, person.name)
        found.other_names = tuple(known.names[1:])
        for name in found.other_names:
            checks.refuse_named(settings, name)

    def look() -> dict[str, Any]:
        told = checks.observed(settings, hub, person)
        told["certificates"] = len(session_files.certificates(settings.hub.state_dir, person.name))
        checks.refuse_at_work(told, person.name)
        checks.hold_hub(settings, person.name, is_user=told["is_user"])
        return told

    told = ask(hub, look)
    found.sessions, found.is_user = frozenset(told["sessions"]), told["is_user"]
    for part in parts:
        if part.urls:
            rows = ask(part, lambda part=part: counted(part, person))["rows"]  # type: ignore[misc]
            found.counts += [tuple(row) for row in rows]
    if told["certificates"]:
        found.counts.append(("certs", Act.DELETE.value, told["certificates"]))
    if home := found.part("home"):
        n = ask(home, lambda: {"n": len(list(session_files.directories(home.roots, _only(settings, found))))})["n"]
        if n:
            found.counts.append((home.roots[0], Act.DELETE.value, n))
    return found


def _only(settings: Settings, found: Plan) -> frozenset[str] | None:
    return found.sessions if settings.users.shared_account else None


def carry_out(settings: Settings, found: Plan, by: str, pseudonym: str) -> None:
    """Erase the person. Given again after a kill it goes on; where nothing is left it only writes the files anew.

    :param by: who gives the command.
    :raises FabricError: a part failed; what was done before stays done.
    """
    person, catalogue, home, hub = found.person, found.part("catalogue"), found.part("home"), found.part("hub")
    assert hub is not None

    def noted() -> dict[str, Any]:
        audit_part.note(settings, by, person, pseudonym, found.counts)
        return {}

    if catalogue and found.counts:
        ask(catalogue, noted)
    if home:
        ask(home, lambda: {"n": session_files.remove(home.roots, _only(settings, found))})

    def at_hub() -> dict[str, Any]:
        # once more, in the process that does it: since the plan they may have come back
        told = checks.observed(settings, hub, person)
        checks.refuse_at_work(told, person.name)
        checks.hold_hub(settings, person.name, is_user=told["is_user"])
        session_files.remove_certificates(settings.hub.state_dir, person.name)
        return erased(hub, person, pseudonym)

    if gateway := found.part("gateway"):
        ask(gateway, lambda: erased(gateway, person, pseudonym))
    ask(hub, at_hub)
    if catalogue:
        ask(catalogue, lambda: audit_part.erased(settings, person, pseudonym))
