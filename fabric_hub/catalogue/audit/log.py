"""The audit log: the one append-only, hash-chained log of every event that somebody may have to prove later.

After NEN 7513 (what, when, on which client, who, who is responsible). One JSON object on a line, files by
month. Every record holds its number, the digest of the record before it, and its own digest: SHA-256 of
the record without ``digest`` in canonical form (RFC 8785; there are no fractions in it). ``head.json``
names the last record that was written completely. What this proves and what not: docs/explanation/audit-log.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.datasets.model import Digest, Line, VersionName
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import audit as texts
from fabric_hub.types import Frozen, HubUser, Slug, SlurmName

ZERO = "0" * 64  # the digest "before" the first record
LONGEST = 65536  # bytes of one record with its line end; our own have a few hundred
HEAD = "head.json"
# A host's name as Slurm has it (slurmd -N): also what follows it in an event's file name.
NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", strict=True)]
# Facts as JSON on one line: an entry itself stays flat, as its digest needs it.
Facts = Annotated[str, StringConstraints(max_length=20000, pattern=r"^[^\x00-\x1f\x7f]*$", strict=True)]


class Entry(Frozen):
    """One event. Only what is known is written.

    ``user`` did it or it was done for, ``by`` is who decided (an operator), ``responsible`` are the owners of the
    project. ``at`` is when it happened, Unix seconds; None is now. ``source`` names the message it came in.
    ``before`` and ``after`` are what a change of a project made of what (JSON); of a refusal ``after`` is what was
    asked for.
    """

    event: Slug
    at: float | None = None
    user: HubUser | None = None
    responsible: tuple[HubUser, ...] = ()
    by: Line | None = None
    project: Slug | None = None
    account: SlurmName | None = None
    purpose: Slug | None = None
    dataset: Slug | None = None
    version: VersionName | None = None
    sha256: Digest | None = None
    agreement: VersionName | None = None
    until: date | None = None
    node: NodeName | None = None
    job: int | None = None
    uid: int | None = None
    why: Line | None = None
    source: Line | None = None
    before: Facts | None = None
    after: Facts | None = None


class Head(Frozen):
    """The last complete record: its number and digest, and where the file that holds it ends after it."""

    format: int = 1
    seq: int = Field(default=0, ge=0)
    digest: Digest = ZERO
    file: Annotated[str, Field(pattern=r"^(?:[0-9]{4}-[0-9]{2}\.jsonl)?$")] = ""
    size: int = Field(default=0, ge=0)


class AuditLogBrokenError(FabricError):
    """The audit log is not what was written: something was changed, removed or put in."""

    def __init__(self, message: Text) -> None:
        super().__init__(message, hint=texts.KEEP_FILES())


def audit_directory(datasets: CatalogueSettings) -> Path:
    """Where a site's audit log is."""
    before = datasets.state_dir / "trail"  # as earlier releases called it: what is there goes on there
    return before if before.is_dir() else datasets.state_dir / "audit"


def canonical(record: Any) -> bytes:
    """A record as RFC 8785 (JSON Canonicalization Scheme) writes it: its keys are ASCII, its numbers whole."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def moment(at: float) -> str:
    """Unix seconds as RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seal(entry: Entry, seq: int, prev: str, now: float) -> tuple[bytes, str]:
    """The line of a record, and its digest."""
    fields = entry.model_dump(mode="json", exclude_none=True, exclude={"at"})
    if not entry.responsible:
        del fields["responsible"]
    record: dict[str, Any] = {
        **fields,
        "time": moment(now if entry.at is None else entry.at),
        "recorded": moment(now),
        "seq": seq,
        "prev": prev,
    }
    digest = hashlib.sha256(canonical(record)).hexdigest()
    return canonical({**record, "digest": digest}) + b"\n", digest


def opened(line: bytes, seq: int, prev: str) -> tuple[dict[str, Any], Text | None]:
    """The record in a line that must be number ``seq`` and follow the one with the digest ``prev``.

    :returns: the record; and what is wrong with it, if anything.
    """
    if not line.endswith(b"\n"):
        return {}, texts.NO_END()
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or canonical(record) != line[:-1]:
            return {}, texts.NOT_CANONICAL()
        # the record without its digest, in canonical form: the line without that field (nothing is nested)
        content = line[:-1].replace(b'"digest":%b,' % canonical(record.get("digest")), b"", 1)
    except (ValueError, RecursionError):
        return {}, texts.NOT_JSON()
    if record.get("digest") != hashlib.sha256(content).hexdigest():
        return record, texts.CHANGED()
    if record.get("seq") != seq or isinstance(record.get("seq"), bool):
        return record, texts.OTHER_NUMBER(found=str(record.get("seq")))
    if record.get("prev") != prev:
        return record, texts.NOT_FOLLOWING()
    return record, None


