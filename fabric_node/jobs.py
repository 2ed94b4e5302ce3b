"""The jobs on this node, one file each: what Slurm said of a job when it started, and which datasets it has open.

A file is written by renaming a new one over it. Prolog adds one and Epilog puts a mark beside it, both without any
lock: neither can wait for a daemon that hangs. Everything else changes them under the agent's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .config import NODE_NAME
from .grants import ACCOUNT, NAME, Grants
from .trust import NodeError

_BOOT = "/proc/sys/kernel/random/boot_id"
_FILE = re.compile(r"[A-Za-z0-9._-]+\.json")
_OLD_S = 60.0
MOST_OPEN = 64  # datasets of one job


@dataclass(frozen=True)
class Opened:
    """A dataset that a job has open: what it was when it was opened, since when, and how long it may (None: no end)."""

    version: str | None
    sha256: str | None
    since: float
    until: float | None


@dataclass(frozen=True)
class Job:
    """One job on one node. ``account`` is None where Slurm does not tell Prolog; ``started`` is in nanoseconds."""

    node: str
    job: int
    uid: int
    account: str | None
    started: int
    boot: str
    opened: Mapping[str, Opened] = field(default_factory=dict)
    refused: tuple[str, ...] = ()  # "dataset reason" that is in the audit log already
    past: Mapping[str, float] = field(default_factory=dict)  # what it had open before, and when it opened it first
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the bases of all that it has, or had, open
    namespace: str = ""  # the file of the mount namespace that Slurm gave it, once we saw it
    end: bool = False  # it had something that its project lost for good: it is being ended

    @property
    def stem(self) -> str:
        return f"{self.node}.{self.job}.{self.started}"

    def with_opened(self, name: str, opened: Opened | None) -> Job:
        """This job with one dataset more, or (None) without it."""
        kept = {known: value for known, value in self.opened.items() if known != name}
        if opened is not None:
            return replace(self, opened={**kept, name: opened})
        if name not in self.opened:
            return self
        return replace(self, opened=kept, past={name: self.opened[name].since, **self.past})


def holding(job: Job, grants: Grants) -> Job:
    """This job with the bases of what it has open, as it is published now."""
    more = {}
    for name in job.opened:
        dataset = grants.datasets.get(name)
        known = job.held.get(name, ())
        sources = dataset.shown_to(job.uid, apart=bool(job.namespace)) if dataset else {}
        news = {source.key for source in sources.values()}.difference(known)
        if news:
            more[name] = (*known, *sorted(news))
    return replace(job, held={**job.held, **more}) if more else job


def boot_id() -> str:
    """Changes with every boot: what was mounted before is gone."""
    with open(_BOOT, encoding="ascii") as file:
        return file.read().strip()


def from_slurm(environment: Mapping[str, str], started: int) -> Job:
    """The job of a Prolog or Epilog, from the environment that slurmd gives them (not from the job's own).

    :raises NodeError: slurmd said too little.
    """
    job, uid = environment.get("SLURM_JOB_ID", ""), environment.get("SLURM_JOB_UID", "")
    node = environment.get("SLURMD_NODENAME") or os.uname().nodename.split(".")[0]
    if not (job.isdecimal() and uid.isdecimal() and NODE_NAME.fullmatch(node)):
        raise NodeError("SLURM_JOB_ID, SLURM_JOB_UID and SLURMD_NODENAME do not name a job; run this from Slurm.")
    account = environment.get("SLURM_JOB_ACCOUNT", "")
    return Job(node, int(job), int(uid), account if ACCOUNT.fullmatch(account) else None, started, boot_id())


def _parse(data: Any) -> Job:
    opened = {str(name): Opened(**value) for name, value in data["opened"].items() if NAME.fullmatch(name)}
    held = {name: tuple(keys) for name, keys in data.get("held", {}).items()}
    return Job(**{**data, "opened": opened, "refused": tuple(data["refused"]), "held": held})


class Jobs:
    """The directory of the jobs' files; only root may enter it."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._read: dict[str, tuple[tuple[int, int, int], Job]] = {}  # name -> what tells a new file, and the job

    def all(self) -> list[Job]:
        """Every job whose file can be read, oldest first; those that Epilog has marked are in :meth:`ended` too."""
        found: dict[str, tuple[tuple[int, int, int], Job]] = {}
        for name in self._names():
            if _FILE.fullmatch(name):
                with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                    found[name] = self._job(name)
        self._read = found
        return sorted((job for _, job in found.values()), key=lambda job: job.started)

    def _job(self, name: str) -> tuple[tuple[int, int, int], Job]:
        """A file is never changed, only replaced: one that was read need not be read again."""
        path = os.path.join(self._directory, name)
        status = os.stat(path)
        known = self._read.get(name)
        if known and known[0] == (status.st_ino, status.st_mtime_ns, status.st_size):
            return known
        with open(path, encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            return (status.st_ino, status.st_mtime_ns, status.st_size), _parse(json.load(file))

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._directory)
        except FileNotFoundError:
            return []

    def ended(self) -> frozenset[str]:
        """The stems of the jobs that Epilog marked."""
        return frozenset(name[: -len(".ended")] for name in self._names() if name.endswith(".ended"))

    def write(self, job: Job) -> None:
        """Store a job, in one step.

        :raises OSError: the disk is full, for instance; then the old state stays.
        """
        fresh = os.path.join(self._directory, f".{secrets.token_hex(8)}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(asdict(job), file)
            os.rename(fresh, os.path.join(self._directory, f"{job.stem}.json"))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
            raise

    def mark(self, node: str, number: int) -> None:
        """Say that a job is over, for whoever next looks."""
        for job in self.all():
            if (job.node, job.job) == (node, number):
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(self._path(job, "ended"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def remove(self, job: Job) -> None:
        """Forget a job: first the job, then its mark."""
        for suffix in ("json", "ended"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(job, suffix))

    def tidy(self) -> None:
        """Remove what a crash left: half-written files, and marks of jobs that are gone.

        Only old ones: Prolog and Epilog, which hold no lock, may be at work.
        """
        stems = {job.stem for job in self.all()}
        for name in self._names():
            path = os.path.join(self._directory, name)
            if name.startswith(".") or (name.endswith(".ended") and name[: -len(".ended")] not in stems):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - os.lstat(path).st_mtime > _OLD_S:
                        os.unlink(path)

    def _path(self, job: Job, suffix: str) -> str:
        return os.path.join(self._directory, f"{job.stem}.{suffix}")


def alive(jobs: list[Job], ended: frozenset[str], boot: str) -> Iterator[Job]:
    """The jobs that nothing says are over: not marked, and of this boot."""
    return (job for job in jobs if job.stem not in ended and job.boot == boot)
