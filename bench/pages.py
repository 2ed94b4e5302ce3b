"""``pages``: people look at waiting pages and at *Sessions*. What that costs Slurm and the hub, and how soon they see
what has changed.

The hub, its sessions' starts and Slurm are real; the jobs wait in a partition that is down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_dev.instance import layout_of
from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.hub.spawner.watchers import MOST
from fabric_hub.messages.texts.slurm_reasons import HELD_BY_OPERATORS
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import SessionStore
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until_async

from . import crowd, load, ours
from .crowd import Looks
from .figures import Result, Row, median_row, percentile
from .hub import Hub, Measured, measured
from .hub_client import HubClient, Server
from .lookers import EVERY_S
from .peer import CHECKOUT
from .usage import counted, counted_while

# So many pages are opened in a second.
OPENED_RATE = 10.0
# So many jobs are put on hold, and released again, at moments within so many seconds.
CHANGED, CHANGE_OVER_S = 10, 10.0
AIM_RPCS, AIM_LATENCY, AIM_S = 1.1, 1.5, 3.0
_HELD = "JobHeldAdmin"
# After so long without a change on a page it is lost, not late.
_LOST_S = 120.0


@dataclass
class Looking:
    """The people who look: what their pages said of sessions, and when.

    :ivar counted: what they did in all, once they have ended.
    """

    process: asyncio.subprocess.Process
    shown: list[dict[str, Any]] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    counted: dict[str, Any] = field(default_factory=dict)

    async def follow(self) -> None:
        """Take what they tell, until they end."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = json.loads(line)
            if "at" in told:
                self.shown.append(told)
            elif "opened" in told:
                self.opened.set()
            else:
                self.counted = told
        self.opened.set()

    async def until_opened(self) -> None:
        """Wait until all pages are open."""
        await self.opened.wait()
        if self.process.stdout is None or self.process.stdout.at_eof():
            raise RuntimeError("a page did not open")

    def when(self, page: str, server: Server, held: bool, after: float) -> float | None:
        """When such a page first said, after a moment, that a job is on hold, or that it is not."""
        mark = str(HELD_BY_OPERATORS())
        return next(
            (
                float(one["at"])
                for one in self.shown
                if one["at"] >= after
                and (one["page"], one["user"], one["server"]) == (page, server.user, server.name)
                and (mark in one["text"]) is held
            ),
            None,
        )


@asynccontextmanager
async def looking(run: EmbeddedRun, people: list[Looks]) -> AsyncIterator[Looking]:
    """Have people look at their pages while the block lasts.

    :raises RuntimeError: one of their pages failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.lookers",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT, limit=1 << 24,
    )  # fmt: skip
    assert process.stdin is not None
    logins = run.logins
    each = [{"name": one.name, "password": logins[one.name], "waits": one.waits, "home": one.home} for one in people]
    pages = sum(len(one.waits) + one.home for one in people)
    told = {"address": run.address, "over_s": pages / OPENED_RATE, "people": each}
    found = Looking(process)
    follower = asyncio.create_task(found.follow())
    try:
        process.stdin.write(f"{json.dumps(told)}\n".encode())
        await process.stdin.drain()
        yield found
    finally:
        with suppress(ConnectionError):
            process.stdin.close()
        await follower
        await process.wait()
    if process.returncode:
        raise RuntimeError("a page failed")


@dataclass(frozen=True)
class Window:
    """Questions a minute by type in a window, and the hub's answers."""

    rpcs: dict[str, float]
    hub: Measured


async def window(run: EmbeddedRun, paths: list[str], seconds: float) -> Window:
    """Count and time for so many seconds."""
    rpcs: dict[str, float] = {}

    async def count() -> None:
        rpcs.update(await counted(run, seconds))

    hub = Hub(run.address, ours.token(run), layout_of(run.directory), run.pid("hub"))
    return Window(rpcs, await measured(hub, count(), paths))