def files(directory: Path) -> list[Path]:
    """The files of records, oldest first."""
    return sorted(directory.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))


def read_head(directory: Path) -> Head:
    """The head of an audit log.

    :raises AuditLogBrokenError: there is none beside its records, or it is no head.
    """
    try:
        return Head.model_validate_json((directory / HEAD).read_bytes())
    except FileNotFoundError:
        if files(directory):
            raise AuditLogBrokenError(texts.NO_HEAD(path=str(directory), head=HEAD)) from None
        return Head()
    except ValidationError:
        raise AuditLogBrokenError(texts.NOT_A_HEAD(path=str(directory / HEAD))) from None


@contextlib.contextmanager
def locked(directory: Path, how: int) -> Iterator[int]:
    """Hold the audit log's lock (``fcntl.LOCK_EX`` to write); it is the directory's, and leaves no file."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, how)
        yield handle
    finally:
        os.close(handle)


class AuditLog:
    """Appends to the audit log in a directory, which is made when it is missing. Several processes may.

    An append is complete, and on the disk, when it returns. One that was cut short (a crash, a full disk)
    is finished or undone by the next.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def append(self, *entries: Entry) -> Head:
        """Write events, in this order, all of them or none.

        :raises FabricError: they cannot be written; or (AuditLogBrokenError) the audit log ends before its head.
        """
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            with locked(self.directory, fcntl.LOCK_EX) as handle:
                if not (self.directory / HEAD).exists():
                    self._set_head(read_head(self.directory))
                head, cut = self._heal(read_head(self.directory))
                return self._write(handle, head, [*cut, *entries])
        except OSError as error:
            raise FabricError(texts.UNWRITABLE(path=str(self.directory), why=str(error.strerror or error))) from error

    def _write(self, handle: int, head: Head, entries: Sequence[Entry]) -> Head:
        if not entries:
            return head
        now, seq, digest, lines = time.time(), head.seq, head.digest, []
        for entry in entries:
            seq += 1
            line, digest = seal(entry, seq, digest, now)
            lines.append(line)
        # a clock that was set back never leads back into an older file
        name = max(f"{moment(now)[:7]}.jsonl", head.file)
        size = head.size if name == head.file else 0
        content = b"".join(lines)
        with open(
            self.directory / name, "ab", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            try:
                if file.write(content) != len(content):
                    raise OSError(None, "the disk is full")
                os.fsync(file.fileno())
                if not size:
                    os.fsync(handle)  # the records' file is there before a head names it
                new = Head(seq=seq, digest=digest, file=name, size=size + len(content))
                self._set_head(new)
            except OSError:
                # also where only the head found no room: whoever asks is refused, so no record may say that it was done
                with contextlib.suppress(OSError):
                    file.truncate(size)
                raise
        return new

    def _set_head(self, head: Head) -> None:
        fresh = self.directory / f".{HEAD}"
        with open(fresh, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(head.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # Whether the new name is on the disk does not matter: what stands after an older head is taken in.
        fresh.replace(self.directory / HEAD)

    def _heal(self, head: Head) -> tuple[Head, list[Entry]]:
        """Take in what was written completely after the head, and cut off the rest; the cut is itself an event."""
        if head.file:
            found = _size(self.directory / head.file)
            if found < head.size:
                raise AuditLogBrokenError(
                    texts.ENDS_EARLY(number=head.seq, file=head.file, found=found, size=head.size)
                )
        cut, gone = 0, hashlib.sha256()
        old = head
        for path in files(self.directory):
            start = head.size if path.name == head.file else 0
            if path.name < head.file or _size(path) == start:
                continue
            with path.open("r+b") as file:
                file.seek(start)
                for line in file:
                    record, wrong = opened(line, head.seq + 1, head.digest)
                    if wrong or cut:
                        cut += len(line)
                        gone.update(line)
                        continue
                    start += len(line)
                    head = Head(seq=head.seq + 1, digest=record["digest"], file=path.name, size=start)
                file.truncate(start)
                os.fsync(file.fileno())
        if head != old:
            self._set_head(head)
        if not cut:
            return head, []
        words = f"an unfinished write of {cut} bytes was cut off (SHA-256 {gone.hexdigest()})"
        return head, [Entry(event="healed", why=words)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
