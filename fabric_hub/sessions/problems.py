"""Problems that people report to the site's support, in the sessions' database; and the outbox of those to be sent.

A report is kept until it is sent, and after that for as long as the site says. It is sent once: whoever sends it says
so before the moment from which on it may have arrived (:meth:`ReportDesk.claim`); one whose fate is not known after
that, as after a crash, is never sent again by itself, and operators read that.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import Field

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import problems as texts
from fabric_hub.types import Frozen, matching

from .database import Transaction
from .tables import problem_reports

# Letters and digits of which none is read, or heard, as another; 8 of them are 39 bits.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE: Final = rf"FH-[{_ALPHABET}]{{4}}-[{_ALPHABET}]{{4}}"
LONGEST_WORDS: Final = 4000  # characters
LOG_LINES: Final = 80
LONGEST_LINE: Final = 400  # characters
LISTED_MOST: Final = 500
_HOUR_S = 3600.0
# Between two tries of one report: twice as long each time, until this.
_FIRST_RETRY_S, _LAST_RETRY_S = 30.0, 3600.0

Reference = Annotated[str, matching(REFERENCE)]
_Line = Annotated[str, Field(max_length=LONGEST_LINE)]
_Short = Annotated[str, Field(max_length=200)]
_Sentence = Annotated[str, Field(max_length=2000)]


class Facts(Frozen):
    """What the hub adds to what a person writes; shown to them before it is sent.

    ``page`` is a path without its query; ``status`` what HTTP says of it, where it is a page of an error. Of a session
    of theirs: its id, name, job, node, choices, how it ended, and the last lines of its log.
    """

    reference: Reference
    page: _Short = ""
    status: int | None = None
    session: _Short = ""
    session_name: _Short = ""
    job: int | None = None
    node: _Short = ""
    project: _Short = ""
    profile: _Short = ""
    image: _Short = ""
    image_build: _Short = ""
    end: _Sentence = ""
    hub: _Short = ""
    hub_version: _Short = ""
    browser: _Short = ""
    language: _Short = ""
    log: Annotated[tuple[_Line, ...], Field(max_length=LOG_LINES)] = ()


class ProblemReport(Frozen):
    """One report as it is sent: whose, when (Unix seconds), in their words, and :class:`Facts`."""

    user: str
    at: float
    words: Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS)]
    facts: Facts

    @property
    def reference(self) -> str:
        return self.facts.reference


class SendState(StrEnum):
    """``KEPT``: the site has no way to send, operators find it here. ``UNSURE``: it may or may not have arrived."""

    KEPT = "kept"
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNSURE = "unsure"


class KeptReport(Frozen):
    """A report and what became of it: how often it was tried, when it was sent, why not (English, of the last try)."""

    report: ProblemReport
    state: SendState
    tries: int = 0
    retry_at: float = 0.0
    sent_at: float | None = None
    trouble: str = ""


def new_reference() -> str:
    """A random reference that can be read out: ``FH-7K3Q-9M2P``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"FH-{letters[:4]}-{letters[4:]}"


def retry_after(tries: int) -> float:
    """Seconds until the next try after so many failed ones. Pure."""
    return float(min(_FIRST_RETRY_S * 2 ** min(tries - 1, 20), _LAST_RETRY_S)) if tries > 0 else 0.0