async def until_queued(run: EmbeddedRun, servers: list[Server]) -> None:
    """Start sessions, whose jobs wait in the queue for good."""
    await load.set_partition(run, "DOWN")
    async with HubClient(run.address, ours.token(run)) as hub:
        for user in dict.fromkeys(server.user for server in servers):
            await hub.add_user(user)
        await asyncio.gather(*(hub.order(server) for server in servers))

    async def queued() -> bool:
        return (await load.states(run)).count("PENDING") >= len(servers)

    await until_async(queued, f"{len(servers)} jobs wait in the queue", 500, 1.0)


def jobs(run: EmbeddedRun, servers: list[Server]) -> list[int]:
    """The jobs of servers that start."""
    store = SessionStore(database_url(run.settings))
    try:
        found = [store.live_of(server.user)[server.name].job_id for server in servers]
    finally:
        store.close()
    assert None not in found, found
    return [int(job) for job in found if job is not None]


async def hear(run: EmbeddedRun, heard: list[tuple[float, frozenset[int]]]) -> None:
    """Note which jobs are on hold by the gateway's word, and when it said so; for ever."""
    async with GatewayClient(layout_of(run.directory).gateway_socket) as gateway:
        serial: int | None = None
        while True:
            snapshot = await gateway.snapshot(serial, wait_s=30.0)
            serial = snapshot.serial
            heard.append((time.monotonic(), frozenset(job.job_id for job in snapshot.jobs if job.reason == _HELD)))


@dataclass(frozen=True)
class Delays:
    """Seconds from a change in Slurm until the gateway said so, the waiting page, and *Sessions*."""

    snapshot: float
    waiting: float
    home: float


async def changes(run: EmbeddedRun, people: list[Looks], looks: Looking) -> list[Delays]:
    """Put a job of each of some people on hold, and release it: how soon they saw that."""
    servers = [one.servers[0] for one in people if one.home and one.waits][:CHANGED]
    heard: list[tuple[float, frozenset[int]]] = []
    dice = random.Random(1)

    async def change(job: int, server: Server, verb: str) -> Delays:
        held = verb == "hold"
        await asyncio.sleep(dice.uniform(0, CHANGE_OVER_S))
        began = time.monotonic()
        await asyncio.to_thread(run.slurm, "scontrol", verb, str(job))

        def told() -> float | None:
            return next((at for at, jobs in heard if at >= began and (job in jobs) is held), None)

        async def after(look: Callable[[], float | None], what: str) -> float:
            at: float = await until_async(look, f"{verb} of job {job} {what}", _LOST_S, 0.05)
            return at - began

        return Delays(
            await after(told, "in a snapshot"),
            await after(lambda: looks.when("waiting", server, held, began), "on its waiting page"),
            await after(lambda: looks.when("home", server, held, began), "on Sessions"),
        )

    found = []
    all_jobs = await asyncio.to_thread(jobs, run, servers)
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(hear(run, heard))
        for verb in ("hold", "release"):
            found += await asyncio.gather(
                *(change(job, server, verb) for job, server in zip(all_jobs, servers, strict=True))
            )
        hearing.cancel()
    return found


def delay_rows(found: list[Delays]) -> list[Row]:
    """p50 and p99 of the delays, from the change itself and from the moment when the hub can know it. Pure."""
    rows = []
    for name, page in (("its waiting page", "waiting"), ("its person's Sessions", "home")):
        from_slurm = [getattr(one, page) for one in found]
        # the page may hear of a snapshot before our own reader does
        from_snapshot = [max(0.0, getattr(one, page) - one.snapshot) for one in found]
        # the hub hears of a change with the snapshot: how late that is, is the site's own watch_interval_s
        for since, all_s, aim in (
            ("a change in Slurm", from_slurm, None),
            ("the snapshot with it", from_snapshot, AIM_S),
        ):
            rows += [
                Row(f"from {since} to {name}, p99", "s", percentile(all_s, 99), None, aim=aim, of="ours"),
                Row("  p50", "s", percentile(all_s, 50), None),
            ]
    return rows


