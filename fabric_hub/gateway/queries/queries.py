"""The questions the gateway asks Slurm, and what no answer means.

They run as the gateway's own account, or as that of a user. What is asked, and how the answer is read, is in the
module of each client. The mark (:mod:`.parse`) travels in the environment where the client takes it from there: other
users can read an argument list in /proc, but not an environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import refusals
from fabric_hub.gateway.job_table import Ending
from fabric_hub.messages.text import Text, whole
from fabric_hub.messages.texts import slurm_reasons as texts
from fabric_hub.slurm import privacy
from fabric_hub.slurm.accounting import PastJob
from fabric_hub.slurm.associations import AccountingRules, AccountTree
from fabric_hub.slurm.limits.model import Enforcement, Limits
from fabric_hub.slurm.model import Job, Node, Reservation
from fabric_hub.unix import accounts, command
from fabric_hub.unix.accounts import Account, hub_name

from . import associations, sacct, sacctmgr, scontrol, sinfo, squeue

# Accounts or QOS of one question to slurmdbd: an argument may be 128 KiB long, a name 64 bytes.
_NAMES_AT_ONCE = 500

Turn = Callable[[], Awaitable[None]]
T = TypeVar("T")


class UnavailableError(Exception):
    """Slurm did not answer a question; ``text`` says what is wrong."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@contextlib.contextmanager
def _reading(program: str) -> Iterator[None]:
    """An answer that cannot be read is none."""
    try:
        yield
    except ValueError as error:
        raise UnavailableError(texts.ANSWER_UNREADABLE(program=program, detail=str(error))) from error


@dataclass(frozen=True)
class Rules:
    """Answers of Slurm's database, as they came, what is enforced, and how long jobs go on after a reservation."""

    rights: str
    qos: str
    enforcement: Enforcement
    over_run_s: float = 0.0
    private: frozenset[str] = frozenset()

    def applied(self, limits: Limits) -> Limits:
        """Limits with these rules."""
        limits = sacctmgr.with_qos_rules(sacctmgr.with_rights(limits, self.rights), self.qos)
        return limits.model_copy(update={"enforcement": self.enforcement})


