"""What ``fabric-hub doctor`` looks at: each check names what it looked at, and the remedy when it is wrong."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fabric_hub.config import settings
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.unix import authorities
from fabric_hub.unix.proxy_program import find_proxy

from . import daemons, moving, notes, probe_facts
from .findings import Finding, ask, exists, place, problem, right, skipped

OLDEST_SLURM = (22, 5)
OLDEST_NODE = 20

_COMMANDS = {
    "slurm-wlm": ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo"),
    "slurmdbd": ("slurmdbd", "sacctmgr"),
    "munge": ("munged", "munge"),
    "mariadb-server": ("mariadbd", "mariadb-install-db", "mariadb"),
    "util-linux": ("setpriv",),
    "squashfs-tools": ("mksquashfs",),
}


def machine() -> Iterator[Finding]:
    """What `fabric-hub up` needs of this machine."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    for package, commands in _COMMANDS.items():
        missing = [command for command in commands if not shutil.which(command, path=path)]
        if missing:
            yield problem(
                f"{', '.join(missing)} missing, of the package {package}",
                "make setup, or: apt-get install --no-install-recommends " + package,
            )
        else:
            yield right(f"{package}: {', '.join(commands)}")
    proxy = find_proxy(Path(sys.prefix), Path(sysconfig.get_path("purelib")))
    if not proxy:
        yield problem("configurable-http-proxy is not installed", "make setup")
    else:
        yield _version(Path(proxy[0]))


def _version(node: Path) -> Finding:
    """Node.js runs the proxy; a proxy found on PATH brings its own."""
    if node.name != "node":
        return right(f"proxy: {node}")
    said = ask([str(node), "--version"])[1]
    major = re.match(r"v(\d+)\.", said)
    if not major or int(major.group(1)) < OLDEST_NODE:
        return problem(f"Node.js at {node} is {said or 'broken'}, older than {OLDEST_NODE}", "make setup")
    return right(f"proxy: Node.js {said}")


def of_site(path: Path) -> Iterator[Finding]:
    """A site: its file, Slurm, the gateway, the images and the directories."""
    try:
        found = settings.load(path)
    except FabricError as error:
        for line in error.message.splitlines():
            yield problem(line, error.hint or "correct that line; `fabric-hub check-config` reads it again")
        return
    yield right(f"site file {path}")
    told = (*notes.of_file(path.read_text(encoding="utf-8")), *notes.of_units(), *notes.of_address(found.hub))
    for note in told:
        about = f"{note.key}: {note.about}" if note.key else note.about
        yield Finding(state="NOTE", about=about, remedy=note.remedy)
    trust = notes.of_sessions_trust(found.hub)
    yield Finding(state="NOTE", about=trust.about, remedy=trust.remedy) if trust.remedy else right(trust.about)
    if found.slurm:
        yield from _slurm(found)
    yield from _images(found)
    yield from _directories(found)
    yield from certificates(found.hub)
    yield from daemons.of_site(found)
    yield from probe_facts.of_site(found, path)


def _slurm(found: Settings) -> Iterator[Finding]:
    assert found.slurm
    conf, clients = found.slurm.conf, found.slurm.bin_dir
    code, said = ask([str(clients / "sinfo"), "--version"], conf)
    version = re.search(r"(\d+)\.(\d+)", said)
    if code or not version:
        yield problem(f"Slurm's clients in {clients} do not run: {said}", "correct slurm.bin_dir or slurm.conf")
        return
    if (int(version.group(1)), int(version.group(2))) < OLDEST_SLURM:
        yield problem(f"{said} is older than 22.05", "use the clients of a newer Slurm: slurm.bin_dir")
    else:
        yield right(said)
    yield _munge(conf)
    code, said = ask([str(clients / "scontrol"), "ping"], conf)
    if code or "DOWN" in said:
        yield problem(f"slurmctld does not answer: {said}", "see that slurmctld runs and its port is open from here")
    else:
        yield right(said.splitlines()[0])
    code, said = ask([str(clients / "sacctmgr"), "-n", "-P", "show", "cluster", "format=cluster"], conf)
    if code:
        yield problem(f"slurmdbd does not answer: {said}", "see that slurmdbd and its database run")
    else:
        yield right(f"slurmdbd knows {', '.join(said.split()) or 'no cluster'}")


