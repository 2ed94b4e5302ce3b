"""Fetches the facts that :mod:`.probes` judges: from /proc, Slurm's clients, the name service, daemons and images."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabric_hub import __version__
from fabric_hub.catalogue.api import Agent
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import probes as texts
from fabric_hub.projects.membership import people
from fabric_hub.unix.accounts import unix_name

from . import known_sessions, probes
from .findings import Finding, ask
from .probes import Judged, Lookup, Namespaces

MOST_LOOKUPS = 50
PATIENCE_S = 10.0  # for all members' accounts together
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_LISTEN = "0A"


def of_site(found: Settings, path: Path) -> Iterator[Finding]:
    """Everything that can be looked at from here.

    :param path: of the site's file.
    """
    for judged in _judged(found, path):
        yield judged.finding()


def _judged(found: Settings, path: Path) -> Iterator[Judged]:
    if found.slurm:
        yield from _of_slurm(found)
    if clock_is_loose():
        yield Judged("NOTE", texts.CLOCK_LOOSE())
    if not found.users.shared_account:
        yield probes.names(lookups(found))
    yield from probes.hosts(resolved(found))
    yield from _ports(found)
    yield from asyncio.run(_of_daemons(found, path))
    yield from _images(found)


# -- Slurm and this machine


def _of_slurm(found: Settings) -> Iterator[Judged]:
    assert found.slurm
    conf, clients = found.slurm.conf, found.slurm.bin_dir
    code, config = ask([str(clients / "scontrol"), "show", "config"], conf)
    if code:
        return  # that slurmctld does not answer has been said
    here = namespaces()
    yield probes.namespaces(config, here)
    code, said = ask([str(clients / "sacctmgr"), "-n", "-P", "show", "cluster", "format=cluster"], conf)
    if not code:
        yield probes.database(config, said.split())
    known = re.search(r"(\d+)\.(\d+)", probes.setting(config, "SLURM_VERSION"))
    version = (int(known.group(1)), int(known.group(2))) if known else (0, 0)
    yield probes.cgroup(config, cgroup_version(), version, node=bool(here.slurmd))
    if (apart := apart_s(config, time.time())) is not None:
        yield probes.clock(apart)


def namespaces(proc: Path = Path("/proc")) -> Namespaces:
    """The mount namespaces of this machine's first process and of each slurmd."""
    found: dict[int, str | None] = {}
    for process in proc.glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == "slurmd":
                found[int(process.name)] = _namespace(process)
        except OSError:  # it ended meanwhile
            continue
    return Namespaces(found, _namespace(proc / "1"))


def _namespace(process: Path) -> str | None:
    try:
        return os.readlink(process / "ns" / "mnt")
    except OSError:
        return None


def cgroup_version(mounted: Path = Path("/sys/fs/cgroup")) -> int:
    """2 where this machine has the unified hierarchy only, else 1."""
    return 2 if (mounted / "cgroup.controllers").exists() else 1


def apart_s(config: str, now: float) -> float | None:
    """How far slurmctld's clock is from ``now``, by its word in ``scontrol show config``; None: it does not say."""
    said = re.match(r"Configuration data as of (\S+)", config)
    try:
        return datetime.fromisoformat(said.group(1)).timestamp() - now if said else None
    except ValueError:  # SLURM_TIME_FORMAT
        return None


def clock_is_loose() -> bool:
    """Whether the kernel knows of no time server that keeps this machine's clock (adjtimex(2))."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return False
    return bool(state == _UNSYNCHRONISED)


# -- names


def lookups(found: Settings) -> list[Lookup]:
    """What the name service has of the members' accounts: of so many, and for so long."""
    users = sorted({user for project in found.project.values() for user in people(project)})
    answered: list[Lookup] = []
    began = time.monotonic()
    for user in users[:MOST_LOOKUPS]:
        account, before = unix_name(found.users, user), time.monotonic()
        if before - began > PATIENCE_S:
            break
        try:
            pwd.getpwnam(account)
            there = True
        except KeyError:
            there = False
        answered.append(Lookup(account, there, time.monotonic() - before))
    return answered


def resolved(found: Settings) -> dict[str, tuple[str, bool]]:
    """Whether this machine resolves the hosts of the site's file, by the setting that has them."""
    hub = found.hub
    wanted = {"hub.hub_ip": hub.hub_ip}
    for key in ("bind_url", "public_url", "nodes_url", "subdomain_host"):
        if host := urlsplit(getattr(hub, key)).hostname:
            wanted[f"hub.{key}"] = host
    return {key: (host, _resolves(host)) for key, host in wanted.items()}


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


