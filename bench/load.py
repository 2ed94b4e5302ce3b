"""``load``: what slurmctld is asked in a second while many sessions wait and run, counted by itself (sdiag)."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until_async

from . import ours, peer, sdiag
from .figures import Result, Row
from .hub_client import HubClient, Server
from .spawn import nothing_runs


async def states(run: EmbeddedRun) -> list[str]:
    """The states of all jobs."""
    return (await asyncio.to_thread(run.slurm, "squeue", "-h", "-o", "%T")).split()


async def count(
    run: EmbeddedRun, hub: HubClient, running: list[Server], queued: list[Server], window_s: float
) -> dict[str, float]:
    """RPCs a second by type, of a hub with so many servers running and so many in the queue."""
    await nothing_runs(run)
    orders: list[asyncio.Task[None]] = []
    try:
        async with asyncio.timeout(600):
            await asyncio.gather(*(hub.start(server) for server in running))
            await set_partition(run, "DOWN")
            orders = [asyncio.create_task(hub.order(server)) for server in queued]

            async def all_wait() -> bool:
                failed = [task for task in orders if task.done() and task.exception()]
                if failed:
                    failed[0].result()
                return (await states(run)).count("PENDING") >= len(queued)

            await until_async(all_wait, f"{len(queued)} jobs wait in the queue", 500, 1.0)
            await asyncio.gather(*orders)
        await asyncio.to_thread(run.slurm, "sdiag", "--reset")
        began = time.monotonic()
        await asyncio.sleep(window_s)
        text, took = await asyncio.to_thread(run.slurm, "sdiag"), time.monotonic() - began
        now = await states(run)
        assert now.count("PENDING") >= len(queued), now
        assert now.count("RUNNING") >= len(running), now
        return {name: number / took for name, number in sdiag.questions(sdiag.counts(text)).items()}
    finally:
        for order in orders:
            order.cancel()
        await asyncio.gather(*(hub.stop(server) for server in running + queued), return_exceptions=True)
        await asyncio.to_thread(run.slurm, "scancel", "--partition", ours.request().partition)
        await set_partition(run, "UP")


async def set_partition(run: EmbeddedRun, state: str) -> None:
    """Set the state of our profile's partition: one that is DOWN takes jobs and starts none."""
    await asyncio.to_thread(
        run.slurm, "scontrol", "update", f"PartitionName={ours.request().partition}", f"State={state}"
    )


async def run(arguments: argparse.Namespace, images: Path, environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``pending``, ``running``, ``window`` and ``peer_part``.
    """
    part = arguments.peer_part
    few = (max(1, arguments.running // part), max(1, arguments.pending // part))
    scale = (arguments.running + arguments.pending) / sum(few)
    async with ours.running(images) as embedded:
        plan = ours.mixed_servers(arguments.running, "r"), ours.servers(arguments.pending, "q")
        async with HubClient(embedded.address, ours.token(embedded)) as hub:
            for user in ours.people():
                await hub.add_user(user)
            mine = await count(embedded, hub, *plan, arguments.window)
        print(f"  ours: {mine}", flush=True)
        async with (
            peer.running(embedded.directory, environment, ours.request()) as other,
            HubClient(other.address, other.token) as hub,
        ):
            for user in ours.people():
                await hub.add_user(embedded.unix_name(user))
            running = ours.peers_servers(embedded, plan[0][: few[0]])
            queued = ours.peers_servers(embedded, plan[1][: few[1]])
            theirs = await count(embedded, hub, running, queued, min(30.0, arguments.window))
        print(f"  peer: {theirs}", flush=True)
    # our own watcher goes on asking meanwhile; that is not the peer's
    theirs = {name: max(0.0, rate - mine.get(name, 0.0)) for name, rate in theirs.items()}
    measured = sum(theirs.values())
    total = f"{arguments.pending} pending and {arguments.running} running"
    return Result(
        "load",
        (
            Row(f"RPCs with {total}", "1/s", sum(mine.values()), measured * scale, aim=0.5, of="ours"),
            *(
                Row(f"  {name}", "1/s", mine.get(name, 0.0), theirs.get(name, 0.0) * scale)
                for name in sorted({*mine, *theirs})
            ),
        ),
        (
            "Counted by sdiag after a reset, without orders (submit, cancel) and without what Slurm's daemons tell.",
            "Ours with the real launcher in every running session and a site's default rates.",
            f"The peer had {few[1]} pending and {few[0]} running, {measured:.3g} RPCs/s, times {scale:.3g}:",
            "this machine cannot start the processes for all of them, so its own figure would be the machine's limit.",
        ),
        {"peer_measured": theirs, "scale": scale, "ours": mine},
    )
