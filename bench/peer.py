"""The peer's environment and its hub, beside an embedded run and on the same Slurm."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from fabric_dev import ports, processes, runtime
from fabric_dev.cluster import slurm_environment
from fabric_dev.instance import layout_of
from fabric_hub.images.build import PYTHON, find_uv
from tests.support.waiting import until_async

CHECKOUT = Path(__file__).parents[1]
CONFIG = Path(__file__).with_name("peer_config.py")


def locked(text: str, package: str) -> str:
    """The lines of one package, hashes included, from a lock file of ``uv pip compile``.

    :raises ValueError: it is not in there.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(f"{package}=="):
            rest = [more for more in lines[number + 1 :] if not more.startswith("    #")]
            found = [line]
            for more in rest:
                if not found[-1].endswith("\\"):
                    break
                found.append(more)
            return "\n".join(found) + "\n"
    raise ValueError(f"{package} is not in the lock file")


def build_environment(directory: Path) -> Path:
    """What the peer's servers run in: the packages of the image `base` from its lock file, and batchspawner.

    :param directory: where; it is used again when it holds the same packages. Others must be able to read it.
    """
    image = (CHECKOUT / "images" / "base" / "requirements.lock").read_text()
    batchspawner = locked((CHECKOUT / "requirements.lock").read_text(), "batchspawner")
    stamp, wanted = directory / "stamp", hashlib.sha256((image + batchspawner).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    uv = str(find_uv())
    subprocess.run([uv, "venv", "--quiet", "--python", str(PYTHON), "--no-project", str(directory)], check=True)
    (directory / "packages.lock").write_text(image + "\n" + batchspawner)
    install = [uv, "pip", "install", "--quiet", "--python", str(directory / "bin" / "python"), "--link-mode", "copy"]
    install += ["--compile-bytecode", "--no-deps", "--require-hashes", "-r", str(directory / "packages.lock")]
    subprocess.run(install, check=True)
    stamp.write_text(wanted)
    return directory


@dataclass(frozen=True)
class Request:
    """What one server asks Slurm for; the same as our profile's."""

    partition: str
    gres: str
    cpus: int
    memory_mb: int


@dataclass(frozen=True)
class Peer:
    """A running peer hub."""

    address: str
    token: str
    pid: int
    log: Path


@asynccontextmanager
async def running(root: Path, environment: Path, request: Request) -> AsyncIterator[Peer]:
    """Run the peer's hub in an embedded run's directory; it ends with the block.

    :param root: the embedded run's directory.
    """
    layout = layout_of(root)
    directory = root / "peer"
    directory.mkdir(mode=0o700, exist_ok=True)
    token = secrets.token_hex(32)
    with ports.Claims() as claims:
        chosen = ports.choose(claims, None, None)
        known = {
            "public": chosen.public,
            "hub": chosen.hub,
            "proxy_api": next(ports.free(claims)),
            "proxy_command": runtime.current(layout, print).proxy_command,
            "token": token,
            "environment": str(environment),
            **request.__dict__,
        }
        config = directory / "peer.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(known))
        log = root / "log" / "peer.log"
        hub = processes.start(
            [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)],
            log=log,
            environment={
                **slurm_environment(layout),
                "BENCH_PEER": str(config),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            },
            cwd=directory,
        )
        peer = Peer(f"http://127.0.0.1:{chosen.public}", token, hub.pid, log)
        try:
            async with httpx.AsyncClient(trust_env=False) as http:

                async def healthy() -> bool:
                    if hub.poll() is not None:
                        raise RuntimeError(f"the peer's hub ended:\n{processes.tail(log, 40)}")
                    try:
                        return (await http.get(f"{peer.address}/hub/api/")).status_code == 200
                    except httpx.TransportError:
                        return False

                await until_async(healthy, f"the peer's hub answers; see {log}", 60, 0.2)
            yield peer
        finally:
            await asyncio.to_thread(processes.end, [hub.pid])
            hub.wait()
