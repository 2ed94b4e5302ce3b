"""What the newest sources say of grants: read from ``grants.json``, from an audit log, and from a backup's extract.

All of it is another account's or an older release's word: what is not as agreed counts as not there.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from fabric_hub.catalogue.audit.log import AuditLogBrokenError, Head, named, persons_in
from fabric_hub.catalogue.audit.reading import Reading, seconds
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.project_edits import OF_PROJECT, Recorded
from fabric_hub.datasets.model import Acceptance, Access, Grant
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts.audit import NONE_THERE
from fabric_hub.types import Frozen

from .grants import BackupState, LogEvidence, Publication, Said, Word

log = logging.getLogger(__name__)

UNNAMED = "_"  # the user of an acceptance until their number has a name
_LARGEST = 256 * 1024 * 1024  # bytes of a publication
_SAYS = {"granted": Said.GRANTED, "confirmed": Said.GRANTED, "revoked": Said.REVOKED, "held": Said.HELD}


class StrictEnd(Frozen):
    """A grant was revoked after the backup with the word that the jobs that had the dataset open end."""

    dataset: str
    project: str
    at: float


class Accepted(Frozen):
    """An acceptance in an audit log; ``person`` is whose, where it has a number and no name."""

    acceptance: Acceptance
    person: int | None = None


class LogRead(Frozen):
    """An audit log that was read to its end, each record checked.

    ``holds`` is whether the backup's head is one of its records; ``accepted``, ``ends`` and ``projects`` (the records
    of changes of projects, with people as numbers) came after that head. ``persons`` is the highest number of a person.
    """

    head: Head
    holds: bool
    evidence: LogEvidence
    accepted: tuple[Accepted, ...] = ()
    ends: tuple[StrictEnd, ...] = ()
    projects: tuple[dict[str, Any], ...] = ()
    persons: int = 0


def publication(path: Path) -> Publication | None:
    """What stands in a published ``grants.json``; None: there is none that can be used."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            content = json.loads(file.read(_LARGEST))
        listed = [
            (dataset, entry["account"])
            for dataset, entries in content["grants"].items()
            for entry in entries
            if entry["account"] is not None and entry["uids"]
        ]
        offered = {name: Access(entry["access"]) for name, entry in content["datasets"].items()}
        return Publication(at=content["written"], serial=content["serial"], listed=tuple(listed), offered=offered)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def backup_state(extract: bytes, at: float) -> BackupState:
    """What a backup's catalogue has.

    :raises ValueError: it is no extract of one.
    """
    content = json.loads(extract)
    access = {
        name: Access(entry["access"]) for name, entry in content["datasets"].items() if entry["access"] is not None
    }
    offered = frozenset(name for name, entry in content["datasets"].items() if entry["offered"])
    # a draft may have no access yet: nobody can use it, and grants of it are as of data that is not public
    drafts = {name: Access.NON_PUBLIC for name, entry in content["datasets"].items() if entry["access"] is None}
    return BackupState(
        at=at,
        grants=tuple(Grant.model_validate(grant, strict=False) for grant in content["grants"]),
        access={**access, **drafts},
        offered=offered,
        accounts=content.get("projects", {}),  # a backup of an earlier release has none
    )