# -- ports


def _ports(found: Settings) -> Iterator[Judged]:
    hub, public = found.hub, urlsplit(found.hub.bind_url)
    try:
        owner = hub.state_dir.stat().st_uid
    except OSError:
        yield probes.unchecked(texts.WHAT_PORTS(), texts.NOT_ALLOWED(), texts.AS_ROOT())
        return
    number = public.port or (443 if public.scheme == "https" else 80)
    for key, one in (("hub.bind_url", number), ("hub.hub_port", hub.hub_port)):
        held = {uid: _account(uid) for uid in listeners(one)}
        yield from probes.port(key, one, held, owner, ephemeral_ports())


def listeners(port: int, proc: Path = Path("/proc/net")) -> set[int]:
    """The uids of who listens on a TCP port of this machine."""
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(int(fields[7]))
    return found


def ephemeral_ports(proc: Path = Path("/proc/sys/net/ipv4")) -> tuple[int, int]:
    """First and last of the ports that the kernel gives to whoever asks for any."""
    try:
        first, last = (proc / "ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 1, 0
    return int(first), int(last)


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


# -- versions and ids


async def _of_daemons(found: Settings, path: Path) -> list[Judged]:
    told: list[Judged] = []
    if found.slurm:
        async with GatewayClient(found.gateway.socket) as gateway:
            try:
                told.append(probes.version(texts.GATEWAY(), (await gateway.health()).version, __version__))
                jobs = (await gateway.snapshot()).jobs
                told.append(await asyncio.to_thread(_id, found, path, probes.sessions_of(jobs, found.hub.id)))
            except FabricError:
                what = texts.WHAT_IDS(id=found.hub.id)
                told.append(probes.unchecked(what, texts.GATEWAY_SILENT(), texts.MEND_FIRST()))
    if found.catalogue:
        async with CatalogueClient(found.catalogue.socket) as catalogue:
            try:
                told.append(probes.version(texts.CATALOGUE(), (await catalogue.health()).version, __version__))
                agents: tuple[Agent, ...] = (await catalogue.agents()).agents if found.enforces_datasets else ()
            except FabricError:
                told.append(probes.unchecked(texts.WHAT_VERSION(), texts.CATALOGUE_SILENT(), texts.MEND_FIRST()))
            else:
                if found.enforces_datasets:
                    told.append(probes.agents(agents, __version__))
                told += filter(None, [probes.clocks_of_nodes(agents)])
    return told


def _id(found: Settings, path: Path, in_slurm: set[str]) -> Judged:
    """Asks the hub's record as the hub's own account: SQLite makes files beside it that must stay the hub's."""
    what = texts.WHAT_IDS(id=found.hub.id)
    try:
        owner = found.hub.state_dir.stat()
    except OSError:
        return probes.unchecked(what, texts.NOT_ALLOWED(), texts.AS_ROOT())
    if os.geteuid() not in (0, owner.st_uid):
        return probes.unchecked(what, texts.NOT_ALLOWED(), texts.AS_ROOT())
    become: dict[str, Any] = (
        {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    done = subprocess.run(
        # -P: no module of the directory in which the command is given, which may be anybody's
        [sys.executable, "-P", "-m", known_sessions.__name__, str(path)],
        input="\n".join(sorted(in_slurm)), capture_output=True, text=True, timeout=60, check=False, **become,
    )  # fmt: skip
    if done.returncode:
        why = texts.RECORD_CLOSED(said=verbatim(done.stderr.strip()[-300:]))
        return probes.unchecked(what, why, texts.MEND_FIRST())
    return probes.hub_id(found.hub.id, in_slurm, set(done.stdout.split()))


def _images(found: Settings) -> Iterator[Judged]:
    for name in found.image:
        has = lab_version(found.images.dir / name / "current")
        if has is not None:
            yield probes.version(texts.IMAGE(image=name), has, __version__)


def lab_version(image: Path) -> str | None:
    """The version of what an image has of Fabric Hub; None where it has none that can be seen."""
    for path in sorted(image.glob("lib/python3*/site-packages/fabric_lab-*.dist-info")):
        return path.name.removeprefix("fabric_lab-").removesuffix(".dist-info")
    return None
