"""Reading the audit log: every record is checked on its way out, whatever its size, without holding it in memory."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from fabric_hub.messages.texts import audit as texts
from fabric_hub.types import Frozen

from .log import LONGEST, AuditLogBrokenError, Head, files, locked, opened, read_head

# Where `closed` never came (a node that was lost): how long after the longest session a use counts as ended.
GRACE_S = 86400.0
# A job that was not started by the hub may have any length that Slurm allows; this is what is assumed of it.
LONGEST_JOB_S = 7 * 86400.0


class Reading:
    """One pass over the audit log of a directory, from its first record to its head.

    After the pass: ``last`` is where the checked part ends, ``unfinished`` the bytes after the head (the catalogue
    service was killed in the middle of a write; its next append takes in or cuts off what is there).

    :param noted: a head noted elsewhere before; the pass fails when the audit log does not hold just that record.
    """

    def __init__(self, directory: Path, noted: Head | None = None) -> None:
        self.directory = directory
        self.last = Head()
        self.unfinished = 0
        self._noted = noted

    def records(self) -> Iterator[dict[str, Any]]:
        """The records in order.

        :raises AuditLogBrokenError: at the first wrong one, named by number, file and line.
        """
        if not self.directory.is_dir():
            if self._noted and self._noted.seq:
                raise AuditLogBrokenError(texts.NONE_THERE(path=str(self.directory)))
            return
        # What stands before this head is final. Writers go on meanwhile, as a long audit log takes minutes.
        yield from self._up_to(read_head(self.directory))
        with locked(self.directory, fcntl.LOCK_SH):
            head = read_head(self.directory)
            sizes = {path.name: path.stat().st_size for path in files(self.directory)}
        yield from self._up_to(head)
        self.unfinished = sum(
            size - (head.size if name == head.file else 0) for name, size in sizes.items() if name >= head.file
        )
        if self._noted and self._noted.seq > self.last.seq:
            raise AuditLogBrokenError(
                texts.NOTED_MISSING(last=self.last.seq, next=self.last.seq + 1, noted=self._noted.seq)
            )

    def _up_to(self, head: Head) -> Iterator[dict[str, Any]]:
        for path in files(self.directory):
            if path.name < self.last.file or path.name > head.file:
                continue
            yield from self._of(path, head)
        if self.last.seq < head.seq:
            raise AuditLogBrokenError(texts.RECORD_MISSING(next=self.last.seq + 1, number=head.seq))
        if self.last != head:
            raise AuditLogBrokenError(texts.NOT_THE_HEADS(number=self.last.seq))

    def _of(self, path: Path, head: Head) -> Iterator[dict[str, Any]]:
        number = 0
        with path.open("rb") as file:
            if path.name == self.last.file:
                file.seek(self.last.size)
                offset = self.last.size
            else:
                offset = 0
            while path.name != head.file or offset < head.size:
                line = file.readline(LONGEST)
                if not line:
                    break
                number += 1
                record, wrong = opened(line, self.last.seq + 1, self.last.digest)
                if not wrong and self._noted and self._noted.seq == record["seq"]:
                    wrong = None if record["digest"] == self._noted.digest else texts.NOT_THE_NOTED()
                if wrong:
                    place = {"number": self.last.seq + 1, "file": path.name, "offset": offset}
                    if path.name == self.last.file:
                        raise AuditLogBrokenError(texts.RECORD_WRONG(**place, wrong=wrong))
                    raise AuditLogBrokenError(texts.RECORD_WRONG_AT_LINE(**place, wrong=wrong, line=number))
                offset += len(line)
                self.last = Head(seq=record["seq"], digest=record["digest"], file=path.name, size=offset)
                yield record


def verify(directory: Path, noted: Head | None = None) -> Reading:
    """Check the whole audit log.

    :raises AuditLogBrokenError: it names the first wrong record.
    """
    reading = Reading(directory, noted)
    for _ in reading.records():
        pass
    return reading


class Use(Frozen):
    """One use of a dataset: by whom, for what, of which state of it, where, and how long (Unix seconds)."""

    user: str | None
    person: int | None
    responsible: tuple[str, ...]
    project: str | None
    purpose: str | None
    dataset: str
    version: str | None
    sha256: str | None
    node: str
    job: int
    uid: int | None
    start: float
    end: float | None
    ended: Literal["closed", "revoked", "assumed", "open"]

    @property
    def digest(self) -> str:
        """What was used: NAME@sha256:DIGEST."""
        return f"{self.dataset}@sha256:{self.sha256 or '?'}"


def seconds(moment: str) -> float:
    """A time of the audit log in Unix seconds."""
    return datetime.fromisoformat(moment).timestamp()


def uses(records: Iterable[dict[str, Any]], dataset: str, longest_s: float, now: float) -> list[Use]:
    """The uses of a dataset, in order of their start. Pure.

    A use begins with ``opened`` and ends with the first ``closed`` or ``revoked`` of the same job, uid and dataset on
    the same node. Where neither came, it is ``open`` until ``longest_s`` after its start; then its end is assumed
    there: no job lasts longer. An event that came twice (same ``source``) counts once.

    :param records: with names: :func:`fabric_hub.catalogue.audit.log.named`.
    :param now: Unix seconds.
    """
    told: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    seen: set[str] = set()
    for record in records:
        if record.get("dataset") != dataset or record["event"] not in ("opened", "closed", "revoked"):
            continue
        if "node" not in record:  # an operator revoked a grant; what follows on the nodes they tell themselves
            continue
        source = record.get("source")
        if source in seen:
            continue
        if source:
            seen.add(source)
        told.setdefault((record["node"], record["job"], record["uid"]), []).append(record)
    found = []
    for events in told.values():
        begun: dict[str, Any] | None = None
        # a node that could not reach the catalogue service told later, and not in order
        for event in sorted(events, key=lambda one: (one["time"], one["event"] == "opened")):
            if event["event"] == "opened":
                begun = begun or event
            elif begun:
                found.append(_use(begun, seconds(event["time"]), event["event"]))
                begun = None
        if begun:
            latest = seconds(begun["time"]) + longest_s
            found.append(_use(begun, None, "open") if now < latest else _use(begun, latest, "assumed"))
    return sorted(found, key=lambda use: (use.start, use.node, use.job))


def _use(begun: dict[str, Any], end: float | None, ended: str) -> Use:
    names = ("user", "person", "project", "purpose", "dataset", "version", "sha256", "node", "job", "uid")
    fields = {name: begun.get(name) for name in names}
    responsible = tuple(begun.get("responsible", ()))
    return Use.model_validate(
        {**fields, "responsible": responsible, "start": seconds(begun["time"]), "end": end, "ended": ended}
    )
