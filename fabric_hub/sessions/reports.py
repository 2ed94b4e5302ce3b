"""What running sessions last said of themselves, for the pages of those whose they are.

It is each session's own word: the service writes it down, the hub shows it as such. Nothing is decided by it but
whether a person is asked before they stop the session.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from fabric_hub.types import Frozen

from .database import Transaction
from .tables import session_reports, sessions

# A session reports about once a minute; what it said longer ago says nothing of now.
FRESH_S = 150.0


class SessionReport(Frozen):
    """``at`` is when the hub heard it, in Unix seconds; None of the others: the session does not know.

    ``kernels_busy`` are kernels that run a cell, ``unsaved`` documents with changes that are in no file, in all open
    tabs; ``others_busy`` says whether a terminal printed or a Dask cluster worked since the report before, and
    ``gpu_percent`` is the highest use of each GPU since then.
    """

    at: float
    kernels_busy: int | None = None
    others_busy: bool | None = None
    unsaved: int | None = None
    gpu_percent: tuple[float, ...] | None = None

    def fresh(self, now: float) -> bool:
        """Whether it still says something of now."""
        return now - self.at <= FRESH_S


class ReportBook:
    """The last report of each live session, in the sessions' database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def write(self, session: str, report: SessionReport) -> float | None:
        """Put a session's report in the place of the one before.

        :returns: when the one before was heard, in Unix seconds; None: there was none.
        :raises FabricError: the database cannot be used.
        """
        percent = None if report.gpu_percent is None else json.dumps(report.gpu_percent)
        values = {**report.model_dump(exclude={"gpu_percent"}), "gpu_percent": percent}
        with Transaction(self._engine) as connection:
            mine = session_reports.c.session == session
            before = connection.execute(sa.select(session_reports.c.at).where(mine)).scalar()
            if not connection.execute(sa.update(session_reports).where(mine).values(**values)).rowcount:
                ended = sa.select(sessions.c.id).where(sessions.c.ended_at.is_not(None))
                connection.execute(sa.delete(session_reports).where(session_reports.c.session.in_(ended)))
                connection.execute(sa.insert(session_reports).values(session=session, **values))
        return before

    def of(self, session_ids: Iterable[str]) -> dict[str, SessionReport]:
        """The last reports of these sessions, by session; those that never reported are left out.

        :raises FabricError: the database cannot be used.
        """
        wanted = list(session_ids)
        if not wanted:
            return {}
        query = sa.select(session_reports).where(session_reports.c.session.in_(wanted))
        with Transaction(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return {
            row["session"]: SessionReport(
                at=row["at"],
                kernels_busy=row["kernels_busy"],
                others_busy=row["others_busy"],
                unsaved=row["unsaved"],
                gpu_percent=None if row["gpu_percent"] is None else tuple(json.loads(row["gpu_percent"])),
            )
            for row in rows
        }
