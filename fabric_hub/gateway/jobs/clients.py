"""Slurm's clients, and our own helper, run as users: a few at the same time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from weakref import WeakValueDictionary

from fabric_hub.config.settings import Settings, SlurmSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import refusals
from fabric_hub.gateway.queries.scontrol import is_no_such_job
from fabric_hub.messages.text import sentences
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts.slurm_reasons import TOO_SLOW
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account

from . import script

# Clients run for users at the same time: more would only make each of them slower.
_AT_ONCE = 8
_AT_ONCE_PER_ACCOUNT = 2


async def run_client(
    argv: list[str], env: Mapping[str, str], account: Account | None, timeout_s: float, stdin: bytes = b""
) -> command.Finished:
    """Run one of Slurm's clients.

    :param account: as whom; None: as the gateway itself.
    :raises SlurmUnavailableError: it did not end in time; what it asked for may have happened.
    :raises FabricError: it cannot be run.
    """
    try:
        return await command.run(
            argv, env=dict(env), stdin=stdin, timeout_s=timeout_s, account=account, max_output=1 << 20
        )
    except command.TimedOutError as error:
        raise SlurmUnavailableError(TOO_SLOW(program=error.program, seconds=error.limit_s)) from None
    except (OSError, command.TooMuchOutputError) as error:
        if account is None:
            raise FabricError(texts.CLIENT_NOT_RUN(program=argv[0], why=str(error))) from None
        text = texts.CLIENT_NOT_RUN_AS(program=argv[0], account=account.name, why=str(error))
        raise FabricError(text) from None


class Clients:
    """Runs them; each has ``timeout_s`` seconds."""

    def __init__(self, settings: Settings, slurm: SlurmSettings) -> None:
        self._slurm = slurm
        self.timeout_s = settings.gateway.submit_timeout_s
        self._per_account = _AT_ONCE if settings.users.shared_account else _AT_ONCE_PER_ACCOUNT
        self._all_slots = asyncio.Semaphore(_AT_ONCE)
        # one lives as long as somebody holds it or waits for it
        self._slots: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def slot(self, account: Account) -> AsyncIterator[None]:
        """A place among the clients that run at the same time; one account, whose programs may hang, has only a few."""
        own = self._slots.setdefault(account.uid, asyncio.Semaphore(self._per_account))
        async with own, self._all_slots:
            yield

    async def run(self, argv: list[str], account: Account, stdin: bytes = b"") -> command.Finished:
        """Run one of Slurm's clients as a user.

        :raises SlurmUnavailableError: it did not end in time; what it asked for may have happened.
        :raises FabricError: it cannot be run.
        """
        env = script.environment(account, self._slurm.conf)
        return await run_client(argv, env, account, self.timeout_s, stdin)

    async def scancel(self, number: int, account: Account) -> None:
        """End a job of a user's; one that is over already is no error.

        :raises FabricError: Slurm did not end it, or did not answer.
        """
        async with self.slot(account):
            done = await self.run([str(self._slurm.bin_dir / "scancel"), str(number)], account)
        words = done.words
        if done.returncode == 0 or is_no_such_job(words) or "already completing or completed" in words:
            return
        problem = refusals.unavailable(words)
        if problem:
            raise SlurmUnavailableError(sentences(texts.NOT_CANCELLED(job=number), problem))
        raise FabricError(texts.CANCEL_REFUSED(job=number, words=refusals.quoted(words)))
