"""Record what a generation of Slurm answers to the gateway's questions, for the unit tests of their parsers.

    sudo .venv/bin/python -m scripts.generations --record

runs this in a root of every generation, against an embedded cluster with jobs of every kind that soon stand still. Each
question is put by :class:`~fabric_hub.gateway.queries.queries.Queries` itself, and each answer becomes a file of
tests/unit/gateway/recorded/VERSION. It takes a minute: no test runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fabric_hub.gateway.queries.queries import Queries
from fabric_hub.slurm.model import Job
from fabric_hub.unix import accounts, command
from fabric_hub.unix.accounts import Account
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

PREFIX, MARK = "rec-", "0123456789abcdef"
NAME = "fabric-main-aaaaaaaaaaaa"
HOSTILE = f"x\n8|RUNNING|{NAME}\ny"
LATER = "--begin=now+7days"
# name -> what is submitted beside what every job is: options of sbatch, and what runs
JOBS: dict[str, tuple[list[str], str]] = {
    NAME: (["--partition=gpu", "--gres=gpu:h200:1", "--comment=datasets=a|b c=d", "--time=20:00:00"], "sleep 3600"),
    "later": ([LATER, "--partition=gpu", "--gres=gpu:2"], "true"),
    "tasks": (["--array=1-2"], "sleep 3600"),
    "apart": (["--array=0-8:2%2", LATER], "true"),
    "failed": ([], "exit 3"),
    "killed": ([], "kill -9 $$"),
    "cancelled": ([LATER], "true"),
    "done": ([], "true"),
    HOSTILE: (["--comment=JobState=FAILED EndTime=1"], "sleep 3600"),
}
REFUSED: dict[str, list[str]] = {
    "account": ["--account=nobodys"],
    "partition": ["--partition=nowhere"],
    "qos": ["--qos=best"],
    "gres": ["--partition=gpu", "--gres=gpu:none:1"],
    "memory": ["--mem=900000G"],
    "feature": ["--constraint=none"],
    "reservation": ["--reservation=none"],
    "submissions": [],
}


class Recorder(Queries):
    """Puts the questions, and keeps what was asked and answered."""

    def __init__(self, run: EmbeddedRun) -> None:
        assert run.settings.slurm is not None
        super().__init__(run.settings.slurm, run.settings.users)
        self.answers: list[dict[str, Any]] = []

    async def _call(
        self,
        program: str,
        arguments: Sequence[str],
        form: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        account: Account | None = None,
    ) -> command.Finished:
        done = await super()._call(program, arguments, form, timeout_s, account)
        self.answers.append(
            {
                "program": program,
                "arguments": list(arguments),
                "environment": dict(form or {}),
                "status": done.returncode,
                "answer": done.stdout.decode("utf-8", "replace"),
                "words": done.words,
            }
        )
        return done


def submit(run: EmbeddedRun, name: str, options: list[str], script: str, user: str = "researcher") -> int:
    """A job's number."""
    argv = ["sbatch", "--parsable", "--export=NIL", "--account=proteins", "--mem=100M", "--output=/dev/null"]
    done = run.as_user(user, *argv, f"--job-name={name}", *options, input=f"#!/bin/sh\n{script}\n")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def scene(run: EmbeddedRun) -> dict[str, int]:
    """Jobs of every kind, a drained node, two reservations and limits of all sorts; the jobs' numbers by name."""
    tomorrow = time.strftime("%Y-%m-%dT09:00:00", time.localtime(time.time() + 86400))
    sacctmgr = ["sacctmgr", "--immediate", "--quiet"]
    run.slurm(*sacctmgr, "add", "qos", "High", "set", "MaxTRESPerUser=gres/gpu=2", "MaxWall=02:00:00", "UsageFactor=2")
    run.slurm(*sacctmgr, "modify", "account", "proteins", "set", "qos+=High", "GrpTRES=cpu=64", "MaxSubmitJobs=50")
    run.slurm(*sacctmgr, "modify", "account", "ml-course", "set", "MaxJobs=3")
    run.slurm(*sacctmgr, "modify", "account", "ml-course", "set", "GrpTRESMins=gres/gpu=0")
    numbers = {name: submit(run, name, *what) for name, what in JOBS.items()}
    spent = ["--account=ml-course", "--partition=gpu", "--gres=gpu:1"]
    numbers["spent"] = submit(run, "spent", spent, "true", "student1")
    run.as_user("researcher", "scancel", str(numbers["cancelled"]))
    for name, state in {NAME: "RUNNING", "tasks": "RUNNING", HOSTILE: "RUNNING", "done": "COMPLETED"}.items():
        states = ["squeue", "-h", "--states=all", "-o", "%T", "-j", str(numbers[name])]
        until(lambda states=states, state=state: state in run.slurm(*states), f"{name!r} is {state}", 60)  # type: ignore[misc]
    reason = ["squeue", "-h", "-o", "%r", "-j", str(numbers["spent"])]
    until(lambda: "Assoc" in run.slurm(*reason), "a job waits for want of budget", 60)
    for name, state in {"failed": "FAILED", "killed": "FAILED", "cancelled": "CANCELLED", "done": "COMPLETED"}.items():
        ended = ["sacct", "-n", "-X", "-P", "-o", "state", "-j", str(numbers[name])]
        until(lambda ended=ended, state=state: state in run.slurm(*ended), f"{name!r} is recorded as {state}", 90)  # type: ignore[misc]
    run.slurm(
        "scontrol", "create", "reservation", "ReservationName=course", f"StartTime={tomorrow}", "Duration=90",
        "Accounts=ml-course", "Nodes=cpu1",
    )  # fmt: skip
    run.slurm(
        "scontrol", "create", "reservation", "ReservationName=spare", f"StartTime={tomorrow}", "Duration=60",
        "Users=root", "Nodes=gpu2", "Flags=FLEX",
    )  # fmt: skip
    run.slurm("scontrol", "update", "NodeName=gpu2", "State=DRAIN", "Reason=a disk | is=broken")
    return numbers


