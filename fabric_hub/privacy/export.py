"""Everything that is kept of one person, as one directory: JSON for each store, and an index that people read.

A command that is not given as root reads what its account may, and says what it left out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import privacy_commands as texts

from . import audit_part, checks, session_files
from .model import Act, Store
from .person import Person
from .register import TABLES, register
from .stores import Part, ask, parts_of, records

INDEX = "README.md"


@dataclass
class Exported:
    """What was found: documents by the name of their file, each with its records by place; and what was not read."""

    documents: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    not_read: list[Text] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many records there are."""
        return sum(len(found) for places in self.documents.values() for found in places.values())


def gathered(settings: Settings, person: Person) -> Exported:
    """Read everything of a person that this process's account may read.

    :raises FabricError: something cannot be read.
    """
    told = Exported()
    parts = parts_of(settings, person)
    sessions: set[str] = set()
    for part in (one for one in parts if one.name != "home"):
        if not part.readable:
            told.not_read.append(texts.NOT_READ(part=part.name, account=part.account))
            continue
        found = ask(part, lambda part=part: _read(settings, part, person))  # type: ignore[misc]
        for document, places in found.items():
            told.documents[document] = {place: rows for place, rows in places.items() if rows}
        sessions |= set(_sessions(found))
    only = frozenset(sessions) if settings.users.shared_account else None
    for part in (one for one in parts if one.name == "home"):
        if not part.readable:
            told.not_read.append(texts.NOT_READ(part=part.name, account=part.account))
            continue
        files = ask(part, lambda part=part: session_files.contents(part.roots, only))  # type: ignore[misc]
        listed = [{"path": path, "content": content} for path, content in files.items()]
        told.documents["session-files"] = {"files": listed} if listed else {}
    told.documents["site"] = {
        "projects": [
            {"project": name, "roles": list(found)} for name, found in checks.roles(settings, person.name).items()
        ],
        "settings": [{"setting": name} for name in checks.other_places(settings, person.name)],
    }
    told.documents = {
        name: {place: rows for place, rows in places.items() if rows} for name, places in told.documents.items()
    }
    return told


def _read(settings: Settings, part: Part, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = records(part, person)
    if part.name == "catalogue":
        found["audit"] = {"records": audit_part.records(settings, person)}
    if part.name == "hub":
        paths = session_files.certificates(settings.hub.state_dir, person.name)
        found["certificates"] = {"directories": [{"path": str(path)} for path in paths]}
    return found


def _sessions(found: dict[str, Any]) -> Iterator[str]:
    for store, table, column in (("sessions", "sessions", "id"), ("ledger", "submissions", "session")):
        for row in found.get(store, {}).get(table, []):
            yield row[column]


def write(told: Exported, settings: Settings, person: Person, directory: Path) -> None:
    """Write an export into a directory that does not exist yet (0700), its files 0600.

    :raises FabricError: it exists, or cannot be written.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        raise FabricError(texts.DIRECTORY_THERE(directory=str(directory))) from None
    except OSError as error:
        raise FabricError(texts.NOT_WRITTEN(cause=f"{directory}: {error.strerror}")) from error
    try:
        # whoever owns what is above it could put another one in its place meanwhile
        place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(place).st_uid != os.geteuid():
                raise FabricError(texts.DIRECTORY_THERE(directory=str(directory)))
            for name, places in told.documents.items():
                if places:
                    _put(place, f"{name}.json", json.dumps(places, indent=2, ensure_ascii=False) + "\n")
            _put(place, INDEX, index(told, settings, person, time.time()))
        finally:
            os.close(place)
    except OSError as error:
        raise FabricError(texts.NOT_WRITTEN(cause=f"{directory}: {error.strerror}")) from error


def _put(place: int, name: str, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o600, dir_fd=place)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, 0o600)
        file.write(text)


def index(told: Exported, settings: Settings, person: Person, at: float) -> str:
    """The index of an export, for whoever reads what is made now. Pure."""
    lines = [f"# {texts.INDEX(user=person.name).say()}", "", texts.INDEX_MADE(at=at, site=settings.site.name).say(), ""]
    lines += [texts.INDEX_FORM().say(), ""]
    if settings.site.privacy_url:
        lines += [texts.INDEX_PRIVACY(url=settings.site.privacy_url).say(), ""]
    for name, places in told.documents.items():
        for place, rows in places.items():
            said = texts.INDEX_FILE(file=f"`{name}.json`", place=f"`{place}`", n=len(rows)).say()
            about = _purpose(name, place)
            lines.append(f"- {said}" + (f" ({about})" if about else ""))
    if not told.n:
        lines.append(texts.INDEX_EMPTY(user=person.name).say())
    lines += ["", texts.INDEX_NOT_READ().say(), "", *(f"- {one.say()}" for one in told.not_read)]
    elsewhere = {
        line.where: line.erasure.said
        for line in register()
        if line.store is Store.FILES and line.erasure.act is Act.KEEP and not line.where.startswith("site.toml")
    }
    lines += [f"- {where} ({said.say()})" for where, said in elsewhere.items()]
    return "\n".join(lines) + "\n"


def _purpose(store: str, table: str) -> str:
    for tables in TABLES.values():
        for one in tables:
            if one.store.value == store and one.name == table:
                return f"{one.purpose.said.say()}; {one.keep.say()}"
    return ""
