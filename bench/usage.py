"""``usage``: a thousand people with a session each ask what is left every half minute. What that costs, and how long
they wait.

The sessions are on the hub's record, each with its user's association and a job in Slurm's queue, and their tokens are
the hub's own; their servers are left out, because what is measured here never reaches them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from fabric_hub.hub.tls import AUTHORITY, make_pair
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.scopes import SESSION_SCOPE
from fabric_hub.sessions.store import Session, SessionStore, token_digest
from fabric_hub.slurm.model import job_name
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until_async

from . import ours, sdiag
from .cpu import spent
from .figures import Result, Row, percentile
from .peer import CHECKOUT

PATH = "/services/fabric/api/session/quota"
# What each session's server asks by itself, at the hub's own port over internal TLS: whether its end is near
# (fabric_lab.server.usage.END_LOOK_S).
OWN_PATH, OWN_PERIOD_S = "/hub/fabric/api/session", 20.0
TRUSTED = f"{AUTHORITY}_trust.crt"
PROJECT, OWNER = "proteins", "researcher"
AIM_RPCS, AIM_MS = 5.0, 20.0
# What sessions cost Slurm with or without anybody who asks for usage: the benchmark `load` is about that.
_OF_SESSIONS = ("REQUEST_JOB_INFO", "REQUEST_NODE_INFO")


def of_usage(by_type: Mapping[str, float]) -> float:
    """The questions that are not about jobs and nodes. Pure.

    squeue and sinfo ask for partitions with their jobs and nodes: as many of these questions are their own.
    """
    rest = sum(number for name, number in by_type.items() if name not in _OF_SESSIONS)
    theirs = sum(by_type.get(name, 0.0) for name in _OF_SESSIONS)
    return rest - min(by_type.get("REQUEST_PARTITION_INFO", 0.0), theirs)


def enrol(run: EmbeddedRun, users: list[str]) -> None:
    """Slurm associations for all users in the project's account."""
    for begin in range(0, len(users), 200):
        names = ",".join(run.unix_name(user) for user in users[begin : begin + 200])
        run.slurm("sacctmgr", "--immediate", "add", "user", names, f"account={PROJECT}")


def sessions(run: EmbeddedRun, users: list[str]) -> list[Session]:
    """A session on record for every user, with a job that waits in Slurm's queue."""
    store = SessionStore(database_url(run.settings))
    fields: dict[str, Any] = {"server_name": "", "kind": "slurm", "project": PROJECT, "account": PROJECT,
              "profile": "gpu-1", "image": "base", "hours": 1.0, "gpus": 1}  # fmt: skip
    made = [store.create(user=user, **fields) for user in users]

    def submit(session: Session) -> None:
        name = job_name(run.settings.hub.id, session.id)
        argv = ["sbatch", "--hold", "--parsable", f"--account={PROJECT}", "--gres=gpu:1", "--time=60",
                "--output=/dev/null", f"--job-name={name}", "--wrap=true"]  # fmt: skip
        done = run.as_user(OWNER, *argv)
        assert done.returncode == 0, done.stderr
        store.update(session.id, job_id=int(done.stdout.strip()), submitted_at=time.time())

    with ThreadPoolExecutor(4) as hands:
        list(hands.map(submit, made))
    store.close()
    return made


async def tokens(run: EmbeddedRun, users: list[str]) -> list[str]:
    """A session's own token for every user."""
    headers = {"Authorization": f"token {ours.token(run)}"}
    async with httpx.AsyncClient(base_url=run.address, headers=headers, timeout=120, trust_env=False) as http:
        (await http.post("/hub/api/users", json={"usernames": users})).raise_for_status()

        async def one(user: str) -> str:
            scopes = [SESSION_SCOPE, f"access:servers!server={user}/", "access:services!service=fabric"]
            answer = await http.post(f"/hub/api/users/{user}/tokens", json={"scopes": scopes, "expires_in": 3600})
            answer.raise_for_status()
            return str(answer.json()["token"])

        return [await one(user) for user in users]


def hand_out(run: EmbeddedRun, made: list[Session], known: list[str]) -> None:
    """Put each session's token on its record, as the spawner does."""
    store = SessionStore(database_url(run.settings))
    for session, token in zip(made, known, strict=True):
        store.update(session.id, token_digest=token_digest(token))
    store.close()


async def counted(run: EmbeddedRun, seconds: float) -> dict[str, float]:
    """Questions a minute that slurmctld is asked in the next seconds, by type."""
    return await counted_while(run, asyncio.sleep(seconds))


async def counted_while(run: EmbeddedRun, work: Awaitable[object]) -> dict[str, float]:
    """Questions a minute that slurmctld is asked while something is done, by type."""
    await asyncio.to_thread(run.slurm, "sdiag", "--reset")
    began = time.monotonic()
    await work
    text, took = await asyncio.to_thread(run.slurm, "sdiag"), time.monotonic() - began
    return {name: number / took * 60 for name, number in sdiag.questions(sdiag.counts(text)).items()}


