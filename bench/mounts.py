"""``mounts``: how long a dataset takes to open for one more session, and to read, beside other ways.

Needs root, loop devices and mksquashfs; no Slurm and no hub: a node's daemon, asked over its socket as sessions do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError
from tests.support.scratch_node import ScratchNode, pack

from .figures import Result, Row, median, median_row, percentile

SIZES = (10, 10_000, 200_000)
READ = 10_000  # the size whose files are read
FILE_BYTES = 4096  # of the files that are read; the others are small
UID = 61001
AIM_OPEN_MS, AIM_WARM, AIM_GROWTH = 10.0, 1.1, 1.5


def name_of(size: int) -> str:
    return f"files-{size}"


def make_files(directory: Path, count: int, size: int) -> None:
    """``count`` files, 1000 in a directory, with content that does not compress."""
    content = random.Random(count).randbytes(1 << 20)
    for number in range(count):
        if number % 1000 == 0:
            (directory / f"{number // 1000:03}").mkdir(parents=True)
        start = number * 97 % (len(content) - size)
        (directory / f"{number // 1000:03}" / f"{number:06}.bin").write_bytes(content[start : start + size])


def ask(node: ScratchNode, job: int, name: str) -> float:
    """Seconds from the question to the answer, as a session's launcher sees it."""
    began = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(node.directory / "run/node.sock"))
        client.sendall(json.dumps({"verb": "open", "job": job, "datasets": [name]}).encode() + b"\n")
        answer = json.loads(client.makefile().readline())
    took = time.perf_counter() - began
    if not answer["opened"]:
        raise FabricError(f"{name} was not opened: {answer}.", reason="bench")
    return took


@contextmanager
def as_uid(uid: int) -> Iterator[None]:
    """Ask as a user: the daemon sees the uid of who connects."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def opens(node: ScratchNode, size: int, times: int) -> tuple[float, list[float]]:
    """(milliseconds of the first use on the node, those of further jobs of other users), each ended again at once."""
    first = size * 1000
    node.start_job(first, UID)
    with as_uid(UID):
        before = ask(node, first, name_of(size))
    took = []
    for number in range(1, times + 1):
        job, uid = first + number, UID + number
        node.start_job(job, uid)
        with as_uid(uid):
            took.append(1000 * ask(node, job, name_of(size)))
        node.end_job(job, uid)
    return 1000 * before, took


def read_all(directory: Path, order: list[str]) -> float:
    """Seconds to open and read every file, in the order given."""
    began = time.perf_counter()
    for name in order:
        handle = os.open(directory / name, os.O_RDONLY)
        while os.read(handle, 1 << 20):
            pass
        os.close(handle)
    return time.perf_counter() - began


def drop_caches() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def reads(places: dict[str, Path], rounds: int, *, cold: bool) -> dict[str, list[float]]:
    """Seconds to read all files, by place, in turns."""
    first = next(iter(places.values()))
    order = sorted(str(path.relative_to(first)) for path in first.rglob("*.bin"))
    random.Random(1).shuffle(order)
    took: dict[str, list[float]] = {place: [] for place in places}
    if not cold:
        for directory in places.values():
            read_all(directory, order)
    for _ in range(rounds):
        for place, directory in places.items():
            if cold:
                drop_caches()
            took[place].append(read_all(directory, order))
    return took


@contextmanager
def squashfuse(image: Path, target: Path) -> Iterator[Path | None]:
    """The image mounted in user space; None where squashfuse is not installed."""
    program = shutil.which("squashfuse")
    if program is None:
        yield None
        return
    target.mkdir()
    subprocess.run([program, str(image), str(target)], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)


async def run(arguments: argparse.Namespace, _images: Path, _environment: Path) -> Result:
    """Measure on a node in a directory of its own, which is removed again, in a thread: it waits for files a lot."""
    if os.geteuid() != 0:
        raise FabricError("Mounts are measured as root.", reason="bench", hint="Run it again as root.")
    return await asyncio.to_thread(on_a_node, arguments.openings, arguments.rounds)


def on_a_node(openings: int, rounds: int) -> Result:
    """Measure on a node in a directory of its own."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-mounts-", dir="/var/tmp"))
    directory.chmod(0o755)
    node = ScratchNode(directory)
    try:
        return measure(node, openings, rounds)
    finally:
        node.remove()
        shutil.rmtree(directory)


def measure(node: ScratchNode, openings: int, rounds: int) -> Result:
    """All figures of a node."""
    for size in SIZES:
        source = node.directory / "source" / name_of(size)
        make_files(source, size, FILE_BYTES if size == READ else 64)
        image = node.directory / "store" / f"{name_of(size)}.sqfs"
        entry = pack(source, image)
        node.datasets[name_of(size)] = {"access": "restricted", "latest": "1", "versions": {"1": entry}}
        node.grant(name_of(size), *range(UID, UID + openings + 1))
    node.publish()
    daemon = node.serve()
    try:
        opened = {size: opens(node, size, openings) for size in SIZES}
        target = node.directory / "fuse"
        with squashfuse(node.directory / "store" / f"{name_of(READ)}.sqfs", target) as fuse:
            places = {
                "ours": (node.directory / "data" / name_of(READ)).resolve() / "1",
                "directory": node.directory / "source" / name_of(READ),
                **({"squashfuse": fuse} if fuse else {}),
            }
            warm, cold = reads(places, rounds, cold=False), reads(places, rounds, cold=True)
    finally:
        daemon.terminate()
        daemon.wait()
    return result(opened, warm, cold, rounds)


def result(
    opened: dict[int, tuple[float, list[float]]],
    warm: dict[str, list[float]],
    cold: dict[str, list[float]],
    rounds: int,
) -> Result:
    """The figures as rows."""
    rows = [
        Row(f"open {size:,} files, p99", "ms", percentile(took, 99), None, aim=AIM_OPEN_MS, of="ours")
        for size, (_, took) in opened.items()
    ]
    rows += [Row(f"  of these p50, {size:,} files", "ms", median(took), None) for size, (_, took) in opened.items()]
    rows += [Row(f"first use on the node, {size:,} files", "ms", first, None) for size, (first, _) in opened.items()]
    small, large = opened[SIZES[0]][1], opened[SIZES[-1]][1]
    growth = f"growth: p50 of {SIZES[-1]:,} files beside that of {SIZES[0]}"
    rows.append(Row(growth, "ms", median(large), median(small), aim=AIM_GROWTH))
    for what, took, aim in (("warm", warm, AIM_WARM), ("cold", cold, None)):
        rows.append(
            median_row(
                f"read {READ:,} files {what}, beside a local directory", "s", took["ours"], took["directory"], aim
            )
        )
        if "squashfuse" in took:
            rows.append(
                median_row(f"read {READ:,} files {what}, beside squashfuse", "s", took["ours"], took["squashfuse"])
            )
    details: dict[str, Any] = {
        "openings_ms": {str(size): took for size, (_, took) in opened.items()},
        "rounds": rounds,
        "file_bytes": FILE_BYTES,
    }
    missing = () if "squashfuse" in warm else ("squashfuse is not installed: it was not measured.",)
    notes = ("Opening: a further job asks the daemon over its socket, while another has the dataset open.", *missing)
    return Result("mounts", tuple(rows), notes, details)
