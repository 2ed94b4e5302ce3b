"""What the gateway reads on demand, not on a timer: accounting from Slurm's database, and users' storage quotas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from ..errors import FabricError, SlurmUnavailableError
from ..quota_settings import StorageSettings
from . import command, storage
from .accounting import LONGEST_WINDOW_S, Accounting, PastJob
from .accounts import Account
from .questions import SilentError
from .storage import NoQuotaError, StorageAnswer, StorageQuota

# Who asks again within this time gets the same answer.
_HOLDS_S = 30.0


class AsksAccounting(Protocol):
    async def accounting(self, start: float, end: float) -> tuple[PastJob, ...]: ...


def check_window(start: float, end: float) -> None:
    """Refuse a window that is too long, or empty.

    :raises FabricError: (422) how long it may be.
    """
    if not 0 < end - start <= LONGEST_WINDOW_S:
        raise FabricError(
            f"A window of accounting is at most {LONGEST_WINDOW_S / 86400:g} days long.",
            reason="malformed",
            hint="Ask day by day.",
            status=422,
        )


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
        check_window(start, end)
        async with self._one:
            at = time.time()
            try:
                return Accounting(start=start, end=end, at=at, jobs=await self._asks.accounting(start, end))
            except SilentError as error:
                raise SlurmUnavailableError(f"Slurm's accounting is not known now: {error}.") from None


class StorageDesk:
    """Asks the tools that a site names, one after another, each with a time limit: a hung file system holds up nobody
    but its own user.

    A user's own quota is asked as that user; a project's, which takes more than that, as the gateway, through whatever
    the site's file says (``quotas.storage.program``).
    """

    def __init__(self, sources: Sequence[StorageSettings], timeout_s: float) -> None:
        self._sources = sources
        self._timeout_s = timeout_s
        self._known: dict[int, StorageAnswer] = {}

    async def read(self, account: Account) -> StorageAnswer:
        """The quotas of an account; what a tool does not tell has a ``problem`` instead."""
        now = time.time()
        self._known = {uid: answer for uid, answer in self._known.items() if now - answer.at < _HOLDS_S}
        if account.uid not in self._known:
            told = [await self._ask(source, account) for source in self._sources]
            self._known[account.uid] = StorageAnswer(at=now, quotas=tuple(told))
        return self._known[account.uid]

    async def _ask(self, source: StorageSettings, account: Account) -> StorageQuota:
        argv = storage.argv(source, account.name, account.uid)
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/"}
        whom = None if source.kind == "project" else account
        try:
            done = await command.run(argv, env=env, timeout_s=self._timeout_s, account=whom, max_output=1 << 16)
        except command.TimedOutError as error:
            return storage.unknown(source, f"{source.path} did not answer within {error.limit_s:g} s")
        except (OSError, command.TooMuchOutputError) as error:
            return storage.unknown(source, f"{argv[0]} cannot be used: {error}")
        try:
            return storage.parse(done.stdout.decode("utf-8", "replace"), source, done.returncode)
        except NoQuotaError as error:
            said = done.words.splitlines()
            return storage.unknown(source, f"{error}: {said[0][:200]}" if said else str(error))
