"""What the gateway does for leased accounts that were given back: lets nothing more be submitted as them, ends their
jobs, and empties their homes as them.

What is to be done stands in the catalogue service's ``accounts.json``; an account is touched only where it is in a pool
of the gateway's own settings, too, and has the uid there. How far it is stands in a file of the gateway's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pwd
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import rate_limit
from fabric_hub.gateway.jobs import home_helper
from fabric_hub.gateway.jobs.clients import Clients
from fabric_hub.gateway.projects.reconciler import AsksAccounts
from fabric_hub.gateway.queries import associations
from fabric_hub.gateway.queries.queries import UnavailableError
from fabric_hub.messages.text import NOTHING, Text, verbatim, whole
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.leases import Done, DoneDocument, Wanted, WantedDocument, as_content, read, wanted_file
from fabric_hub.slurm.associations import CLOSED, AccountTree, Close
from fabric_hub.slurm.model import Job, Phase
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account, check_entry, check_path

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AGAIN_S = 5.0  # between two tries at the same account
HOME_S = 600.0  # to empty a home
_SHOWN = 5  # jobs in one sentence
_SOURCE = Path(home_helper.__file__).read_text(encoding="utf-8")


class Asks(AsksAccounts, Protocol):
    """What is needed of :class:`~fabric_hub.gateway.queries.queries.Queries`."""

    async def jobs_of(self, account: Account) -> tuple[Job, ...]: ...


def open_doors(account: str, tree: AccountTree) -> list[Close]:
    """The steps that close every association of an account through which it may submit. Pure."""
    return [
        Close(account=name, user=account, before=slurm.users[account])
        for name, slurm in sorted(tree.accounts.items())
        if slurm.users.get(account, CLOSED) != CLOSED
    ]


def live(jobs: Iterable[Job]) -> list[int]:
    """The numbers of the jobs that are not over. Pure."""
    return [job.job_id for job in jobs if job.phase is not Phase.ENDED]


class LeasedAccounts:
    """See the module. Start :meth:`run` as a task.

    :param bucket: the budget of questions, shared with whoever else asks Slurm.
    """

    def __init__(
        self,
        settings: Settings,
        asks: Asks,
        clients: Clients,
        bucket: rate_limit.Bucket,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._asks = settings, asks
        self._clients, self._bucket, self._clock = clients, bucket, clock
        self._done: dict[str, Done] = {}
        self._tried: dict[str, float] = {}
        self._told: dict[str, Any] | None = None
        self._trouble = ""

    async def run(self) -> None:
        """Do what is wanted for ever; cancel the task to stop."""
        while True:
            try:
                await self.look()
            except Exception as error:  # a fault of ours: sessions start without this
                if str(error) != self._trouble:
                    log.exception("leased accounts cannot be cleaned for now")
                self._trouble = str(error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """One round."""
        wanted = await asyncio.to_thread(self._wanted)
        if wanted is None:
            return
        self._done = {account: self._done[account] for account in wanted.accounts if account in self._done}
        # doors are shut before anything takes its time
        for account, one in sorted(wanted.accounts.items(), key=lambda item: item[1].work != "close"):
            known = self._done.get(account)
            same = known is not None and (known.work, known.round) == (one.work, one.round)
            waits = self._clock() - self._tried.get(account, float("-inf")) < AGAIN_S
            if known and same and (known.done or waits):
                continue
            try:
                why, found = await self._do(account, one)
            except Exception as error:  # of one account: the others have theirs
                log.exception("The account %s could not be taken care of", account)
                why, found = verbatim(type(error).__name__), 0
            found += known.found if known and same else 0
            self._tried[account] = self._clock()
            if why and (known is None or known.why != why):
                log.warning("The account %s is not clean yet: %s", account, why)
            self._done[account] = Done(work=one.work, round=one.round, done=not why, why=why, found=found)
            await asyncio.to_thread(self._tell)
        await asyncio.to_thread(self._tell)

    def _wanted(self) -> WantedDocument | None:
        catalogue = self._settings.catalogue
        if catalogue is None or not catalogue.pools:
            return None
        try:
            owner = pwd.getpwnam(catalogue.account).pw_uid
            found = read(wanted_file(catalogue), WantedDocument, frozenset({0, owner}))
        except (FileNotFoundError, KeyError):
            return None
        except (OSError, ValueError) as error:
            if str(error) != self._trouble:
                log.error("%s cannot be used: %s", wanted_file(catalogue), error)
            self._trouble = str(error)
            return None
        return found

    async def _do(self, name: str, wanted: Wanted) -> tuple[Text, int]:
        """Do what is wanted for an account; why it is not done, or not yet, and how many things that removed."""
        try:
            account = await asyncio.to_thread(self._account, name, wanted.uid)
            if wanted.work == "close":
                return await self._close(account), 0
            return await self._empty(account)
        except FabricError as error:
            return texts.NOT_OF_GATEWAY(why=whole(error)), 0

    def _account(self, name: str, uid: int) -> Account:
        """An account of a pool, as this machine knows it.

        :raises FabricError: it is in no pool of this site, has another uid, or may never be used.
        """
        assert self._settings.catalogue is not None
        if self._settings.catalogue.pool_of(name) is None:
            raise FabricError(texts.LEFT_POOLS())
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise FabricError(texts.UNKNOWN_ACCOUNT(account=name)) from None
        check_entry(name, entry.pw_name, entry.pw_uid, self._settings.users.min_uid, os.geteuid())
        if entry.pw_uid != uid:
            raise FabricError(texts.OTHER_UID(account=name, before=uid, uid=entry.pw_uid))
        check_path(entry.pw_dir, "home")
        return Account(name, uid, entry.pw_gid, (entry.pw_gid,), entry.pw_dir, "/bin/sh")

    async def _close(self, account: Account) -> Text:
        """Let nothing more be submitted, then end what there is."""
        try:
            rules = await self._asks.accounting_rules(self._turn)
            tree = await self._asks.account_tree(rules.cluster, self._turn)
            for change in associations.changes(open_doors(account.name, tree), rules.cluster):
                await self._turn()
                if words := await self._asks.change_accounts(change.argv):
                    return texts.ASSOCIATION_OPEN(slurm_account=change.steps[0].account, words=words)
            # after the door is shut; asked as the account, from whom Slurm hides nothing of its own
            await self._turn()
            left = live(await self._asks.jobs_of(account))
        except UnavailableError as error:
            return texts.SLURM_UNKNOWN(why=error.text)
        for number in left:
            await self._clients.scancel(number, account)
        if not left:
            return NOTHING
        return texts.JOBS_LEFT(jobs=tuple(map(str, left[:_SHOWN])) + (("…",) if len(left) > _SHOWN else ()))

    async def _empty(self, account: Account) -> tuple[Text, int]:
        """Empty the home as the account; its directory stays."""
        python = getattr(sys, "_base_executable", None) or sys.executable
        argv = [python, "-I", "-S", "-c", _SOURCE, account.home]
        try:
            async with self._clients.slot(account):
                done = await command.run(
                    argv, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, timeout_s=HOME_S, account=account,
                    max_output=1 << 16,
                )  # fmt: skip
            answer = json.loads(done.printed)
            left, why, found = int(answer["left"]), str(answer["why"]), max(0, int(answer["found"]))
        except (command.TimedOutError, command.TooMuchOutputError, OSError) as error:
            return texts.HOME_LEFT(why=str(error)), 0
        except (ValueError, KeyError, TypeError):
            return texts.HOME_LEFT(why=done.words[-200:] or str(done.returncode)), 0
        told = texts.HOME_LEFT(why="".join(c for c in why if c.isprintable())[:200]) if left else NOTHING
        return told, found

    async def _turn(self) -> None:
        await asyncio.sleep(self._bucket.turn_s(self._clock()))

    def _tell(self) -> None:
        """Say how far it is, in one step; where the site made no place for it nobody hears."""
        content = as_content(DoneDocument(accounts=self._done))
        path = self._settings.gateway.accounts_file
        if content == self._told and path.exists():
            return
        if not content["accounts"] and not path.exists():
            return
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                os.fchmod(handle, 0o644)  # names and uids of pools; the catalogue service is in no group of ours
                json.dump(content, file)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        self._told = content
