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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fabric_hub.embedded import ports, processes, runtime
from fabric_hub.embedded.cluster import base_environment
from fabric_hub.embedded.instance import write_private
from fabric_hub.embedded.layout import Layout
from fabric_hub.embedded.sitefile import toml
from fabric_hub.settings import ENV

from .figures import Result, Row, percentile
from .hub_client import HubClient, Server, healthy, until
from .peer import CHECKOUT

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
                "proxy_api_port": chosen.proxy_api,
                "service_port": chosen.service,
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


@contextmanager
def running(users: list[str], images: Path) -> Iterator[tuple[str, str, Layout]]:
    """A hub with its proxy and service, and the fake gateway; its address and token."""
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
            yield f"http://127.0.0.1:{chosen.public}", token, layout
        finally:
            processes.end(processes.leftovers(layout.root))
            for process in started:
                process.wait()


async def measured(address: str, token: str, work: Any) -> tuple[dict[str, list[float]], float]:
    """Do some work and time the hub's answers meanwhile; also how long the work took."""
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", address, *PATHS,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT,
    )  # fmt: skip
    assert probe.stdin is not None
    probe.stdin.write(f"{token}\n".encode())
    began = time.monotonic()
    await work
    took = time.monotonic() - began
    probe.stdin.close()
    output, _ = await probe.communicate()
    latencies: dict[str, list[float]] = json.loads(output)
    return latencies, took


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
    with running(users, images) as (address, token, layout):

        async def up() -> bool:
            return await healthy(address, token)

        try:
            await until(up, "the hub answers", 60)
            async with HubClient(address, token) as hub:
                for user in users:
                    await hub.add_user(user)
                idle, _ = await measured(address, token, asyncio.sleep(5))
                course = [Server(user, "course", {"project": "bench"}) for user in users]
                spread, took = await measured(address, token, clicks(hub, course, over))
                moment = [Server(user, "moment", {"project": "bench"}) for user in users]
                at_once, took_at_once = await measured(address, token, clicks(hub, moment, 0))
        except Exception:
            print(*(f"{log}:\n{processes.tail(log, 40)}" for log in layout.log.glob("*.log")), sep="\n")
            raise
    return Result(
        "hub",
        (*rows(f"clicks over {over:g} s", spread, AIM_S * 1000), *rows("all in one moment", at_once, None)),
        (
            f"Asked through the proxy, one after the other, while {len(users)} sessions of as many users start.",
            f"Clicks spread evenly over {over:g} s: {count(spread)} questions, all ready after {took:.1f} s.",
            f"All clicks in the same moment: {count(at_once)} questions, all ready after {took_at_once:.1f} s.",
            "Idle, p99: " + ", ".join(f"{path} {percentile(all_s, 99) * 1000:.0f} ms" for path, all_s in idle.items()),
            "Fake gateway, tiny servers; internal TLS, proxy and service are real. There is no peer for this.",
        ),
        {"spread_s": took, "at_once_s": took_at_once},
    )


def count(latencies: dict[str, list[float]]) -> int:
    """How many questions were asked."""
    return sum(map(len, latencies.values()))