def _munge(conf: Path | None) -> Finding:
    """munge, on the socket that slurm.conf names."""
    text = (conf or Path("/etc/slurm/slurm.conf")).read_text(errors="replace") if (conf and conf.exists()) else ""
    socket = re.search(r"^\s*AuthInfo\s*=\S*?socket=([^,\s]+)", text, re.MULTILINE | re.IGNORECASE)
    code, said = ask(["munge", "-n", *([f"--socket={socket.group(1)}"] if socket else [])])
    if code:
        return problem(f"munge does not answer: {said}", "start munged; its key is the same on all nodes")
    return right("munge" + (f" on {socket.group(1)}" if socket else ""))


def _images(found: Settings) -> Iterator[Finding]:
    for name, image in found.image.items():
        python = found.images.dir / name / "current" / "bin" / "python"
        built = exists(python)
        if built is None:
            yield skipped(f"image {name} in {found.images.dir}", "this account may not look there", "run it as root")
        elif not built and image.when_built:
            yield skipped(f"image {name}", "it is not built, and offered only then", f"fabric-hub images build {name}")
        elif not built:
            yield problem(
                f"image {name} is not built in {found.images.dir}",
                f"fabric-hub images build {name} --images {found.images.dir}",
            )
        elif closed := closed_to_others(python.parent.resolve()):
            yield problem(f"users cannot read image {name}: {closed} keeps them out", f"chmod o+rx {closed}")
        else:
            yield right(f"image {name}: {python.parents[1].resolve().name}")


def closed_to_others(directory: Path) -> Path | None:
    """The first directory on the way (itself included) that other accounts cannot pass; None when they can."""
    for step in [*reversed(directory.parents), directory]:
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def certificates(hub: HubSettings) -> Iterator[Finding]:
    """Whether a certificate of internal TLS ends within the next 60 days."""
    what = "the certificates of internal TLS"
    if not hub.internal_ssl:
        return
    try:
        found = authorities.certificates(hub.state_dir / "certs")
    except PermissionError:
        yield skipped(what, "this account may not look there", "run it as root")
        return
    except (OSError, ValueError) as error:
        yield problem(f"{what} cannot be read: {error}", f"look at {hub.state_dir / 'certs'}")
        return
    now = time.time()
    if not found:
        yield skipped(what, "the hub makes them when it is first started", "start it, then run this again")
    elif soon := authorities.ending(found, now):
        told = texts.CERTIFICATES_END_SOON(name=soon[0].name, day=soon[0].end)
        state: Literal["NOTE", "PROBLEM"] = "NOTE" if soon[0].end > now else "PROBLEM"
        yield Finding(state=state, about=told.say().removesuffix("."), remedy=told.hint.say() if told.hint else "")
    else:
        first = min(found, key=lambda one: one.end)
        yield right(texts.CERTIFICATE_ENDS(name=first.name, day=first.end, n=int((first.end - now) / 86400)).say())


def _directories(found: Settings) -> Iterator[Finding]:
    state = found.hub.state_dir
    if own := found.hub.extra_config:
        if exists(own):
            yield from moving.of_site(own, found)
        else:
            yield place("hub.extra_config", own, f"write {own}, or take hub.extra_config out of the site's file")
    try:
        mode = state.stat().st_mode
    except PermissionError:
        yield skipped(f"hub.state_dir {state}", "this account may not look there", "run it as root")
    except OSError as error:
        yield problem(f"hub.state_dir {state}: {error.strerror}", f"install -d -m 0700 -o HUB-ACCOUNT {state}")
    else:
        if mode & 0o077:
            yield problem(f"{state} holds secrets, and others may look into it", f"chmod 0700 {state}")
        else:
            yield right(f"hub.state_dir {state} is private")
    homes = found.users.home.partition("{user}")[0]
    if homes and not os.path.isdir(homes):
        yield problem(f"users.home: {homes} does not exist", f"mkdir {homes}, or correct users.home")
