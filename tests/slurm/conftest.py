"""An account of its own on a real Slurm, whose limits a test sets, and Slurm's own word on them."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fabric_hub.gateway.queries.queries import Queries
from fabric_hub.slurm.limits.chain import LimitDecision
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import Job, JobSpec, Snapshot
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until


@dataclass
class Lab:
    """An account with two users, ``student1`` and ``student2``, below an account of its own."""

    run: EmbeddedRun
    account: str
    parent: str

    def sacctmgr(self, *arguments: str) -> None:
        self.run.slurm("sacctmgr", "--immediate", "--quiet", *arguments)

    def limit(self, **limits: str) -> None:
        """Set limits of the account; -1 takes one away."""
        words = [f"{name}={value}" for name, value in limits.items()]
        self.sacctmgr("modify", "account", self.account, "set", *words)

    def ask(self, *, gpus: int = 1, minutes: int = 60, partition: str = "gpu", qos: str | None = None) -> JobRequest:
        gres = (f"gpu:{gpus}",) if gpus else ()
        spec = JobSpec(account=self.account, partition=partition, qos=qos, cpus=1, gres=gres, minutes=minutes)
        return JobRequest.of(spec, self.run.unix_name("student1"))

    def limits(self) -> Limits:
        """What Slurm says of all limits now, asked as the gateway asks."""
        return asyncio.run(self._limits())

    async def _limits(self) -> Limits:
        slurm = self.run.settings.slurm
        assert slurm is not None
        questions, at = Queries(slurm), time.time()
        found = await questions.limits(_at_once)
        return (await questions.rules(_at_once)).applied(found).model_copy(update={"at": at})

    def snapshot(self) -> Snapshot:
        slurm = self.run.settings.slurm
        assert slurm is not None
        return Snapshot(jobs=asyncio.run(Queries(slurm).jobs()))

    def decision(self, ask: JobRequest) -> LimitDecision:
        return decide(self.limits(), self.snapshot(), ask, time.time())

    def submit(self, ask: JobRequest, *, user: str = "student1", seconds: int = 600) -> int:
        """Submit just that to Slurm, past all our checks; the job's number."""
        gpus = ask.tres.get("gres/gpu", 0)
        done = self.run.as_user(
            user, "sbatch", "--parsable", "--export=NIL", f"--account={ask.account}", f"--partition={ask.partition}",
            f"--time={ask.minutes}", "--mem=50M", "--output=/dev/null", *([f"--gres=gpu:{gpus}"] if gpus else []),
            *([f"--qos={ask.qos}"] if ask.qos else []), input=f"#!/bin/sh\nexec sleep {seconds}\n",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def until(self, number: int, *states: str) -> Job:
        """The job once it is in one of these states, or waits for one of these reasons."""
        words = "|".join(states)

        def says() -> str:
            return self.run.slurm("squeue", "-h", "-j", str(number), "--states=all", "-o", "%T %r")

        until(
            lambda: re.search(f"^({words})|({words})$", says(), re.MULTILINE),
            f"job {number} is {words}",
            50,
            every_s=0.2,
            seen=says,
        )
        return next(job for job in self.snapshot().jobs if job.job_id == number)

    def cancel(self, *numbers: int) -> None:
        for number in numbers:
            self.run.slurm("scancel", str(number))
            self.until(number, "CANCELLED", "COMPLETED")


async def _at_once() -> None:
    """The test's cluster is asked at any rate."""


@pytest.fixture
def lab(bare_cluster: EmbeddedRun) -> Iterator[Lab]:
    """A new account below a new parent, gone after the test."""
    name = f"lab{secrets.token_hex(3)}"
    made = Lab(bare_cluster, name, f"{name}-all")
    users = ",".join(bare_cluster.unix_name(user) for user in ("student1", "student2"))
    made.sacctmgr("add", "account", made.parent, "Cluster=fabric")
    made.sacctmgr("add", "account", name, f"parent={made.parent}", "Cluster=fabric")
    made.sacctmgr("add", "user", users, f"account={name}", "Cluster=fabric")
    yield made
    left = bare_cluster.slurm("squeue", "-h", "-A", name, "-o", "%i").split()
    made.cancel(*(int(number) for number in left))
    made.sacctmgr("delete", "user", users, f"account={name}")
    made.sacctmgr("delete", "account", name)
    made.sacctmgr("delete", "account", made.parent)