async def ask(run: EmbeddedRun, numbers: dict[str, int]) -> dict[str, Any]:
    """Every question of the gateway's, by name, with its answers."""
    queries, found = Recorder(run), dict[str, Any]()
    owner = accounts.resolve("researcher", run.settings.users)
    job = Job(job_id=numbers[NAME], name=NAME, user=owner.name, state="UNKNOWN")

    async def at_once() -> None:
        """This cluster is asked at any rate."""

    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "jobs": queries.jobs,
        "details": lambda: queries.details(NAME, owner),
        "job": lambda: queries.job(job),
        "no-job": lambda: queries.job(job.model_copy(update={"job_id": 99999})),
        "cancelled-by": lambda: queries.cancelled_by(numbers["cancelled"]),
        "node-reason": lambda: queries.node_reason("gpu2"),
        "nodes": queries.nodes,
        "reservations": queries.reservations,
        "endings": lambda: queries.endings([numbers[name] for name in ("failed", "killed", "cancelled", "done")]),
        "limits": lambda: queries.limits(at_once),
        "rules": lambda: queries.rules(at_once),
        "accounting": lambda: queries.accounting(time.time() - 3600, time.time(), ["proteins"]),
    }
    for name, question in questions.items():
        queries.answers = []
        await question()
        found[name] = queries.answers
    return found


def refusals(run: EmbeddedRun) -> dict[str, str]:
    """What sbatch writes when it refuses, by what is wrong, and what a client does when Slurm is away."""
    found = {}
    for name, options in REFUSED.items():
        if name == "submissions":
            run.slurm("sacctmgr", "-i", "-Q", "modify", "account", "proteins", "set", "GrpSubmitJobs=0")
        argv = ["sbatch", "--parsable", "--account=proteins", "--mem=100M", "--output=/dev/null", *options]
        done = run.as_user("researcher", *argv, input="#!/bin/sh\ntrue\n")
        found[name] = done.stderr if done.returncode else ""
    argv = ["sbatch", "--parsable", "--account=proteins", "--output=/dev/null"]
    for name, daemon in {"no-munge": "munged", "no-controller": "slurmctld"}.items():
        pid = run.pid(daemon)
        subprocess.run(["kill", "-KILL", str(pid)], check=True)
        until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), f"{daemon} has ended", 30)  # type: ignore[misc]
        environment = ["env", "SLURM_TIMEOUT=5"]
        done = run.as_user("researcher", *environment, *argv, input="#!/bin/sh\ntrue\n")
        assert done.returncode, f"{name}: sbatch succeeds"
        found[name] = done.stderr
    return found


def anonymous(run: EmbeddedRun, answers: Any) -> Any:
    """Answers without this machine (the run's directory, the machine's name), and with one mark."""
    text = json.dumps(answers, indent=1, ensure_ascii=False)
    text = re.sub(r"(?<=\|)[0-9a-f]{32}", MARK, text)
    text = re.sub(
        rf"\b{re.escape(socket.gethostname())}\b", "machine", text.replace(str(run.directory), "/run-of-fabric")
    )
    return json.loads(text)


def main() -> int:
    """Record everything of the Slurm that is installed here."""
    parser = argparse.ArgumentParser(prog="python -m scripts.record_slurm", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("into", type=Path, help="the directory of all generations")
    into: Path = parser.parse_args().into
    version = subprocess.run(["slurmd", "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]
    generation = ".".join(version.split(".")[:2])
    directory = Path(tempfile.mkdtemp(prefix="fabric-record-", dir="/tmp"))
    directory.chmod(0o755)
    run = EmbeddedRun.start(directory / "run", "--prefix", PREFIX, "--until", "slurm")
    try:
        numbers = scene(run)
        answers = asyncio.run(ask(run, numbers))
        answers["refusals"] = refusals(run)
        answers["about"] = {"version": version, "jobs": numbers, "recorded_at": int(time.time())}
        place = into / generation
        place.mkdir(parents=True, exist_ok=True)
        for name, answer in anonymous(run, answers).items():
            text = json.dumps(answer, indent=1, ensure_ascii=False)
            (place / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    finally:
        run.remove()
        directory.rmdir()
    print(f"{len(answers)} answers of Slurm {version} are in {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
