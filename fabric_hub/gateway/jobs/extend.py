"""More time for a running session: what the gateway asks of Slurm, and what it never does.

In plain Slurm a user may lower the time limit of a running job, and only an Operator may raise it, past every limit and
without a look at reservations. So whoever asks as Operator answers for them: never beyond the longest profile of the
site's file, what Slurm's limits allow the job (:mod:`fabric_hub.slurm.limits.extension`), its partition, or into a
reservation of its node.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from fabric_hub.config.settings import Settings, SlurmSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import refusals
from fabric_hub.gateway.queries import scontrol
from fabric_hub.gateway.queries.parse import GarbledError
from fabric_hub.messages.text import sentences, verbatim
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts import more_time as of_time
from fabric_hub.messages.texts.slurm_reasons import ANSWER_UNREADABLE
from fabric_hub.slurm.limits import extension
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import ExtendRequest, Job, Phase, Reservation, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account

from .clients import run_client


def check(settings: Settings, minutes: int) -> None:
    """Refuse what no session of this site may have.

    :param minutes: the whole time limit, since the job's start.
    :raises FabricError: (403) the site gives no more time, or not so much.
    """
    assert settings.slurm is not None
    if settings.slurm.extend == "never":
        raise FabricError(of_time.SESSIONS_NOT_EXTENDED())
    longest = max((profile.max_hours for profile in settings.profile.values()), default=0.0)
    if minutes > longest * 60:
        raise FabricError(of_time.LONGEST_SESSION(longest=longest * 3600))


def held(jobs: Iterable[Job], request: ExtendRequest) -> Job:
    """The running job that a session has on record, as it was asked for. Pure.

    A name is its owner's text, and a job that waits can be changed by its owner: neither may be given time for it.

    :param jobs: those of the session's name and Unix account that are not over.
    :raises FabricError: (409) it does not run; (403) it is in another account or partition than the session.
    """
    job = next((job for job in jobs if job.job_id == request.job_id and job.phase is Phase.RUNNING), None)
    if job is None:
        raise FabricError(of_time.JOB_DOES_NOT_RUN())
    for other, found, wanted in (
        (of_time.OTHER_ACCOUNT, job.account, request.account),
        (of_time.OTHER_PARTITION, job.partition, request.partition),
    ):
        if wanted is not None and found != wanted:
            raise FabricError(other(job=job.job_id, found=found or texts.NONE(), wanted=wanted))
    return job


def meets(found: Reservation, ends_at: float, now: float) -> bool:
    """Whether a reservation is of some of the time from now until then (Unix seconds). Pure."""
    return found.starts_at < ends_at and found.ends_at > now


def began_beside(found: Reservation, job: Job) -> bool:
    """Whether a job has none of a reservation's cores, whatever node it shares with it. Pure.

    Slurm does not say which cores of a single node are reserved. But what begins outside a reservation that has begun
    gets none of them.
    """
    return job.started_at is not None and job.started_at >= found.starts_at


class Extender:
    """Raises the time limit of a running job, as the site says who asks.

    :param slurm: ``extend`` says who: the job's owner, or the gateway's own account.
    """

    def __init__(self, slurm: SlurmSettings, timeout_s: float) -> None:
        self._slurm, self._timeout_s = slurm, timeout_s

    async def extend(
        self, job: Job, nodes: str, account: Account, minutes: int, limits: Limits, snapshot: Snapshot
    ) -> None:
        """Let a running job have ``minutes`` in all.

        :param nodes: all of its nodes, as Slurm abbreviates them.
        :param limits: as last told, with the jobs of ``snapshot``.
        :raises FabricError: a limit, a reservation, or Slurm's own refusal, in words.
        """
        if job.started_at is None or job.ends_at is None:
            raise FabricError(of_time.JOB_DOES_NOT_RUN())
        if round((job.ends_at - job.started_at) / 60) >= minutes:
            return  # asked twice: it has so much already
        extension.check(limits, snapshot, job, minutes, time.time())
        await self._check_partition(job, minutes)
        await self._check_reservations(job, nodes, job.started_at + minutes * 60)
        done = await self._scontrol(
            scontrol.time_limit_argv(job.job_id, minutes),
            account if self._slurm.extend == "as-user" else None,
        )
        if done.returncode != 0:
            raise _refused(job, done.words)

    async def _check_partition(self, job: Job, minutes: int) -> None:
        most = scontrol.partition_minutes(await self._ask(*scontrol.partition_argv(job.partition)))
        if most is not None and minutes > most:
            text = extension.over_partition(job.partition, most * 60)
            raise FabricError(text, reason="extend", hint=of_time.CONTINUE_INSTEAD())

    async def _check_reservations(self, job: Job, nodes: str, ends_at: float) -> None:
        told = await self._ask(*scontrol.RESERVATIONS)
        try:
            every = scontrol.reservations(told)
        except GarbledError as error:
            detail = ANSWER_UNREADABLE(program="scontrol", detail=str(error))
            raise SlurmUnavailableError(sentences(texts.TIME_NOT_CHANGED(), detail)) from error
        own = {job.reservation, *job.reservation.split(",")}
        mine = {job.node, *await self._hostnames(nodes)}
        for found in every:
            if not meets(found, ends_at, time.time()):
                continue
            if found.name in own:
                if ends_at > found.ends_at and not found.flexible:
                    raise FabricError(of_time.ITS_RESERVATION_ENDS(reservation=found.name, ends=found.ends_at))
                continue
            if began_beside(found, job):
                continue
            taken = sorted(mine.intersection(await self._hostnames(found.nodes)))
            if taken:
                raise FabricError(
                    of_time.NODE_IS_RESERVED(node=taken[0], begins=found.starts_at, reservation=found.name)
                )

    async def _hostnames(self, nodes: str) -> list[str]:
        return (await self._ask(*scontrol.hostnames_argv(nodes))).split() if nodes else []

    async def _ask(self, *arguments: str) -> str:
        done = await self._scontrol(list(arguments), None)
        if done.returncode != 0:
            problem = refusals.unavailable(done.words) or verbatim(refusals.quoted(done.words))
            raise SlurmUnavailableError(sentences(texts.TIME_NOT_CHANGED(), problem))
        return done.stdout.decode("utf-8", "replace")

    async def _scontrol(self, arguments: list[str], account: Account | None) -> command.Finished:
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "SLURM_TIME_FORMAT": "%s"}
        if self._slurm.conf:
            env["SLURM_CONF"] = str(self._slurm.conf)
        argv = [str(self._slurm.bin_dir / "scontrol"), *arguments]
        return await run_client(argv, env, account, self._timeout_s)


def _refused(job: Job, words: str) -> FabricError:
    said = refusals.read(words)  # job_submit.lua is asked of a change, too
    problem = refusals.unavailable(said.own)
    if problem:
        return SlurmUnavailableError(refusals.with_site(sentences(texts.TIME_NOT_CHANGED(), problem), said.site))
    if not said.site and re.search(r"[Aa]ccess/permission denied|[Aa]ccess denied", said.own):
        return FabricError(of_time.NO_RIGHT_TO_EXTEND())
    return FabricError(of_time.EXTEND_REFUSED(job=job.job_id, words=refusals.quoted(words)))