def a_sessions_files(run: EmbeddedRun, directory: Path) -> list[str]:
    """A certificate as a session has one, its key, and whom it trusts."""
    certs = run.settings.hub.state_dir / "certs"
    authority = [(certs / AUTHORITY / f"{AUTHORITY}.{end}").read_bytes() for end in ("crt", "key")]
    key, certificate = make_pair("bench", ["IP:127.0.0.1"], *authority)
    (directory / "key").write_bytes(key)
    (directory / "crt").write_bytes(certificate)
    return [str(directory / "crt"), str(directory / "key"), str(certs / TRUSTED)]


async def asked(
    address: str, all_tokens: list[str], path: str, period: float, seconds: float, files: Sequence[str] = ()
) -> list[float]:
    """Let everybody ask for so many seconds; how long each question took."""
    asker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.askers", address, path, str(period), str(seconds), *files,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT,
    )  # fmt: skip
    output, _ = await asker.communicate("\n".join(all_tokens).encode())
    if asker.returncode:
        raise RuntimeError("a question was not answered")
    took: list[float] = json.loads(output)
    return took


def hub_cpu_s(run: EmbeddedRun) -> float:
    """CPU seconds that the hub's process has used; its proxy and service are others."""
    return spent(Path(f"/proc/{run.pid('hub')}/stat").read_text())


async def knows_limits(run: EmbeddedRun, token: str) -> None:
    """Wait until the service has heard of Slurm's limits, so that everybody asks for all that there is."""
    async with httpx.AsyncClient(base_url=run.address, timeout=30, trust_env=False) as http:

        async def told() -> bool:
            answer = (await http.get(PATH, headers={"Authorization": f"token {token}"})).json()
            return bool(answer.get("gpu_hours") and answer.get("user_gpu_hours"))

        await until_async(told, "the service knows the limits of the last session's user", 150, 1.0)


async def run(arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``askers``, ``period`` and ``window``.
    """
    users = [f"load{number:04}" for number in range(arguments.askers)]
    period, window = arguments.period, arguments.window
    async with ours.running(images) as embedded:
        await asyncio.to_thread(enrol, embedded, users)
        made = await asyncio.to_thread(sessions, embedded, users)
        known = await tokens(embedded, users)
        await asyncio.to_thread(hand_out, embedded, made, known)
        print(f"  {len(users)} sessions", flush=True)
        await knows_limits(embedded, known[-1])
        quiet = await counted(embedded, window)
        took, busy = await asyncio.gather(
            asked(embedded.address, known, PATH, period, max(window, 4 * period)), counted(embedded, window)
        )
        hub = embedded.settings.hub
        with tempfile.TemporaryDirectory() as directory:
            files = a_sessions_files(embedded, Path(directory))
            spent_before, seconds = hub_cpu_s(embedded), max(window, 3 * OWN_PERIOD_S)
            at = f"https://{hub.hub_ip}:{hub.hub_port}"
            own = await asked(at, known, OWN_PATH, OWN_PERIOD_S, seconds, files)
            hub_took = (hub_cpu_s(embedded) - spent_before) / len(own)
    added = max(0.0, sum(busy.values()) - sum(quiet.values()))
    # at the first question of every session the hub is asked, beside it, whether its token stands
    first, rest = took[: len(users)], took[len(users) :]
    return Result(
        "usage",
        (
            Row("RPCs a minute for usage", "1/min", of_usage(busy), None, aim=AIM_RPCS, of="ours"),
            Row("  added by those who ask", "1/min", added, None, aim=AIM_RPCS, of="ours"),
            Row("  all, sessions included", "1/min", sum(busy.values()), None),
            Row("GET /session/quota, p99", "ms", percentile(took, 99) * 1000, None, aim=AIM_MS, of="ours"),
            Row("  p50", "ms", percentile(took, 50) * 1000, None),
            Row("  worst", "ms", max(took) * 1000, None),
            Row("  the first question of each session, p99", "ms", percentile(first, 99) * 1000, None),
            Row("  every later one, p99", "ms", percentile(rest, 99) * 1000, None),
            Row("GET /session, p99", "ms", percentile(own, 99) * 1000, None, aim=AIM_MS, of="ours"),
            Row("  p50", "ms", percentile(own, 50) * 1000, None),
            Row("  worst", "ms", max(own) * 1000, None),
            Row("  CPU time of the hub for each", "ms", hub_took * 1000, None),
        ),
        (
            f"{len(users)} sessions on record, each with an association and a job in Slurm's queue.",
            f"Each asks every {period:g} s through the proxy, {len(took)} questions in all, timed from when due.",
            f"After that each asks GET /session every {OWN_PERIOD_S:g} s, {len(own)} questions in all, over TLS.",
            "RPCs counted by sdiag; for usage are those about anything but jobs and nodes.",
        ),
        {"quiet": quiet, "busy": busy},
    )
