"""The questions the gateway asks Slurm, and what silence means.

They run as the gateway's own account. The mark travels in the environment where
the client takes it from there: other users can read an argument list in /proc,
but not an environment.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..model import Job, Node, Reservation
from ..settings import SlurmSettings
from . import accounting, command, limits_parse, parse, refusals
from .accounting import PastJob
from .limits import Enforcement, Limits
from .table import Ending

# Accounts or QOS of one question to slurmdbd: an argument may be 128 KiB long, a name 64 bytes.
_NAMES_AT_ONCE = 500

Turn = Callable[[], Awaitable[None]]


class SilentError(Exception):
    """Slurm did not answer a question; the text says what is wrong, in plain words."""


@dataclass(frozen=True)
class Rules:
    """Answers of Slurm's database, as they came, what is enforced, and how long jobs go on after a reservation."""

    rights: str
    qos: str
    enforcement: Enforcement
    over_run_s: float = 0.0

    def applied(self, limits: Limits) -> Limits:
        """Limits with these rules."""
        limits = limits_parse.with_qos_rules(limits_parse.with_rights(limits, self.rights), self.qos)
        return limits.model_copy(update={"enforcement": self.enforcement})


class Questions:
    """Asks squeue, sinfo, sacct, scontrol and sacctmgr. ``counts`` says how often, by program."""

    def __init__(self, slurm: SlurmSettings) -> None:
        self._slurm = slurm
        self.counts: Counter[str] = Counter()

    async def jobs(self) -> tuple[Job, ...]:
        """All jobs that Slurm remembers, also those that have ended.

        :raises SilentError: no answer, or half of one.
        """
        mark = secrets.token_hex(16)
        # squeue cuts the tasks of an array at 64 characters; this holds some thousand of them apart
        form = {"SQUEUE_FORMAT2": parse.field_list(parse.JOB_FIELDS, mark), "SLURM_BITSTR_LEN": "16384"}
        text = await self._ask("squeue", ["--noheader", "--all", "--local", "--states=all"], form)
        try:
            return parse.jobs(text, mark)
        except ValueError as error:
            raise SilentError(f"squeue's answer cannot be read: {error}") from error

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes of all partitions.

        :raises SilentError: no answer, or half of one.
        """
        # sinfo takes the long form from its arguments only; nothing in its answer is text of a user
        mark = secrets.token_hex(16)
        form = f"--Format={parse.field_list(parse.NODE_FIELDS, mark)}"
        text = await self._ask("sinfo", ["--Node", "--noheader", "--all", "--exact", "--local", form], {})
        try:
            return parse.nodes(text, mark)
        except ValueError as error:
            raise SilentError(f"sinfo's answer cannot be read: {error}") from error

    async def reservations(self) -> tuple[Reservation, ...]:
        """All reservations of nodes.

        :raises SilentError: no answer, or one that cannot be read.
        """
        text = await self._ask("scontrol", ["--oneliner", "show", "reservation"], {})
        try:
            return parse.reservations(text)
        except ValueError as error:
            raise SilentError(f"scontrol's answer cannot be read: {error}") from error

    async def endings(self, numbers: Sequence[int]) -> dict[int, Ending]:
        """How jobs ended, from the accounting database: one question for all of them.

        :raises SilentError: no answer.
        """
        text = await self._ask(
            "sacct",
            [
                "--noheader", "--parsable2", "--allocations", f"--format={','.join(parse.ENDED_FIELDS)}",
                f"--jobs={','.join(str(number) for number in numbers)}",
            ],
            {},
        )  # fmt: skip
        return parse.ended(text)

    async def limits(self, turn: Turn) -> Limits:
        """All limits of associations, QOS and partitions, with what is used of them: two RPCs to slurmctld.

        Neither takes the locks of jobs or nodes. Serial and times are the caller's to add.

        :param turn: waited for before each question.
        :raises SilentError: no answer, or half of one.
        """
        await turn()
        told = await self._ask("scontrol", ["--oneliner", "show", "assoc_mgr", "flags=assoc,qos"], {})
        await turn()
        parts = await self._ask("scontrol", ["--oneliner", "--all", "show", "partition"], {})
        try:
            associations, qos = limits_parse.associations(told)
            return Limits(associations=associations, qos=qos, partitions=limits_parse.partitions(parts))
        except ValueError as error:
            raise SilentError(f"scontrol's answer cannot be read: {error}") from error

    async def rules(self, turn: Turn) -> Rules:
        """Who may use which QOS, the limits of a QOS for each user, and what is enforced; it seldom changes.

        :param turn: waited for before each question.
        :raises SilentError: no answer.
        """
        show = ["--noheader", "--parsable2", "--readonly", "show"]
        await turn()
        rights = await self._ask("sacctmgr", [*show, "assoc", f"format={limits_parse.ASSOC_FIELDS}"], {})
        await turn()
        qos = await self._ask("sacctmgr", [*show, "qos", f"format={limits_parse.QOS_FIELDS}"], {})
        await turn()
        config = await self._ask("scontrol", ["show", "config"], {})
        enforced, over_run_s = limits_parse.enforcement(config), limits_parse.over_run_s(config)
        return Rules(rights=rights, qos=qos, enforcement=enforced, over_run_s=over_run_s)

    async def accounting(
        self, start: float, end: float, accounts: Sequence[str], services: Sequence[str] = ()
    ) -> tuple[PastJob, ...]:
        """The jobs of accounts, and of QOS, that ran between two moments (Unix seconds), from Slurm's database.

        Two questions to slurmdbd for some hundred of either; none for none.

        :raises SilentError: no answer, or half of one.
        """
        found: list[PastJob] = []
        for kind, names in (("accounts", accounts), ("qos", services)):
            for first in range(0, len(names), _NAMES_AT_ONCE):
                some = f"--{kind}={','.join(names[first : first + _NAMES_AT_ONCE])}"
                told = await self._accounting(start, end, some)
                found += told if kind == "accounts" else [job for job in told if job.account not in accounts]
        return tuple(found)

    async def _accounting(self, start: float, end: float, whose: str) -> list[PastJob]:
        # sacct takes local time without a zone: an hour more on both sides, for the one that a change of clocks repeats
        begin, after = (datetime.fromtimestamp(at).astimezone() for at in (start - 3600, end + 3600))
        window = [f"--starttime={begin:%Y-%m-%dT%H:%M:%S}", f"--endtime={after:%Y-%m-%dT%H:%M:%S}"]
        every = ["--noheader", "--allusers", whose, "--allocations", "--duplicates", *window]
        limit_s = self._slurm.accounting_timeout_s
        mark = secrets.token_hex(16)
        form = [f"--format={','.join(accounting.NAME_FIELDS)}", "--parsable", f"--delimiter=|{mark}"]
        called = await self._ask("sacct", [*every, *form], {}, limit_s)
        form = [f"--format={','.join(accounting.FIELDS)}", "--parsable2"]
        told = await self._ask("sacct", [*every, *form], {}, limit_s)
        try:
            found = accounting.jobs(told, accounting.names(called, mark))
        except ValueError as error:
            raise SilentError(f"sacct's answer cannot be read: {error}") from error
        return [job for job in found if job.started_at < end and (job.ended_at is None or job.ended_at > start)]

    async def _ask(
        self, program: str, arguments: list[str], form: dict[str, str], timeout_s: float | None = None
    ) -> str:
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "SLURM_TIME_FORMAT": "%s", **form}
        if self._slurm.conf:
            env["SLURM_CONF"] = str(self._slurm.conf)
        path = self._slurm.bin_dir / program
        self.counts[program] += 1
        try:
            limit_s = timeout_s or self._slurm.query_timeout_s
            done = await command.run([str(path), *arguments], env=env, timeout_s=limit_s)
        except command.TimedOutError as error:
            raise SilentError(f"Slurm is too slow: {error}") from error
        except (OSError, command.TooMuchOutputError) as error:
            raise SilentError(f"{path} cannot be used: {error}") from error
        if done.returncode != 0:
            said = done.words
            raise SilentError(refusals.silence(said) or f"{program} failed: {refusals.quoted(said) or 'no words'}")
        return done.stdout.decode("utf-8", "replace")
