"""What a hub's record of sessions and the gateway tell each other: which record knows of which session. Pure.

A record is written in *lines*. A process begins a new one with its first write, with a random identity; within a line a
generation counts the writes. So a record is the marks at which its lines ended, and its own one: what another
hub wrote, or what was written after a copy was made, is in none of them. The gateway keeps the mark under which each
session was submitted, and can tell whether a record can know of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from fabric_hub.types import Frozen, HubUser, SessionId, matching

IDENTITY = r"[0-9a-f]{32}"
LINES_MOST = 2000  # that a record may tell of
SESSIONS_MOST = 10_000  # that the gateway is asked about at once


_Name = Annotated[str, Field(max_length=255)]  # what the hub has on record, whatever that is


class RecordMark(Frozen):
    """A moment of a record: the line in which it was, and how many writes there were in all."""

    identity: Annotated[str, matching(IDENTITY)]
    generation: int = Field(ge=0)


class SessionFacts(Frozen):
    """What a hub needs to take up a session that it has no record of. No secret: of the token there are digests.

    ``token_digest`` is SHA-256 in hexadecimal; ``token_hash`` is JupyterHub's, salted, after the first letters by which
    it looks for it.
    """

    server_name: _Name = ""
    kind: Annotated[str, matching(r"[a-z]{1,10}")] = "slurm"
    project: _Name
    account: _Name
    profile: _Name
    image: _Name
    hours: float = Field(ge=0)
    datasets: tuple[_Name, ...] = Field(default=(), max_length=1000)
    gpus: int = Field(default=0, ge=0)
    created_at: float
    token_digest: Annotated[str, matching(r"[0-9a-f]{64}")] | None = None
    token_hash: Annotated[str, matching(r"\S{4} sha512:\d{1,6}:[0-9a-f]{1,64}:[0-9a-f]{128}")] | None = None


class Witness(Frozen):
    """What the gateway has kept of a session's submission: whose it is, and by which record; what of it is known."""

    session: SessionId
    user: HubUser
    mark: RecordMark | None = None
    facts: SessionFacts | None = None
    port: int | None = None


class RecordStatement(Frozen):
    """What a hub tells the gateway of its record, and which sessions it asks about.

    ``lines``: its own line first, then those before it, each at its end; none: it is only asked. ``held``: how many
    sessions it leaves alone.
    """

    lines: tuple[RecordMark, ...] = Field(default=(), max_length=LINES_MOST)
    sessions: tuple[SessionId, ...] = Field(default=(), max_length=SESSIONS_MOST)
    held: int | None = Field(default=None, ge=0)


class Witnessed(Frozen):
    """What the gateway has kept: of the sessions that it was asked about those that it submitted.

    ``began_at`` is since when it keeps all, in Unix seconds; ``seen`` the mark that a hub of this id told it last,
    before this question.
    """

    began_at: float
    seen: RecordMark | None = None
    sessions: tuple[Witness, ...] = ()


class PortNote(Frozen):
    """Where a session's server listens on its node."""

    user: HubUser
    port: int = Field(ge=1, le=65535)


class RecordStanding(StrEnum):
    """A record beside what the gateway was told last."""

    CURRENT = "current"
    OLDER = "older"
    OTHER = "other"


def has(lines: Iterable[RecordMark], mark: RecordMark) -> bool:
    """Whether a record has what was written up to a mark."""
    return any(line.identity == mark.identity and line.generation >= mark.generation for line in lines)


def standing_of(lines: Sequence[RecordMark], seen: RecordMark | None) -> RecordStanding:
    """Whether a record is what the gateway knows, an older copy of that, or another one.

    :param lines: of the record.
    :param seen: the mark that a hub of this id told the gateway last; None: none did.
    """
    if seen is None or has(lines, seen):
        return RecordStanding.CURRENT
    known = any(line.identity == seen.identity for line in lines)
    return RecordStanding.OLDER if known else RecordStanding.OTHER


def may_end(lines: Iterable[RecordMark], witness: Witness | None, submitted_at: float | None, began_at: float) -> bool:
    """Whether a job that bears a session's name, and of which a record has no row, is known to be nobody's.

    It is when the record must have had the session, or when the gateway keeps all that it submits since before the job
    was, and did not submit it: then its name is its owner's text. Everything else may be another record's.

    :param submitted_at: of the job, in Unix seconds, as Slurm tells it.
    :param began_at: see :class:`Witnessed`.
    """
    if witness is not None:
        return witness.mark is not None and has(lines, witness.mark)
    return submitted_at is not None and submitted_at > began_at