def audit_log(directory: Path, backup: Head, *, whole: bool) -> LogRead:
    """Read an audit log.

    :param backup: the head of the backup's own; its records must be the first of this one's for ``holds``.
    :param whole: whether it is the site's own, which its head ends.
    :raises AuditLogBrokenError: a record is wrong, or missing.
    """
    if not (directory / "head.json").is_file():
        raise AuditLogBrokenError(NONE_THERE(path=str(directory)))
    reading = Reading(directory)
    words: dict[tuple[str, str], Word] = {}
    retired: dict[str, bool] = {}
    accepted: dict[tuple[str, ...], Accepted] = {}
    ends: dict[tuple[str, str], StrictEnd] = {}
    projects: list[dict[str, Any]] = []
    holds, last, persons = backup.seq == 0, 0.0, 0
    for record in reading.records():
        last = seconds(record["recorded"])
        persons = max([persons, *persons_in(record)])
        if record["seq"] == backup.seq:
            holds = record["digest"] == backup.digest
        word = _word(record)
        if word is not None:
            words[word.grant.dataset, word.grant.project] = word
        if record["seq"] <= backup.seq:
            continue
        if _is_change(record):
            projects.append(record)
        dataset = record.get("dataset", "")
        if record["event"] in ("retired", "published") and (record["event"] == "published" or "version" not in record):
            retired[dataset] = record["event"] == "retired"
        if (one := _acceptance(record)) is not None:
            what = one.acceptance
            accepted[str(one.person), what.user, what.project, what.dataset, what.agreement] = one
        if word is not None and word.said is Said.REVOKED and str(record.get("why", "")).startswith("strict"):
            pair = word.grant.dataset, word.grant.project
            ends[pair] = StrictEnd(dataset=pair[0], project=pair[1], at=word.at)
    evidence = LogEvidence(
        at=last,
        whole=whole,
        words=tuple(words.values()),
        retired=frozenset(name for name, out in retired.items() if out),
    )
    return LogRead(
        head=reading.last,
        holds=holds,
        evidence=evidence,
        accepted=tuple(accepted.values()),
        ends=tuple(ends.values()),
        projects=tuple(projects),
        persons=persons,
    )


def people(database: str) -> dict[int, str]:
    """Who the site's catalogue, as it is before the restore, calls whom by number; nobody where it cannot be read."""
    url = sa.make_url(database)
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        return {}
    engine = sa.create_engine(url)
    try:
        return PeopleStore(engine).names()
    except (FabricError, sa.exc.SQLAlchemyError):
        return {}
    finally:
        engine.dispose()


def _word(record: dict[str, Any]) -> Word | None:
    if record["event"] not in _SAYS or "node" in record or not record.get("dataset") or not record.get("project"):
        return None  # "revoked" with a node is what a node did
    fields = {"dataset": record["dataset"], "project": record["project"], "until": record.get("until")}
    try:
        grant = Grant.model_validate({**fields, "by": _decider(record), "at": seconds(record["time"])}, strict=False)
    except ValidationError:
        return None
    return Word(said=_SAYS[record["event"]], grant=grant)


def changes(records: Iterable[dict[str, Any]], names: Mapping[int, str]) -> Iterator[Recorded]:
    """The changes of projects that records have; one of a person whose number has no name any more is left out.

    :param names: of people, by their number.
    """
    for record in records:
        about = named(record, names)
        fields = {name: about[name] for name in ("event", "project", "by", "user") if name in about}
        try:
            after = json.loads(about.get("after", "{}"))
            yield Recorded.model_validate({**fields, "after": after, "at": seconds(about["time"])})
        except (ValueError, ValidationError):
            log.exception("record %s cannot be understood, and its change of a project is left out", record.get("seq"))


def _is_change(record: dict[str, Any]) -> bool:
    """Whether a record is of a change of a project that the catalogue keeps."""
    return record["event"] in OF_PROJECT and "project" in record and "dataset" not in record


def _decider(record: dict[str, Any]) -> str:
    """Who decided, as a grant has it: without a name where the record has a person's number."""
    return "operator" if record.get("by") in (None, "account") else str(record["by"])


def _acceptance(record: dict[str, Any]) -> Accepted | None:
    if record["event"] != "accepted":
        return None
    try:
        acceptance = Acceptance.model_validate(
            {name: record[name] for name in ("project", "dataset", "agreement", "purpose")}
            | {"user": record.get("user", UNNAMED), "at": seconds(record["time"])}
        )
        return Accepted(acceptance=acceptance, person=None if "user" in record else record["person"])
    except (KeyError, ValidationError):
        return None