class ReportDesk:
    """Reports on record. It may be used from several threads and processes."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._clock = engine, clock

    def take(self, report: ProblemReport, *, send: bool, most_per_hour: int) -> ProblemReport:
        """Keep a report; the same one again (its reference) is the one that is kept already.

        :param send: whether the site has a way to send it.
        :returns: the report as it is kept.
        :raises FabricError: its person has reported too much, the reference is another person's, or the database
            cannot be used.
        """
        now, table = self._clock(), problem_reports
        try:
            with Transaction(self._engine) as connection:
                connection.execute(
                    sa.insert(table).values(
                        reference=report.reference,
                        user=report.user,
                        at=report.at,
                        report=report.model_dump(mode="json"),
                        state=SendState.WAITING if send else SendState.KEPT,
                        tries=0,
                        retry_at=now,
                    )
                )
                # the insertion holds the database: of many at one moment each counts those before it
                mine = (table.c.user == report.user, table.c.at > now - _HOUR_S)
                count = connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
                if count > most_per_hour:
                    raise FabricError(texts.TOO_MANY_REPORTS(n=most_per_hour))
        except sa.exc.IntegrityError:
            before = self.get(report.reference)
            if before is None or before.report.user != report.user:
                raise FabricError(texts.REPORT_AGAIN()) from None
            return before.report
        return report

    def get(self, reference: str) -> KeptReport | None:
        """One report; None: there is none of that reference.

        :raises FabricError: the database cannot be used.
        """
        query = sa.select(problem_reports).where(problem_reports.c.reference == reference)
        with Transaction(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return _kept(row) if row else None

    def newest(self, most: int = LISTED_MOST) -> tuple[KeptReport, ...]:
        """The reports on record, the newest first, at most so many.

        :raises FabricError: the database cannot be used.
        """
        query = sa.select(problem_reports).order_by(problem_reports.c.at.desc()).limit(most)
        with Transaction(self._engine) as connection:
            return tuple(map(_kept, connection.execute(query).mappings()))

    def due(self) -> ProblemReport | None:
        """The report that waits longest of those that are to be tried now.

        :raises FabricError: the database cannot be used.
        """
        table = problem_reports
        query = sa.select(table).where(table.c.state == SendState.WAITING, table.c.retry_at <= self._clock())
        with Transaction(self._engine) as connection:
            row = connection.execute(query.order_by(table.c.retry_at).limit(1)).mappings().first()
        return _kept(row).report if row else None

    def claim(self, reference: str) -> bool:
        """Say that from now on the report may have arrived; False: another process has said so, or it is gone.

        :raises FabricError: the database cannot be used; it must not be sent then.
        """
        return self._move(reference, SendState.WAITING, state=SendState.SENDING)

    def sent(self, reference: str) -> None:
        """It has arrived: where it was sent to has said so.

        :raises FabricError: the database cannot be used.
        """
        self._move(reference, SendState.SENDING, state=SendState.SENT, sent_at=self._clock(), trouble=None)

    def failed(self, reference: str, why: str) -> None:
        """It has certainly not arrived; it is tried again later.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            mine = problem_reports.c.reference == reference
            tries = connection.execute(sa.select(problem_reports.c.tries).where(mine)).scalar()
            if tries is None:
                return
            later = self._clock() + retry_after(tries + 1)
            told: dict[str, Any] = {"state": SendState.WAITING, "tries": tries + 1, "retry_at": later, "trouble": why}
            open_ = problem_reports.c.state.in_([SendState.WAITING, SendState.SENDING])
            connection.execute(sa.update(problem_reports).where(mine, open_).values(**told))

    def unsure(self, reference: str, why: str) -> None:
        """Nobody knows whether it has arrived: it is not sent again.

        :raises FabricError: the database cannot be used.
        """
        self._move(reference, SendState.SENDING, state=SendState.UNSURE, trouble=why)

    def take_up(self) -> int:
        """When the one process that sends begins: what an earlier one was just sending is unsure. How many are.

        :raises FabricError: the database cannot be used.
        """
        why = "the service ended while it was being sent"
        left = problem_reports.c.state == SendState.SENDING
        with Transaction(self._engine) as connection:
            done = connection.execute(
                sa.update(problem_reports).where(left).values(state=SendState.UNSURE, trouble=why)
            )
        return int(done.rowcount)

    def forget_before(self, at: float) -> int:
        """Remove the reports from before a moment, sent or not; how many.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            return int(connection.execute(sa.delete(problem_reports).where(problem_reports.c.at < at)).rowcount)

    def forget(self, user: str) -> None:
        """Remove what a person reported.

        :raises FabricError: the database cannot be used.
        """
        with Transaction(self._engine) as connection:
            connection.execute(sa.delete(problem_reports).where(problem_reports.c.user == user))

    def _move(self, reference: str, before: SendState, **values: Any) -> bool:
        mine = (problem_reports.c.reference == reference, problem_reports.c.state == before)
        with Transaction(self._engine) as connection:
            return bool(connection.execute(sa.update(problem_reports).where(*mine).values(**values)).rowcount)


def _kept(row: Any) -> KeptReport:
    return KeptReport(
        report=ProblemReport.model_validate(row["report"]),
        state=row["state"],
        tries=row["tries"],
        retry_at=row["retry_at"],
        sent_at=row["sent_at"],
        trouble=row["trouble"] or "",
    )
