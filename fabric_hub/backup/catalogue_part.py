"""The catalogue's part of a restore: which audit log goes on, which grants are in force, and the record of both."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.catalogue.audit.log import AuditLog, AuditLogBrokenError, Entry, audit_directory
from fabric_hub.catalogue.database import CATALOGUE, database_url
from fabric_hub.catalogue.invitation_store import InvitationStore
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.restored import Restored, Revocation
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Acceptance
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.sessions.database import open_database

from . import evidence
from .evidence import LogRead
from .grants import Decisions, Fate, Publication, decide
from .manifest import Manifest
from .parts import AUDIT, EXTRACT
from .place import Place

# Where the copy of the audit log that was given is unpacked.
COPY = "exported-audit"


@dataclass(frozen=True)
class Prepared:
    """What was decided, and by what: see :func:`prepare`."""

    decisions: Decisions
    published: Publication | None
    log: LogRead | None
    people: Mapping[int, str]


def prepare(settings: Settings, place: Place, backup: Manifest, grants_file: Path, log_copy: Path | None) -> Prepared:
    """Decide on the grants, and leave in ``place.ready`` the audit log that is to go on, if another than the site's.

    :param log_copy: where the copy that lies in ``place.ready`` came from.
    :raises FabricError: the copy of the audit log cannot be used.
    """
    assert settings.catalogue is not None
    own = _own_log(audit_directory(settings.catalogue), backup)
    copy = _copy(place.ready / COPY, backup, log_copy) if log_copy else None
    _choose_log(place, backup, own, copy)
    best = own or copy
    if own and copy and copy.holds and copy.head.seq > own.head.seq:
        best = copy
    published = evidence.publication(grants_file)
    people = evidence.people(database_url(settings.catalogue))
    try:
        state = evidence.backup_state((place.ready / EXTRACT).read_bytes(), backup.at)
    except FileNotFoundError:
        return Prepared(Decisions(grants=(), retired=()), published, best, people)
    except ValueError as error:
        raise FabricError(texts.NO_BACKUP(directory=str(place.ready), cause=f"{EXTRACT}: {error}")) from error
    # of projects that were made after the backup, too
    changed = {one["project"]: str(one["account"]) for one in (best.projects if best else ()) if "account" in one}
    of_file = {name: project.account for name, project in settings.project.items()}
    accounts = {**state.accounts, **changed, **of_file}
    decisions = decide(state, accounts, published, best.evidence if best else None)
    return Prepared(decisions, published, best, people)


def _own_log(directory: Path, backup: Manifest) -> LogRead | None:
    """The site's own audit log, where it is whole and goes on from the backup's; None: it tells nothing."""
    try:
        found = evidence.audit_log(directory, backup.audit, whole=True)
    except (AuditLogBrokenError, OSError):
        return None
    return found if found.holds else None


def _copy(directory: Path, backup: Manifest, given: Path) -> LogRead:
    try:
        found = evidence.audit_log(directory, backup.audit, whole=False)
    except AuditLogBrokenError as error:
        raise FabricError(texts.LOG_UNUSABLE(directory=str(given), cause=error.message.removesuffix("."))) from error
    if found.head.seq >= backup.audit.seq and not found.holds:
        cause = f"record {backup.audit.seq} is not the backup's"
        raise FabricError(texts.LOG_UNUSABLE(directory=str(given), cause=cause))
    return found


def _choose_log(place: Place, backup: Manifest, own: LogRead | None, copy: LogRead | None) -> None:
    """The longest audit log that holds the backup's head goes on; the site's own stays where it is."""
    best = own.head.seq if own else -1
    if copy is not None and copy.holds and copy.head.seq > max(best, backup.audit.seq):
        shutil.rmtree(place.ready / AUDIT, ignore_errors=True)
        os.rename(place.ready / COPY, place.ready / AUDIT)
    elif own is not None:
        shutil.rmtree(place.ready / AUDIT, ignore_errors=True)


def finish(settings: Settings, prepared: Prepared, backup: Manifest, by: str) -> None:
    """Bring the catalogue that is in its place now up to what was decided, and put that on record first."""
    assert settings.catalogue is not None
    now = time.time()
    decisions, log = prepared.decisions, prepared.log
    held = decisions.of(Fate.SHUT)
    why = f"backup {backup.id}, of record {backup.audit.seq}; {len(held)} grants shut"
    entries = [
        Entry(event="restored", by=by, why=why),
        *(Entry(event="held", by=by, dataset=one.dataset, project=one.project, until=one.until) for one in held),
        *(Entry(event="retired", by=by, dataset=name, why="as newer sources say") for name in decisions.retired),
    ]
    engine = open_database(database_url(settings.catalogue), CATALOGUE)
    store, people = CatalogueStore(engine), PeopleStore(engine)
    try:
        people.restored(prepared.people, log.persons if log else 0)
        audit_log = AuditLog(audit_directory(settings.catalogue), people.numbers)
        audit_log.append(*entries)
        store.restored(
            Restored(
                serial=max(backup.serial, prepared.published.serial if prepared.published else 0),
                at=now,
                grants=decisions.of(Fate.KEPT),
                held=held,
                retired=decisions.retired,
                accepted=tuple(_accepted(log, people.names())) if log else (),
                ends=tuple(Revocation.model_validate(end.model_dump()) for end in log.ends) if log else (),
            )
        )
        InvitationStore(engine).withdraw_all(
            by, lambda told: audit_log.append(*told)
        )  # a backup does not know which are used up or withdrawn since
        if log:
            store.projects.replay(evidence.changes(log.projects, people.names()))
    finally:
        store.close()


def _accepted(log: LogRead, names: Mapping[int, str]) -> Iterator[Acceptance]:
    """The acceptances that a log has, with their users' names; whose number has none has to accept again."""
    for one in log.accepted:
        if one.person is None:
            yield one.acceptance
        elif one.person in names:
            yield one.acceptance.model_copy(update={"user": names[one.person]})
