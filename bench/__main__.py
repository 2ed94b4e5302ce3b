"""``python -m bench [NAME ...] [--json FILE]``: run benchmarks, all of them by default."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.images.build import build

from . import clusters, hub, load, mounts, pages, peers, prepared, projects, spawn, usage
from .figures import Result, table
from .peer import build_environment

BENCHMARKS = {"spawn": spawn.run, "load": load.run, "hub": hub.run, "prepared": prepared.run, "mounts": mounts.run,
              "usage": usage.run, "pages": pages.run, "projects": projects.run, "dask": clusters.run,
              "peers": peers.run}  # fmt: skip
WITHOUT_A_HUB = frozenset({"mounts"})
WITHOUT_A_PEER = WITHOUT_A_HUB | {"usage", "pages", "projects", "dask", "peers"}


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the results; a list when there are several")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the image and the peer's environment for next time"
    )
    parser.add_argument("--alone", type=int, default=5, help="spawn: pairs of one alone (default: 5)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="spawn: pairs of many at once; mounts: readings; pages, dask: pairs (default: 3)",
    )
    parser.add_argument("--at-once", type=int, default=12, help="spawn: how many at once (default: 12)")
    parser.add_argument("--pending", type=int, default=100, help="load: sessions in the queue (default: 100)")
    parser.add_argument("--running", type=int, default=20, help="load: sessions that run (default: 20)")
    parser.add_argument(
        "--window", type=float, default=60.0, help="load, usage, pages: seconds of counting (default: 60)"
    )
    parser.add_argument("--peer-part", type=int, default=10, help="load: the peer gets one in so many (default: 10)")
    parser.add_argument("--starts", type=int, default=50, help="hub: sessions that start (default: 50)")
    parser.add_argument("--over", type=float, default=30.0, help="hub: seconds over which they click (default: 30)")
    parser.add_argument("--openings", type=int, default=300, help="mounts: jobs that open a dataset (default: 300)")
    parser.add_argument("--askers", type=int, default=1000, help="usage: sessions that ask (default: 1000)")
    parser.add_argument("--period", type=float, default=30.0, help="usage: seconds between two questions (default: 30)")
    parser.add_argument("--waiting", type=int, default=200, help="pages: waiting pages that are open (default: 200)")
    parser.add_argument("--homes", type=int, default=50, help="pages: pages Sessions that are open (default: 50)")
    parser.add_argument("--projects", type=int, default=1000, help="projects: so many (default: 1000)")
    parser.add_argument("--people", type=int, default=5000, help="projects: so many people in them (default: 5000)")
    parser.add_argument("--logins", type=int, default=200, help="projects: first logins on each side (default: 200)")
    return parser


async def run(chosen: argparse.Namespace, directory: Path) -> list[Result]:
    """Run what was chosen, with the image and the peer's environment in ``directory``."""
    me = asyncio.current_task()
    assert me is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)  # what was started is ended
    kept = os.environ.get("FABRIC_TEST_IMAGES")
    images = Path(kept) if kept else directory / "images"
    environment = directory / "peer"
    names = chosen.names or list(BENCHMARKS)
    if not WITHOUT_A_HUB.issuperset(names):
        await asyncio.to_thread(build, "base", images, print)
    if not WITHOUT_A_PEER.issuperset(names):
        environment = await asyncio.to_thread(build_environment, environment)
    results = []
    for name in names:
        print(f"{name} ...", flush=True)
        results.append(await BENCHMARKS[name](chosen, images, environment))
        print(f"\n{table(results[-1])}\n", flush=True)
    return results


def main() -> int:
    """Parse the command line and run; 1 when an aim was missed."""
    parser = arguments()
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    try:
        if chosen.keep:
            chosen.keep.mkdir(mode=0o755, parents=True, exist_ok=True)
            results = asyncio.run(run(chosen, chosen.keep.absolute()))
        else:
            with tempfile.TemporaryDirectory(prefix="fabric-bench-", dir="/tmp") as directory:
                Path(directory).chmod(0o755)
                results = asyncio.run(run(chosen, Path(directory)))
    except FabricError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if chosen.json:
        stored = [result.as_json() for result in results]
        chosen.json.write_text(json.dumps(stored[0] if len(stored) == 1 else stored, indent=2) + "\n")
    return 1 if any(row.met is False for result in results for row in result.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
