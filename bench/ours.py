"""Our side: an embedded run with a site's own settings."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from fabric_dev import accounts, demo
from fabric_dev.instance import layout_of
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until_async
from tests.support.watchdog import clear, watch

from .hub_client import Server, healthy
from .peer import Request

PROFILE = "gpu-shard"
_LIVELY = ("watch_interval_s", "nodes_interval_s", "limits_interval_s", "max_queries_per_s")


def with_site_defaults(site: str) -> str:
    """A site file of an embedded run without the rates that make the demo livelier: a site's own hold.

    Nobody is refused a session for having too many.
    """
    usual = re.sub(rf"^(?:{'|'.join(_LIVELY)}) = .*\n", "", site, flags=re.MULTILINE)
    # a few demo users have all the sessions of a benchmark
    if "[users]\n" not in usual:
        usual += "\n[users]\n"
    return usual.replace("[users]\n", "[users]\nmax_sessions = 1000\n", 1)


def request() -> Request:
    """What our profile asks Slurm for."""
    profile = demo.profiles("", 2)[PROFILE]
    memory = int(str(profile["memory"]).removesuffix("G")) * 1024
    return Request(profile["partition"], f"shard:{profile['shards']}", profile["cpus"], memory)


def people() -> dict[str, str]:
    """The demo users who may start sessions, each with a project."""
    found: dict[str, str] = {}
    for name, project in demo.PROJECTS.items():
        for user in demo.members(project):
            found.setdefault(user, name)
    return found


def servers(count: int, tag: str) -> list[Server]:
    """So many servers, spread evenly over the users."""
    users = list(people().items())
    return [
        Server(user, f"{tag}{number}", {"project": project, "profile": PROFILE})
        for number in range(count)
        for user, project in [users[number % len(users)]]
    ]


def mixed_servers(count: int, tag: str) -> list[Server]:
    """So many servers that run at the same time: the GPU nodes have room for 14, the CPU node for 7."""
    found = servers(count, tag)
    return [
        server if number % 3 else Server(server.user, server.name, {**server.options, "profile": "cpu"})
        for number, server in enumerate(found)
    ]


def peers_servers(run: EmbeddedRun, wanted: Iterable[Server]) -> list[Server]:
    """The same servers for the peer, whose users are the Unix accounts themselves."""
    return [Server(run.unix_name(server.user), server.name) for server in wanted]


def _sandbox() -> Path:
    """A directory that the run's accounts can pass through."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-bench-", dir="/tmp"))
    directory.chmod(0o755)
    watch(directory)
    return directory


@asynccontextmanager
async def running(images: Path, prepare: Callable[[EmbeddedRun], None] | None = None) -> AsyncIterator[EmbeddedRun]:
    """An embedded run whose gateway and hub have a site's default rates; removed with the block.

    :param prepare: changes more of it before its gateway and hub are started anew.
    :raises SystemExit: this is not root: the peer becomes its users with sudo.
    """
    if os.geteuid() != 0:
        raise SystemExit("This benchmark needs root: both sides submit jobs as other users.")
    sandbox = await asyncio.to_thread(_sandbox)
    try:
        prefix = f"fb{secrets.token_hex(2)}-"
        run = EmbeddedRun.start(sandbox / "run", "--prefix", prefix, "--images", str(images))
        run.site.write_text(with_site_defaults(run.site.read_text()))
        if prepare is not None:
            await asyncio.to_thread(prepare, run)
        for daemon in ("gateway", "hub"):
            await _restart(run, daemon)
        try:
            yield run
        except BaseException:
            print(run.logs(60), flush=True)  # they go with the run
            raise
    finally:
        clear(sandbox)


async def _restart(run: EmbeddedRun, daemon: str) -> None:
    """End a daemon; the supervisor starts it again, with the site file as it is now."""
    before = run.pid(daemon)
    os.kill(before, signal.SIGTERM)

    async def again() -> bool:
        now = json.loads((run.directory / "run" / "processes.json").read_text()).get(daemon)
        if now in (None, before):
            return False
        if daemon == "gateway":
            return layout_of(run.directory).gateway_socket.exists()
        return await healthy(run.address, token(run))

    await until_async(again, f"{daemon} runs again", 120, 0.2)


def token(run: EmbeddedRun) -> str:
    """The embedded run's own token, which may start everybody's servers."""
    return layout_of(run.directory).token.read_text().strip()


def parts(run: EmbeddedRun) -> dict[int, str]:
    """What the accounts of the run are: the hub (with its proxy and service), the gateway, or users with sessions."""
    services = {run.unix_name(name): name for name in accounts.SERVICES}
    return {entry.pw_uid: services.get(entry.pw_name, "session") for entry in accounts.ours(layout_of(run.directory))}
