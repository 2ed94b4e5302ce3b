"""``hub``: how long the hub's API takes to answer while many sessions start at once.

The gateway is the tests' fake one and the servers are tiny: what is left is the
hub's own work, certificates included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_dev import ports, processes, runtime
from fabric_dev.cluster import base_environment
from fabric_dev.instance import write_private
from fabric_dev.layout import Layout
from fabric_dev.sitefile import toml
from fabric_hub.config.settings import ENV
from tests.support.waiting import until_async

from .cpu import spent
from .figures import Result, Row, percentile
from .hub_client import HubClient, Server, healthy
from .peer import CHECKOUT
from .probe import RATE

HUB_ID = "bench"
AIM_S = 0.1
PATHS = ("/hub/api/users/user0", "/hub/health")


def site(layout: Layout, chosen: ports.Ports, proxy_command: tuple[str, ...], users: list[str]) -> str:
    """The site file: a project with many members, a profile, and a site's default rates."""
    return toml(
        {
            "hub": {
                "id": HUB_ID,
                "state_dir": layout.hub,
                "bind_url": f"http://127.0.0.1:{chosen.public}",
                "hub_port": chosen.hub,
                "proxy_command": list(proxy_command),
            },
            "login": {"kind": "demo", "demo_file": layout.logins},
            "gateway": {"socket": layout.root / "gateway.sock"},
            "slurm": {},
            "images": {"dir": layout.images},
            "image": {"base": {}},
            "profile": {"small": {"cpus": 1}},
            "project": {"bench": {"account": "bench", "members": {"member": users}}},
        }
    )


@dataclass(frozen=True)
class Hub:
    """A running hub: its address, a token for it, where its files are, and its process."""

    address: str
    token: str
    layout: Layout
    pid: int

    def cpu_s(self) -> float:
        """CPU seconds that the hub itself has used: not its proxy, nor its service."""
        return spent(Path(f"/proc/{self.pid}/stat").read_text())


@dataclass(frozen=True)
class Measured:
    """Latencies by path, how long the work took meanwhile, and what CPU time the hub used; all in seconds."""

    latencies: dict[str, list[float]]
    took_s: float
    cpu_s: float

    @property
    def count(self) -> int:
        """How many questions were asked."""
        return sum(map(len, self.latencies.values()))


@contextmanager
def running(users: list[str], images: Path) -> Iterator[Hub]:
    """A hub with its proxy and service, and the fake gateway."""
    with tempfile.TemporaryDirectory(prefix="fabric-bench-", dir="/tmp") as name, ports.Claims() as claims:
        layout = Layout(Path(name), images)
        for directory in (layout.hub, layout.log):
            directory.mkdir(mode=0o700)
        chosen, code = ports.choose(claims, None, None), runtime.current(layout, print)
        token = secrets.token_hex(32)
        write_private(layout.logins, json.dumps({user: secrets.token_hex(16) for user in users}))
        write_private(layout.token, token)
        layout.site.parent.mkdir(exist_ok=True)
        layout.site.write_text(site(layout, chosen, code.proxy_command, users))
        environment = {**base_environment(layout), ENV: str(layout.site), "PYTHONPATH": str(CHECKOUT)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        commands = {
            "stage": [str(code.python), "-m", "bench.stage", str(layout.root / "gateway.sock"), HUB_ID],
            "hub": [str(code.python), "-m", "jupyterhub", "-f", str(code.config)],
        }
        started = [
            processes.start(argv, log=layout.log / f"{part}.log", environment=environment, cwd=layout.hub)
            for part, argv in commands.items()
        ]
        try:
            yield Hub(f"http://127.0.0.1:{chosen.public}", token, layout, started[-1].pid)
        finally:
            processes.end(processes.leftovers(layout.root))
            for process in started:
                process.wait()


async def measured(hub: Hub, work: Any, paths: Sequence[str] = PATHS) -> Measured:
    """Do some work and time the hub's answers meanwhile, at these paths."""
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", hub.address, *paths,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT,
    )  # fmt: skip
    assert probe.stdin is not None
    probe.stdin.write(f"{hub.token}\n".encode())
    began, used = time.monotonic(), hub.cpu_s()
    await work
    took, used = time.monotonic() - began, hub.cpu_s() - used
    probe.stdin.close()
    output, _ = await probe.communicate()
    if probe.returncode:
        raise RuntimeError("the hub did not answer a question")
    return Measured(json.loads(output), took, used)


async def clicks(hub: HubClient, servers: list[Server], over_s: float) -> None:
    """Start all servers, one click after the other, evenly over so many seconds; wait until all are ready."""

    async def click(number: int, server: Server) -> None:
        await asyncio.sleep(over_s * number / len(servers))
        await hub.start(server)

    await asyncio.gather(*(click(number, server) for number, server in enumerate(servers)))


def rows(kind: str, latencies: dict[str, list[float]], aim_ms: float | None) -> list[Row]:
    """p99, median and worst of every path, in milliseconds; the aim is for p99."""
    found = []
    for path, all_s in latencies.items():
        name = f"{path.replace('user0', 'x')}, {kind}"
        found += [
            Row(f"{name}, p99", "ms", percentile(all_s, 99) * 1000, None, aim=aim_ms, of="ours"),
            Row(f"{name}, p50", "ms", percentile(all_s, 50) * 1000, None),
            Row(f"{name}, worst", "ms", max(all_s) * 1000, None),
        ]
    return found


async def run(arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``starts`` and ``over``.
    """
    users = [f"user{number}" for number in range(arguments.starts)]
    over: float = arguments.over
    with running(users, images) as hub:

        async def up() -> bool:
            return await healthy(hub.address, hub.token)

        try:
            await until_async(up, "the hub answers", 60, 0.2)
            async with HubClient(hub.address, hub.token) as client:
                for user in users:
                    await client.add_user(user)
                idle = await measured(hub, asyncio.sleep(5))
                course = [Server(user, "course", {"project": "bench"}) for user in users]
                spread = await measured(hub, clicks(client, course, over))
                moment = [Server(user, "moment", {"project": "bench"}) for user in users]
                at_once = await measured(hub, clicks(client, moment, 0))
        except Exception:
            print(*(f"{log}:\n{processes.tail(log, 40)}" for log in hub.layout.log.glob("*.log")), sep="\n")
            raise

    def start_cpu(phase: Measured) -> Row:
        # what the questions cost is known from the time in which nothing started
        asked = idle.cpu_s / idle.count * phase.count
        return Row("  CPU of such a start, the hub's", "CPU s", (phase.cpu_s - asked) / len(users), None)

    return Result(
        "hub",
        (
            *rows(f"clicks over {over:g} s", spread.latencies, AIM_S * 1000),
            start_cpu(spread),
            *rows("all in one moment", at_once.latencies, None),
            start_cpu(at_once),
        ),
        (
            f"Each asked {RATE:g} times per second through the proxy, while {len(users)} users start one session each.",
            f"Clicks spread evenly over {over:g} s: {spread.count} questions, all ready after {spread.took_s:.1f} s.",
            f"All clicks in the same moment: {at_once.count} questions, all ready after {at_once.took_s:.1f} s.",
            "Idle, p99: "
            + ", ".join(f"{path} {percentile(all_s, 99) * 1000:.0f} ms" for path, all_s in idle.latencies.items()),
            "Fake gateway, tiny servers; internal TLS, proxy and service are real. There is no peer for this.",
        ),
        {"spread_s": spread.took_s, "at_once_s": at_once.took_s},
    )
