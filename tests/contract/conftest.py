"""One stage, two gateways: the in-memory fake, and the real one on the embedded Slurm."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import LONGEST_WAIT_S
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.gateway.server import serve
from fabric_hub.gateway.service import Gateway
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, PartitionLimits
from fabric_hub.slurm.model import CancelRequest, ExtendRequest, Job, JobSpec, Snapshot, SubmitRequest, job_name
from fabric_hub.unix import accounts
from tests.support.embedded_run import EmbeddedRun
from tests.support.gateway import FakeGateway, serving
from tests.support.waiting import until_async

WAITS = 3 * 24 * 60  # minutes: longer than the embedded partitions allow, so that a job stays in the queue
_ALPHABET = string.ascii_lowercase + "234567"


def new_session() -> str:
    """A session id that nobody else uses."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


@dataclass
class Stage:
    """A gateway under test, and two people who may use it."""

    client: GatewayClient
    hub: str
    user: str
    other: str
    account_of: Callable[[str], str]
    silent: Callable[[], AbstractContextManager[None]]
    spec: JobSpec
    forge: Callable[[str, str], int]  # a job that a user gives a session's name, and any comment; its number
    settings: Settings | None = None

    def request(
        self,
        session: str,
        *,
        user: str | None = None,
        again: bool = False,
        waits: bool = False,
        job_id: int | None = None,
    ) -> SubmitRequest:
        spec = self.spec.model_copy(update={"minutes": WAITS}) if waits else self.spec
        environment = {"JUPYTERHUB_API_TOKEN": "a-secret-token"}
        return SubmitRequest(
            session=session,
            user=user or self.user,
            image="base",
            spec=spec,
            environment=environment,
            again=again,
            job_id=job_id,
        )

    def more(self, session: str, job_id: int, minutes: int, **other: Any) -> ExtendRequest:
        """What the service asks for a session with this job on record."""
        asked = {"user": self.user, "account": self.spec.account, "partition": self.spec.partition, **other}
        return ExtendRequest(session=session, job_id=job_id, minutes=minutes, **asked)

    def jobs_of(self, snapshot: Snapshot, session: str) -> list[Job]:
        return [job for job in snapshot.jobs if job.name == job_name(self.hub, session)]

    async def fresh_limits(self, limit_s: float = 90) -> Limits:
        """Limits that Slurm was asked for from now on; on a crowded machine that is more than one wait."""
        asked = time.time()

        async def fresh() -> Limits | None:
            known = await self.client.limits(fresh=asked, wait_s=LONGEST_WAIT_S)
            return known if (known.at or 0.0) >= asked else None

        return await until_async(fresh, "the gateway has asked Slurm for limits", limit_s, every_s=0)

    async def until(self, session: str, true: Callable[[Job], bool], limit_s: float = 90) -> Job:
        """Follow the snapshot until a session's newest job is as wanted."""
        after, job = None, None

        async def wanted() -> Job | None:
            nonlocal after, job
            snapshot = await self.client.snapshot(after=after, wait_s=5)
            after = snapshot.serial
            job = next(iter(reversed(self.jobs_of(snapshot, session))), job)
            return job if job and true(job) else None

        return await until_async(wanted, f"session {session} is as wanted", limit_s, every_s=0, seen=lambda: job)


@asynccontextmanager
async def _fake(tmp_path: Path) -> AsyncIterator[Stage]:
    def account_of(user: str) -> str:
        if user not in ("student1", "student2"):
            raise FabricError(f"There is no Unix account {user}.", reason="account", status=403)
        return f"x-{user}"

    class Fake(FakeGateway):
        async def submit(self, request):  # type: ignore[no-untyped-def]
            self.hold = request.spec.minutes == WAITS
            return await super().submit(request)

    fake = Fake("test", account_of=account_of)
    fake.strangers = frozenset({"operator"})
    fake.set_limits(
        Limits(
            associations=(
                Association(account="lab", parent="root", grp_tres_mins={GPU: Limit(limit=600)}),
                Association(account="lab", user="x-student1", parent="lab"),
            ),
            partitions=(PartitionLimits(name="gpu"),),
        )
    )

    @contextlib.contextmanager
    def silent():  # type: ignore[no-untyped-def]
        fake.become_unavailable()
        yield
        fake.answer_again()

    def forge(session: str, comment: str) -> int:
        return fake.forge(session, "x-student1")

    async with serving(fake, tmp_path / "gateway.sock") as client:
        spec = JobSpec(account="lab", partition="gpu", minutes=5)
        yield Stage(client, "test", "student1", "student2", account_of, silent, spec, forge)


