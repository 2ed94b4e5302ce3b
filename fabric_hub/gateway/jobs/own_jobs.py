"""By what the gateway knows a job that it submitted itself, also after it was started anew.

A job's name is its owner's text, and so is its comment: anybody may copy both as soon as Slurm shows them. What nobody
can do is write a *mark* before the gateway did. So of the jobs that carry one only the first counts, and a session that
is submitted again, after a job that is on record, gets another mark.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from fabric_hub.gateway import rate_limit
from fabric_hub.gateway.job_table import Named
from fabric_hub.gateway.queries.queries import Queries, UnavailableError
from fabric_hub.gateway.queries.squeue import JobDetail
from fabric_hub.messages.text import sentences
from fabric_hub.messages.texts.gateway import JOB_NOT_KNOWN
from fabric_hub.messages.texts.slurm_reasons import OWNER_CALLED_OTHERWISE
from fabric_hub.slurm.model import Job, SubmitRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix.accounts import Account

log = logging.getLogger(__name__)

J = TypeVar("J", bound=Named)

_KEY_BYTES = 32
# see the parameter of OwnJobs
Slot = Callable[[Account], AbstractAsyncContextManager[None]]
_MARK = re.compile(r"(?:^|[\s;])fabric-session=([0-9a-f]{32})(?=$|[\s;])")


def mark(key: bytes, session: str, account: str, after: int | None) -> str:
    """What the job of a session carries in its comment. Pure.

    :param account: the Unix account that it belongs to.
    :param after: the session's job that is on record already, if any.
    """
    text = f"{session} {account} {after or 0}".encode()
    return f"fabric-session={hmac.new(key, text, hashlib.sha256).hexdigest()[:32]}"


def submitted(jobs: Iterable[JobDetail], account: str, wanted: str) -> int | None:
    """Which of a session's jobs the gateway submitted: the first that carries the mark, be it over. Pure."""
    carrying = [
        job.job_id
        for job in jobs
        if job.user == account and any(f"fabric-session={found}" == wanted for found in _MARK.findall(job.comment))
    ]
    return min(carrying, default=None)


class OwnJobs:
    """The gateway's marks, and what Slurm tells an account of its own jobs: it hides nobody's own from them.

    :param bucket: the budget of questions, shared with whoever else asks Slurm.
    :param slot: a place among the clients that run as an account at the same time.
    """

    def __init__(self, key: bytes, asks: Queries, bucket: rate_limit.Bucket, slot: Slot) -> None:
        self._key, self._asks, self._bucket, self._slot = key, asks, bucket, slot

    def mark(self, request: SubmitRequest, account: str) -> str:
        """What the job of this request carries; ``account`` is the Unix account."""
        return mark(self._key, request.session, account, request.job_id)

    async def jobs(self, account: Account) -> tuple[Job, ...]:
        """All jobs of an account.

        :raises SlurmUnavailableError: Slurm does not answer.
        """
        async with self._turn(account):
            return _named(await self._asks.jobs_of(account), account)

    async def details(self, name: str, account: Account) -> tuple[JobDetail, ...]:
        """Those of one name, with what is asked of few only.

        :raises SlurmUnavailableError: Slurm does not answer.
        """
        async with self._turn(account):
            return _named(await self._asks.details(name, account), account)

    @contextlib.asynccontextmanager
    async def _turn(self, account: Account) -> AsyncIterator[None]:
        await asyncio.sleep(self._bucket.turn_s(time.monotonic()))
        try:
            async with self._slot(account):
                yield
        except UnavailableError as error:
            raise SlurmUnavailableError(sentences(JOB_NOT_KNOWN(), error.text), since=time.time()) from None


def _named(jobs: tuple[J, ...], account: Account) -> tuple[J, ...]:
    """The answer to a question for an account's jobs; with another's name in it, its own has just been forgotten.

    :raises UnavailableError: nothing may be concluded from names.
    """
    for job in jobs:
        if job.user != account.name:
            raise UnavailableError(OWNER_CALLED_OTHERWISE(job=job.job_id, owner=repr(job.user), account=account.name))
    return jobs


def load_key(path: Path) -> bytes:
    """The key of this gateway's marks; made where there is none.

    It stays beside the gateway's socket. When it is lost, a session whose job the hub has not on record gets another.
    """
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):
            return _read(path)
        try:
            _make(path)
        except OSError as error:
            log.warning("%s cannot be made (%s): marks last as long as this process", path, error.strerror)
            break
    return secrets.token_bytes(_KEY_BYTES)


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        log.warning("%s cannot be read (%s): marks last as long as this process", path, error.strerror)
        return secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(handle, "rb") as file:
        told = os.fstat(handle)
        key = file.read(_KEY_BYTES + 1)
    if told.st_uid == os.geteuid() and not told.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and len(key) == _KEY_BYTES:
        return key
    path.unlink()
    raise FileNotFoundError(path)


def _make(path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    os.rename(fresh, path)