def window_rows(paths: list[str], with_pages: list[Window], without: list[Window]) -> list[Row]:
    """What the windows with pages and those without say, side by side. Pure."""

    def rpcs(windows: list[Window]) -> list[float]:
        return [sum(one.rpcs.values()) for one in windows]

    def of(windows: list[Window], path: str, percent: float) -> list[float]:
        return [percentile(one.hub.latencies[path], percent) * 1000 for one in windows]

    def cpu(windows: list[Window]) -> list[float]:
        return [one.hub.cpu_s / one.hub.took_s for one in windows]

    rows = [median_row("RPCs to slurmctld", "1/min", rpcs(with_pages), rpcs(without), AIM_RPCS)]
    for path in paths:
        rows += [
            median_row(f"{path}, p99", "ms", of(with_pages, path, 99), of(without, path, 99), AIM_LATENCY),
            median_row("  p50", "ms", of(with_pages, path, 50), of(without, path, 50)),
        ]
    rows.append(median_row("CPU time of the hub in a second", "CPU s", cpu(with_pages), cpu(without)))
    return rows


async def run(arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``waiting``, ``homes``, ``window`` and ``rounds``.
    """
    if min(arguments.waiting, arguments.homes, arguments.rounds) < 1:
        raise SystemExit("pages: --waiting, --homes and --rounds are at least 1.")
    people = crowd.crowd(arguments.waiting, arguments.homes)
    servers = [server for one in people for server in one.servers]
    paths = [f"/hub/api/users/{people[0].name}", "/hub/health"]
    names = [one.name for one in people]
    without: list[Window] = []
    with_pages: list[Window] = []
    openings: list[float] = []
    delays: list[Delays] = []
    told: list[dict[str, Any]] = []
    async with ours.running(images, lambda fresh: crowd.add(fresh, names)) as embedded:
        await until_queued(embedded, servers)
        print(f"  {len(servers)} sessions of {len(people)} people wait", flush=True)
        for _ in range(arguments.rounds):
            without.append(await window(embedded, paths, arguments.window))
            async with looking(embedded, people) as looks:
                openings.append(sum((await counted_while(embedded, looks.until_opened())).values()))
                with_pages.append(await window(embedded, paths, arguments.window))
                delays += await changes(embedded, people, looks)
            told.append(looks.counted)
            done = (without[-1].rpcs, with_pages[-1].rpcs, looks.counted["events"], len(delays))
            print("  without: {}\n  with: {}; {} events, {} changes".format(*done), flush=True)
    all_looks = [took for one in told for took in one["looks"]]
    return Result(
        "pages",
        (
            *window_rows(paths, with_pages, without),
            median_row("RPCs while people log in and open the pages", "1/min", openings, []),
            Row("GET /hub/home/sessions, p99", "ms", percentile(all_looks, 99) * 1000, None),
            *delay_rows(delays),
        ),
        notes(people, arguments, len(delays), told),
        {
            "with": [one.rpcs for one in with_pages],
            "without": [one.rpcs for one in without],
            "delays": [vars(one) for one in delays],
        },
    )


def notes(
    people: list[Looks], arguments: argparse.Namespace, changed: int, told: list[dict[str, Any]]
) -> tuple[str, ...]:
    """What the figures are of, and what could not be held steady. Pure."""
    every_s = SlurmSettings.model_fields["watch_interval_s"].default
    most = max(len(one.waits) for one in people)
    return (
        f'"Ours" is with {arguments.waiting} waiting pages and {arguments.homes} pages Sessions, "peer" without any;',
        f"{arguments.rounds} pairs in turn, {arguments.window:g} s each; the jobs wait in a partition that is down.",
        f"The pages are those of {len(people)} people with a login each, at most {most} waiting pages for one: the hub",
        f"lets a person follow {MOST} starts. All count as seen; of hidden tabs a browser lets go of the stream.",
        "Scripts and styles, which browsers keep, are not fetched.",
        f"{changed} changes are scontrol hold and release, from when it is started. The gateway asks Slurm every",
        f"{every_s:g} s (watch_interval_s), and Sessions asks the hub every {EVERY_S:g} s: pages can be as late.",
        "Not held steady: a window has a question more or less by when it begins, and hub, Slurm, the people's process",
        "and the probe of the hub (25 questions a second at each path) share the machine's cores.",
        f"{sum(one['events'] for one in told)} events were taken; {sum(one['again'] for one in told)} streams broke.",
    )