# an "image" whose notebook says how it was called and then waits, as a notebook does
_PYTHON = """#!/bin/bash
echo "called with: $*"
echo "token in the environment: ${JUPYTERHUB_API_TOKEN:-none}"
echo "home: $HOME"
exec sleep 600
"""


@asynccontextmanager
async def _real(run: EmbeddedRun, directory: Path) -> AsyncIterator[Stage]:
    python = directory / "images" / "base" / "current" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(_PYTHON)
    python.chmod(0o755)
    settings = run.settings
    assert settings.slurm is not None
    hub = f"t{secrets.token_hex(3)}"
    programs = directory / "bin"  # links, so that a test may put a site's wrapper in a client's place
    programs.mkdir(mode=0o755, exist_ok=True)
    for name in ("sbatch", "scancel", "scontrol", "squeue", "sinfo", "sacct", "sacctmgr"):
        if not (programs / name).is_symlink():
            (programs / name).symlink_to(settings.slurm.bin_dir / name)
    settings = settings.model_copy(
        update={
            "hub": settings.hub.model_copy(update={"id": hub}),
            "images": settings.images.model_copy(update={"dir": directory / "images"}),
            # one whose account Slurm does not have
            "project": {
                **settings.project,
                "ghost": Project(account="no-such-account", members=Members(owner=("student1",))),
            },
            "slurm": settings.slurm.model_copy(
                update={
                    "bin_dir": programs,
                    "watch_interval_s": 1.0,
                    "max_queries_per_s": 5.0,
                    "query_timeout_s": 3.0,
                    "extend": "as-gateway",
                }
            ),
        }
    )

    def forge(session: str, comment: str) -> int:
        done = run.as_user(
            "student1", "sbatch", "--parsable", "--account=ml-course", "--partition=cpu", "--mem=100M", "--time=5",
            f"--job-name={job_name(hub, session)}", f"--comment={comment}", "--output=/dev/null", "--wrap=sleep 600",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    gateway = Gateway(settings)
    stop, ready = asyncio.Event(), asyncio.Event()
    socket = directory / f"{hub}.sock"
    task = asyncio.create_task(serve(gateway, socket, stop, ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            task.result()
        async with GatewayClient(socket) as client:
            yield Stage(
                client,
                hub,
                "student1",
                "student2",
                lambda user: accounts.resolve(user, settings.users).name,
                lambda: run.silent("slurmctld"),
                JobSpec(partition="cpu", account="ml-course", cpus=1, memory_mb=100, minutes=5),
                forge,
                settings,
            )
            snapshot = await client.snapshot()
            owners = {accounts.resolve(user, settings.users).name: user for user in ("student1", "student2")}
            for job in snapshot.jobs:
                if job.session and job.session[0] == hub and job.user in owners:
                    await client.cancel(CancelRequest(session=job.session[1], user=owners[job.user]))
    finally:
        stop.set()
        waiting.cancel()
        await task


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.slurm)])
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """The gateway under test."""
    if request.param == "fake":
        async with _fake(tmp_path) as stage:
            yield stage
        return
    run: EmbeddedRun = request.getfixturevalue("embedded")
    directory = run.directory / "contract"  # other accounts can pass through it; it goes with the run
    directory.mkdir(mode=0o755, exist_ok=True)
    async with _real(run, directory) as stage:
        yield stage
