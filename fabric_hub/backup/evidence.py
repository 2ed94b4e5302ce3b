"""What the newest sources say of grants: read from ``grants.json``, from an audit log, and from a backup's extract.

All of it is another account's or an older release's word: what is not as agreed counts as not there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric_hub.catalogue.audit.log import AuditLogBrokenError, Head
from fabric_hub.catalogue.audit.reading import Reading, seconds
from fabric_hub.catalogue.project_edits import EVENTS, Recorded
from fabric_hub.datasets.model import Acceptance, Access, Grant
from fabric_hub.messages.texts.audit import NONE_THERE
from fabric_hub.types import Frozen

from .grants import BackupState, LogEvidence, Publication, Said, Word

_LARGEST = 256 * 1024 * 1024  # bytes of a publication
_SAYS = {"granted": Said.GRANTED, "confirmed": Said.GRANTED, "revoked": Said.REVOKED, "held": Said.HELD}


class StrictEnd(Frozen):
    """A grant was revoked after the backup with the word that the jobs that had the dataset open end."""

    dataset: str
    project: str
    at: float


class LogRead(Frozen):
    """An audit log that was read to its end, each record checked.

    ``holds`` is whether the backup's head is one of its records; ``accepted``, ``ends`` and ``projects`` (the changes
    of projects) came after that head.
    """

    head: Head
    holds: bool
    evidence: LogEvidence
    accepted: tuple[Acceptance, ...] = ()
    ends: tuple[StrictEnd, ...] = ()
    projects: tuple[Recorded, ...] = ()


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
    accepted: dict[tuple[str, ...], Acceptance] = {}
    ends: dict[tuple[str, str], StrictEnd] = {}
    projects: list[Recorded] = []
    holds, last = backup.seq == 0, 0.0
    for record in reading.records():
        last = seconds(record["recorded"])
        if record["seq"] == backup.seq:
            holds = record["digest"] == backup.digest
        word = _word(record)
        if word is not None:
            words[word.grant.dataset, word.grant.project] = word
        if record["seq"] <= backup.seq:
            continue
        if (change := _change(record)) is not None:
            projects.append(change)
        dataset = record.get("dataset", "")
        if record["event"] in ("retired", "published") and (record["event"] == "published" or "version" not in record):
            retired[dataset] = record["event"] == "retired"
        if (one := _acceptance(record)) is not None:
            accepted[one.user, one.project, one.dataset, one.agreement] = one
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
    )


def _word(record: dict[str, Any]) -> Word | None:
    if record["event"] not in _SAYS or "node" in record or not record.get("dataset") or not record.get("project"):
        return None  # "revoked" with a node is what a node did
    fields = {"dataset": record["dataset"], "project": record["project"], "until": record.get("until")}
    try:
        grant = Grant.model_validate(
            {**fields, "by": record.get("by", "operator"), "at": seconds(record["time"])}, strict=False
        )
    except ValidationError:
        return None
    return Word(said=_SAYS[record["event"]], grant=grant)


def _change(record: dict[str, Any]) -> Recorded | None:
    """A change of a project that the catalogue keeps; None: the record is of something else."""
    if record["event"] not in EVENTS.values() or "project" not in record or "dataset" in record:
        return None
    try:
        fields = {name: record[name] for name in ("event", "project", "by", "user") if name in record}
        after = json.loads(record.get("after", "{}"))
        return Recorded.model_validate({**fields, "after": after, "at": seconds(record["time"])})
    except (ValueError, ValidationError):
        return None


def _acceptance(record: dict[str, Any]) -> Acceptance | None:
    if record["event"] != "accepted":
        return None
    try:
        return Acceptance.model_validate(
            {name: record[name] for name in ("user", "project", "dataset", "agreement", "purpose")}
            | {"at": seconds(record["time"])}
        )
    except (KeyError, ValidationError):
        return None
