"""What the gateway reads on demand, not on a timer: accounting from Slurm's database, and users' storage quotas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from fabric_hub.config.quotas import StorageSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import sentences
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts import storage as of_storage
from fabric_hub.slurm import storage
from fabric_hub.slurm.accounting import LONGEST_WINDOW_S, Accounting, PastJob, below, sharing
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.storage import NoQuotaError, StorageAnswer, StorageQuota
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account

from .queries import UnavailableError

# Who asks again within this time gets the same answer.
_HOLDS_S = 30.0
# Questions to one file system at the same time: enough that a slow one is asked for many, and a hung one keeps few.
_AT_ONCE = 4
# A file system that so many users waited for in vain hangs: it is tried again after this time.
_HANGS_FOR = 2
_AGAIN_S = 300.0
_PROJID = Path("/etc/projid")
# How long numbers are told, with their time, of a file system that does not answer any more.
_OLD_S = 3600.0

# As whom (None: as the gateway) a tool is run, and its arguments.
_Key = tuple[int | str | None, ...]
# One start at a time for each of those: starts of Slurm's clients for the same account must find a place.
_Starting = WeakValueDictionary[int | None, asyncio.Lock]


class AsksAccounting(Protocol):
    async def accounting(
        self, start: float, end: float, accounts: Sequence[str], services: Sequence[str] = ()
    ) -> tuple[PastJob, ...]: ...


class ReadsLimits(Protocol):
    async def read(self) -> Limits: ...


def check_window(start: float, end: float) -> None:
    """Refuse a window that is too long, or empty.

    :raises FabricError: (422) how long it may be.
    """
    if not 0 < end - start <= LONGEST_WINDOW_S:
        raise FabricError(texts.WINDOW_TOO_LONG(n=LONGEST_WINDOW_S / 86400))


class AccountingReader:
    """Asks Slurm's database for one window at a time, whoever wants it, of the site's accounts, those below them, and
    those that share a budget with them.

    :param accounts: those of projects, as they are when it is called.
    """

    def __init__(self, asks: AsksAccounting, limits: ReadsLimits, accounts: Callable[[], Collection[str]]) -> None:
        self._asks, self._limits, self._accounts = asks, limits, accounts
        self._one = asyncio.Lock()

    async def read(self, start: float, end: float) -> Accounting:
        """The jobs that ran between two moments (Unix seconds).

        :raises FabricError: (422) the window is too long, or empty.
        :raises SlurmUnavailableError: the database does not answer, or slurmctld never told the accounts.
        """
        check_window(start, end)
        async with self._one:
            limits = await self._limits.read()
            if limits.at is None:
                raise SlurmUnavailableError(sentences(texts.ACCOUNTS_NOT_KNOWN(), limits.problem))
            ours, at = frozenset(self._accounts()), time.time()
            under, (wanted, services) = below(limits, ours), sharing(limits, ours)
            try:
                jobs = await self._asks.accounting(start, end, sorted(wanted), sorted(services))
            except UnavailableError as error:
                raise SlurmUnavailableError(sentences(texts.ACCOUNTING_NOT_KNOWN(), error.text)) from None
            return Accounting(start=start, end=end, at=at, jobs=jobs, below=under)


class Availability:
    """Whether a file system hangs for everybody, so that others are not made to wait for it.

    One user alone proves nothing: who runs a tool may stop it. Two in a row, without an answer between, do.
    """

    def __init__(self) -> None:
        self._waited: set[int] = set()
        self.until = 0.0

    def may_ask(self, now: float) -> bool:
        """Whether to ask now; of a file system that hangs, one asks when it is time, and the others go on without."""
        if len(self._waited) < _HANGS_FOR:
            return True
        if now < self.until:
            return False
        self.until = now + _AGAIN_S
        return True

    def timed_out(self, uid: int, now: float) -> None:
        self._waited.add(uid)
        self.until = now + _AGAIN_S

    def answered(self) -> None:
        self._waited.clear()


class _FileSystem:
    """One tool of the site's file: asked by a few at once, each question once for all who have it."""

    def __init__(self, source: StorageSettings, starting: _Starting) -> None:
        self.source = source
        self._starting = starting
        self._availability = Availability()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._told: dict[_Key, tuple[float, StorageQuota]] = {}  # what was said last, numbers or not, and when
        self._numbers: dict[_Key, StorageQuota] = {}
        self._asking: dict[_Key, asyncio.Task[StorageQuota]] = {}

    async def read(self, account: Account, project: str, slurm_account: str) -> StorageQuota:
        """What it says of an account, or of a project of theirs."""
        source = storage.filled(self.source, account.name, account.uid, project, slurm_account)
        source = storage.numbered(source, _projid())
        argv = storage.argv(source, account.name, account.uid)
        whom = None if source.kind == "project" else account
        key = (whom.uid if whom else None, *argv)
        now = time.time()
        self._told = {known: told for known, told in self._told.items() if now - told[0] < _HOLDS_S}
        self._numbers = {known: one for known, one in self._numbers.items() if now - (one.at or 0.0) < _OLD_S}
        if key in self._told:
            found = self._told[key][1]
        else:
            if key not in self._asking:
                asking = asyncio.create_task(self._answer(key, source, argv, account, whom))
                self._asking[key] = asking
                asking.add_done_callback(lambda _: self._asking.pop(key))
            found = await asyncio.shield(self._asking[key])
        # projects of one Slurm account may share a quota, but not their names
        return found.model_copy(update={"project": project, "title": source.title or str(source.path)})

    async def _answer(
        self, key: _Key, source: StorageSettings, argv: list[str], asker: Account, whom: Account | None
    ) -> StorageQuota:
        async with self._places:
            at = time.time()
            if not self._availability.may_ask(at):
                problem = of_storage.LEFT_ALONE(
                    path=str(source.path), seconds=source.timeout_s, again=self._availability.until
                )
                return self._old(key, at, storage.unknown(source, problem))
            try:
                starting = self._starting.setdefault(whom.uid if whom else None, asyncio.Lock())
                found = await _ask(source, argv, whom, starting)
            except command.TimedOutError as error:
                self._availability.timed_out(asker.uid, time.time())
                problem = of_storage.DID_NOT_ANSWER(path=str(source.path), seconds=error.limit_s)
                found = self._old(key, at, storage.unknown(source, problem))
            else:
                self._availability.answered()
                found = found.model_copy(update={"at": at})
                if not found.problem:
                    self._numbers[key] = found
        self._told[key] = at, found
        return found

    def _old(self, key: _Key, at: float, nothing: StorageQuota) -> StorageQuota:
        """The numbers of before with their own time, as long as they are of use; else that there are none."""
        return self._numbers.get(key, nothing.model_copy(update={"at": at}))


