"""``spawn``: from the click to a server that answers, one alone and many at once, in turn with plain batchspawner."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until_async

from . import cpu, ours, peer
from .figures import Result, Row, median, median_row
from .hub_client import HubClient, Server, StartFailedError

# Whose CPU time a start costs: the hub's is its proxy's and service's, too; the peer has no gateway.
PARTS = ("session", "hub", "gateway", "slurm")


@dataclass
class Side:
    """One of the two: its hub, and the processes of the other, whose CPU time is not its own."""

    hub: HubClient
    servers: dict[int, list[Server]]
    others: list[int]
    own: list[int] = field(default_factory=list)


async def nothing_runs(run: EmbeddedRun) -> None:
    """Wait until Slurm has no job left."""

    async def none() -> bool:
        return not await asyncio.to_thread(run.slurm, "squeue", "-h")

    await until_async(none, "all jobs have ended", 120, 0.2)


async def measure(run: EmbeddedRun, side: Side, count: int) -> tuple[list[float], dict[str, float], int]:
    """Start ``count`` servers at the same moment, then stop them.

    :returns: the seconds of each that started, the CPU seconds of one by part, and how many did not start.
    :raises StartFailedError: none of them started.
    """
    await nothing_runs(run)
    parts = ours.parts(run)
    before = cpu.seconds(run.directory, parts, side.own, side.others)
    wanted = side.servers[count]
    ended = await asyncio.gather(*(side.hub.start(server) for server in wanted), return_exceptions=True)
    for error in ended:
        if isinstance(error, StartFailedError):
            print(f"  failed: {error}", flush=True)
        elif isinstance(error, BaseException):
            raise error
    took = [seconds for seconds in ended if isinstance(seconds, float)]
    after = cpu.seconds(run.directory, parts, side.own, side.others)
    await asyncio.gather(*(side.hub.stop(server) for server in wanted))
    if not took:
        raise StartFailedError("; ".join(map(str, ended)))
    return took, {part: (after[part] - before.get(part, 0.0)) / count for part in after}, count - len(took)


async def run(arguments: argparse.Namespace, images: Path, environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``rounds``, ``alone`` and ``at_once``.
    :param environment: where the peer's packages are.
    """
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    failed: Counter[str] = Counter()
    async with (
        ours.running(images) as embedded,
        peer.running(embedded.directory, environment, ours.request()) as other,
        HubClient(embedded.address, ours.token(embedded)) as our_hub,
        HubClient(other.address, other.token) as peer_hub,
    ):
        counts = [1] * bool(arguments.alone) + [arguments.at_once] * bool(arguments.rounds)
        plan = {count: ours.servers(count, "s") for count in counts}
        sides = {
            "ours": Side(our_hub, plan, [other.pid]),
            "peer": Side(
                peer_hub,
                {count: ours.peers_servers(embedded, servers) for count, servers in plan.items()},
                [embedded.pid("hub"), embedded.pid("gateway")],
                [other.pid],
            ),
        }
        for user in ours.people():
            await our_hub.add_user(user)
            await peer_hub.add_user(embedded.unix_name(user))
        await _warm_up(embedded, sides, counts)
        for count, rounds in ((1, arguments.alone), (arguments.at_once, arguments.rounds)):
            for number in range(rounds):
                for name in ("ours", "peer") if number % 2 == 0 else ("peer", "ours"):
                    seconds, by_part, lost = await measure(embedded, sides[name], count)
                    kind = "alone" if count == 1 else "many"
                    took[kind, name] += [median(seconds) or 0.0]
                    took[f"{kind}-last", name] += [max(seconds)]
                    failed[name] += lost
                    took[f"{kind}-cpu", name] += [sum(by_part.values())]
                    for part, used in by_part.items():
                        took[f"{kind}-cpu-{part}", name] += [used]
                    shares = ", ".join(f"{part} {used:.2f}" for part, used in sorted(by_part.items()))
                    print(f"  {count} {name}: {max(seconds):.2f} s, CPU s of each: {shares}", flush=True)

    many = arguments.at_once

    def row(name: str, kind: str, unit: str, aim: float | None = None) -> Row:
        return median_row(name, unit, took[kind, "ours"], took[kind, "peer"], aim)

    def costs(kind: str) -> list[Row]:
        parts = [row(f"    {part}", f"{kind}-cpu-{part}", "CPU s") for part in PARTS]
        return [row("  CPU of a start", f"{kind}-cpu", "CPU s"), *parts]

    rows = [
        row("one alone, click to ready", "alone", "s", 0.4),
        *costs("alone"),
        row(f"{many} at once, median", "many", "s", 0.4),
        row(f"{many} at once, last", "many-last", "s"),
        *costs("many"),
    ]
    return Result(
        "spawn",
        tuple(rows),
        (
            f"Pairs in turn: {arguments.alone} of one alone, {arguments.rounds} of {many} at once; medians of rounds.",
            f"Starts that failed and are in no figure: ours {failed['ours']}, the peer's {failed['peer']}.",
            "Peer: batchspawner 1.3 in a stock JupyterHub as its README says, same Slurm, same packages, same request.",
            "Ours with internal TLS and a site's default rates, the peer without TLS (its default; it cannot).",
            "CPU: user and system time of the job, the hub, its helpers and Slurm's daemons, for one start.",
        ),
    )


async def _warm_up(embedded: EmbeddedRun, sides: dict[str, Side], counts: list[int]) -> None:
    """One start of each that nobody counts: files come into the page cache, homes get their directories."""
    for side in sides.values():
        first = side.servers[counts[0]][0]
        await side.hub.start(first)
        await side.hub.stop(first)
    await nothing_runs(embedded)