class Queries:
    """Asks squeue, sinfo, sacct, scontrol and sacctmgr. ``counts`` says how often, by program.

    :param users: how users and accounts belong together; None: nobody's own jobs can be asked for.
    """

    def __init__(self, slurm: SlurmSettings, users: UserSettings | None = None) -> None:
        self._slurm, self._users = slurm, users
        self.counts: Counter[str] = Counter()

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs that Slurm remembers, also those that have ended.

        :raises UnavailableError: no answer, or half of one.
        """
        return await self._squeue(squeue.JOB_FIELDS, squeue.jobs)

    async def jobs_of(self, account: Account) -> tuple[Job, ...]:
        """The jobs of one account, asked as it: Slurm hides nobody's own jobs from them.

        :raises UnavailableError: no answer, or half of one.
        """
        return await self._squeue(squeue.JOB_FIELDS, squeue.jobs, account)

    async def details(self, name: str, account: Account) -> tuple[squeue.JobDetail, ...]:
        """The jobs of one name and account that Slurm remembers, asked as it, with what :meth:`jobs` does not ask for.

        :raises UnavailableError: no answer, or half of one.
        """
        return await self._squeue(squeue.DETAIL_FIELDS, squeue.details, account, name)

    async def _squeue(
        self, fields: list[str], read: Callable[[str, str], T], account: Account | None = None, name: str = ""
    ) -> T:
        mark = secrets.token_hex(16)
        argv, form = squeue.argv(account.name if account else "", name), squeue.environment(fields, mark)
        text = await self._ask("squeue", argv, form, account=account)
        with _reading("squeue"):
            return read(text, mark)

    async def job(self, wanted: Job) -> Job | None:
        """One job by its number, asked as its owner; None: Slurm says that it has no such job.

        :param wanted: its number, its name, and its owner's Unix account.
        :raises UnavailableError: no answer, or nobody who may ask.
        :raises AnotherJobError: the number is another job's.
        """
        account = await asyncio.to_thread(self._owner, wanted.user)
        done = await self._call("scontrol", scontrol.job_argv(wanted.job_id), account=account)
        if done.returncode != 0:
            if scontrol.is_no_such_job(done.words):
                return None
            raise self._failed("scontrol", done.words)
        return scontrol.job(done.stdout.decode("utf-8", "replace"), wanted)

    def _owner(self, unix: str) -> Account:
        user = hub_name(self._users, unix) if self._users else None
        if self._users is None or not (user or self._users.shared_account):
            raise UnavailableError(texts.NOBODYS_ACCOUNT(account=unix))
        try:
            return accounts.resolve(user or unix, self._users)
        except FabricError as error:
            raise UnavailableError(whole(error)) from error

    async def cancelled_by(self, number: int) -> int | None:
        """The uid of who cancelled a job, from the database; None: it does not say (yet).

        :raises UnavailableError: no answer.
        """
        text = await self._ask("sacct", sacct.argv(sacct.CANCELLED_FIELDS, [number]))
        return sacct.cancelled_by(text, number)

    async def node_reason(self, node: str) -> tuple[str, float | None]:
        """Why a node is out of service, and since when; ("", None) when it is not.

        :raises UnavailableError: no answer.
        """
        return await self._sinfo(sinfo.REASON_FIELDS, sinfo.node_reason, node)

    async def private_data(self) -> frozenset[str]:
        """What Slurm hides from whoever is no Operator.

        :raises UnavailableError: no answer.
        """
        return privacy.private_data(await self._ask("scontrol", scontrol.CONFIGURATION))

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes of all partitions.

        :raises UnavailableError: no answer, or half of one.
        """
        return await self._sinfo(sinfo.NODE_FIELDS, sinfo.nodes)

    async def _sinfo(self, fields: list[str], read: Callable[[str, str], T], node: str = "") -> T:
        mark = secrets.token_hex(16)
        text = await self._ask("sinfo", sinfo.argv(fields, mark, node))
        with _reading("sinfo"):
            return read(text, mark)

    async def reservations(self) -> tuple[Reservation, ...]:
        """All reservations of nodes.

        :raises UnavailableError: no answer, or one that cannot be read.
        """
        text = await self._ask("scontrol", scontrol.RESERVATIONS)
        with _reading("scontrol"):
            return scontrol.reservations(text)

    async def endings(self, numbers: Sequence[int]) -> dict[int, Ending]:
        """How jobs ended, from the accounting database: one question for all of them.

        :raises UnavailableError: no answer.
        """
        return sacct.ended(await self._ask("sacct", sacct.argv(sacct.ENDED_FIELDS, numbers)))

    async def limits(self, turn: Turn) -> Limits:
        """All limits of associations, QOS and partitions, with what is used of them: two RPCs to slurmctld.

        Neither takes the locks of jobs or nodes. Serial and times are the caller's to add.

        :param turn: waited for before each question.
        :raises UnavailableError: no answer, or half of one.
        """
        await turn()
        limits = await self._ask("scontrol", scontrol.LIMITS)
        await turn()
        partitions = await self._ask("scontrol", scontrol.PARTITIONS)
        with _reading("scontrol"):
            associations, qos = scontrol.associations(limits)
            return Limits(associations=associations, qos=qos, partitions=scontrol.partitions(partitions))

    async def rules(self, turn: Turn) -> Rules:
        """Who may use which QOS, the limits of a QOS for each user, and what is enforced; it seldom changes.

        :param turn: waited for before each question.
        :raises UnavailableError: no answer.
        """
        await turn()
        rights = await self._ask("sacctmgr", sacctmgr.RIGHTS)
        await turn()
        qos = await self._ask("sacctmgr", sacctmgr.QOS)
        await turn()
        config = await self._ask("scontrol", scontrol.CONFIGURATION)
        return Rules(
            rights=rights,
            qos=qos,
            enforcement=scontrol.enforcement(config),
            over_run_s=scontrol.over_run_s(config),
            private=privacy.private_data(config),
        )

    async def accounting_rules(self, turn: Turn) -> AccountingRules:
        """What budgets rest on in Slurm's configuration.

        :param turn: waited for before the question.
        :raises UnavailableError: no answer, or one that cannot be read.
        """
        await turn()
        text = await self._ask("scontrol", scontrol.CONFIGURATION)
        with _reading("scontrol"):
            return associations.accounting_rules(text)

    async def account_tree(self, cluster: str, turn: Turn) -> AccountTree:
        """All accounts of a cluster with their people, from Slurm's database.

        :param turn: waited for before the question.
        :raises UnavailableError: no answer, or half of one.
        """
        await turn()
        limit_s = self._slurm.accounting_timeout_s
        text = await self._ask("sacctmgr", associations.tree_argv(cluster), timeout_s=limit_s)
        with _reading("sacctmgr"):
            return associations.tree(text)

    async def change_accounts(self, arguments: Sequence[str]) -> str:
        """Change accounts in Slurm's database, as the gateway's own account; what Slurm says against it, "" is nothing.

        :param arguments: of sacctmgr; see :func:`.associations.changes`.
        :raises UnavailableError: no answer; it may have been changed.
        """
        done = await self._call("sacctmgr", arguments)
        words = f"{done.printed}\n{done.words}".strip()
        if done.returncode == 0 or associations.is_unchanged(words):
            return ""
        if not associations.is_denied(words) and (problem := refusals.unavailable(words)):
            raise UnavailableError(problem)
        return refusals.quoted(words) or str(done.returncode)

    async def accounting(
        self, start: float, end: float, accounts: Sequence[str], services: Sequence[str] = ()
    ) -> tuple[PastJob, ...]:
        """The jobs of accounts, and of QOS, that ran between two moments (Unix seconds), from Slurm's database.

        Two questions to slurmdbd for some hundred of either; none for none.

        :raises UnavailableError: no answer, or half of one.
        """
        found: list[PastJob] = []
        for kind, names in (("accounts", accounts), ("qos", services)):
            for first in range(0, len(names), _NAMES_AT_ONCE):
                some = f"--{kind}={','.join(names[first : first + _NAMES_AT_ONCE])}"
                jobs = await self._accounting(start, end, some)
                found += jobs if kind == "accounts" else [job for job in jobs if job.account not in accounts]
        return tuple(found)

    async def _accounting(self, start: float, end: float, whose: str) -> list[PastJob]:
        window, mark = sacct.window_argv(start, end, whose), secrets.token_hex(16)
        limit_s = self._slurm.accounting_timeout_s
        names = await self._ask("sacct", [*window, *sacct.names_form(mark)], timeout_s=limit_s)
        counts = await self._ask("sacct", [*window, *sacct.counts_form()], timeout_s=limit_s)
        with _reading("sacct"):
            jobs = sacct.jobs(counts, sacct.names(names, mark))
        return [job for job in jobs if job.started_at < end and (job.ended_at is None or job.ended_at > start)]

    async def _ask(
        self,
        program: str,
        arguments: Sequence[str],
        form: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        account: Account | None = None,
    ) -> str:
        done = await self._call(program, arguments, form, timeout_s, account)
        if done.returncode != 0:
            raise self._failed(program, done.words)
        return done.stdout.decode("utf-8", "replace")

    def _failed(self, program: str, said: str) -> UnavailableError:
        if privacy.is_refused(said):
            return UnavailableError(privacy.why_refused(program, accounts.own_name()))
        if problem := refusals.unavailable(said):
            return UnavailableError(problem)
        words = refusals.quoted(said)
        if not words:
            return UnavailableError(texts.CLIENT_FAILED_SILENTLY(program=program))
        return UnavailableError(texts.CLIENT_FAILED(program=program, words=words))

    async def _call(
        self,
        program: str,
        arguments: Sequence[str],
        form: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        account: Account | None = None,
    ) -> command.Finished:
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "SLURM_TIME_FORMAT": "%s", **(form or {})}
        if self._slurm.conf:
            env["SLURM_CONF"] = str(self._slurm.conf)
        path = self._slurm.bin_dir / program
        self.counts[program] += 1
        try:
            limit_s = timeout_s or self._slurm.query_timeout_s
            return await command.run([str(path), *arguments], env=env, timeout_s=limit_s, account=account)
        except command.TimedOutError as error:
            raise UnavailableError(texts.TOO_SLOW(program=error.program, seconds=error.limit_s)) from error
        except (OSError, command.TooMuchOutputError) as error:
            raise UnavailableError(texts.CLIENT_UNUSABLE(program=str(path), why=str(error))) from error