class StorageReader:
    """Asks the tools that a site names, each file system with places and a time limit of its own: one that hangs holds
    up no other, and once two users have waited for it in vain, it is left alone for a while.

    A user's own quota is asked as that user; a project's, which takes more than that, as the gateway, through whatever
    the site's file says (``quotas.storage.program``).
    """

    def __init__(self, sources: Sequence[StorageSettings]) -> None:
        starting = _Starting()
        self._places = [_FileSystem(source, starting) for source in sources]

    async def read(self, account: Account, projects: Mapping[str, str] | None = None) -> StorageAnswer:
        """The quotas of an account; what a tool does not tell has a ``problem`` instead.

        :param projects: the projects of the account's user, by name, with the Slurm account of each.
        """
        now, own = time.time(), {"": ""}
        told = await asyncio.gather(
            *(
                place.read(account, name, charged)
                for place in self._places
                for name, charged in ((projects or {}) if place.source.of_projects else own).items()
            )
        )
        return StorageAnswer(at=min((one.at or now for one in told), default=now), quotas=tuple(told))


def _projid() -> str:
    try:
        return _PROJID.read_text("utf-8", "replace")
    except OSError:
        return ""


async def _ask(
    source: StorageSettings, argv: list[str], account: Account | None, starting: asyncio.Lock
) -> StorageQuota:
    """One tool's word.

    :raises TimedOutError: it has none in the file system's time.
    """
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/"}
    try:
        done = await command.run(
            argv, env=env, timeout_s=source.timeout_s, account=account, max_output=1 << 16, starting=starting
        )
    except (OSError, command.TooMuchOutputError) as error:
        return storage.unknown(source, of_storage.TOOL_UNUSABLE(program=argv[0], why=str(error)))
    try:
        return storage.parse(done.stdout.decode("utf-8", "replace"), source, done.returncode)
    except NoQuotaError as error:
        said = done.words.splitlines()
        return storage.unknown(
            source, sentences(error.text, of_storage.TOOL_SAYS(words=said[0][:200]) if said else None)
        )
