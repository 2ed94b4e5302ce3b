"""What the gateway reads on demand, not on a timer: accounting from Slurm's database."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from ..errors import FabricError, SlurmUnavailableError
from .accounting import LONGEST_WINDOW_S, Accounting, PastJob
from .questions import SilentError


class AsksAccounting(Protocol):
    async def accounting(self, start: float, end: float) -> tuple[PastJob, ...]: ...


class AccountingDesk:
    """Asks Slurm's database for one window at a time, whoever wants it."""

    def __init__(self, asks: AsksAccounting) -> None:
        self._asks = asks
        self._one = asyncio.Lock()

    async def read(self, start: float, end: float) -> Accounting:
        """The jobs that ran between two moments (Unix seconds).

        :raises FabricError: (422) the window is too long, or empty.
        :raises SlurmUnavailableError: the database does not answer.
        """
        if not 0 < end - start <= LONGEST_WINDOW_S:
            raise FabricError(
                f"A window of accounting is at most {LONGEST_WINDOW_S / 86400:g} days long.",
                reason="malformed",
                hint="Ask day by day.",
                status=422,
            )
        async with self._one:
            at = time.time()
            try:
                return Accounting(start=start, end=end, at=at, jobs=await self._asks.accounting(start, end))
            except SilentError as error:
                raise SlurmUnavailableError(f"Slurm's accounting is not known now: {error}.") from None
