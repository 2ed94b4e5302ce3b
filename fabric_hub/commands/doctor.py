"""What ``fabric-hub doctor`` looks at: each check names what it looked at, and the remedy when it is wrong."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx

from .. import settings
from ..embedded.runtime import find_proxy
from ..errors import FabricError
from ..model import Frozen
from ..settings import Settings
from . import origins

OLDEST_SLURM = (22, 5)
OLDEST_NODE = 20
# Rights that the hub must not have: with them it could become anybody or read anything
# (bits of <linux/capability.h>).
_SETGID, _SETUID = 1 << 6, 1 << 7


class Finding(Frozen):
    """One line of the report. ``remedy`` is set for a problem, and for what a site may choose to do (a note)."""

    state: Literal["OK", "NOTE", "PROBLEM"]
    about: str
    remedy: str = ""


def _ok(about: str) -> Finding:
    return Finding(state="OK", about=about)


def _problem(about: str, remedy: str) -> Finding:
    return Finding(state="PROBLEM", about=about, remedy=remedy)


_COMMANDS = {
    "slurm-wlm": ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo"),
    "slurmdbd": ("slurmdbd", "sacctmgr"),
    "munge": ("munged", "munge"),
    "mariadb-server": ("mariadbd", "mariadb-install-db"),
    "util-linux": ("setpriv",),
    "squashfs-tools": ("mksquashfs",),
}


def machine() -> Iterator[Finding]:
    """What `fabric-hub up` needs of this machine."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    for package, commands in _COMMANDS.items():
        missing = [command for command in commands if not shutil.which(command, path=path)]
        if missing:
            yield _problem(
                f"{', '.join(missing)} missing, of the package {package}",
                "make setup, or: apt-get install --no-install-recommends " + package,
            )
        else:
            yield _ok(f"{package}: {', '.join(commands)}")
    proxy = find_proxy(Path(sys.prefix), Path(sysconfig.get_path("purelib")))
    if not proxy:
        yield _problem("configurable-http-proxy is not installed", "make setup")
    else:
        yield _version(Path(proxy[0]))


def _version(node: Path) -> Finding:
    """Node.js runs the proxy; a proxy found on PATH brings its own."""
    if node.name != "node":
        return _ok(f"proxy: {node}")
    said = _ask([str(node), "--version"])[1]
    major = re.match(r"v(\d+)\.", said)
    if not major or int(major.group(1)) < OLDEST_NODE:
        return _problem(f"Node.js at {node} is {said or 'broken'}, older than {OLDEST_NODE}", "make setup")
    return _ok(f"proxy: Node.js {said}")


def _ask(argv: list[str], conf: Path | None = None) -> tuple[int, str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    if conf:
        environment["SLURM_CONF"] = str(conf)
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, "no answer within 20 s"
    except OSError as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()


def of_site(path: Path) -> Iterator[Finding]:
    """A site: its file, Slurm, the gateway, the images and the directories."""
    try:
        found = settings.load(path)
    except FabricError as error:
        for line in error.message.splitlines():
            yield _problem(line, error.hint or "correct that line; `fabric-hub check-config` reads it again")
        return
    yield _ok(f"site file {path}")
    if note := origins.one_origin(found.hub):
        yield Finding(state="NOTE", about=note, remedy=origins.REMEDY)
    if found.slurm:
        yield from _slurm(found)
        yield _gateway(found)
    yield from _images(found)
    yield from _directories(found)


def _slurm(found: Settings) -> Iterator[Finding]:
    assert found.slurm
    conf, clients = found.slurm.conf, found.slurm.bin_dir
    code, said = _ask([str(clients / "sinfo"), "--version"], conf)
    version = re.search(r"(\d+)\.(\d+)", said)
    if code or not version:
        yield _problem(f"Slurm's clients in {clients} do not run: {said}", "correct slurm.bin_dir or slurm.conf")
        return
    if (int(version.group(1)), int(version.group(2))) < OLDEST_SLURM:
        yield _problem(f"{said} is older than 22.05", "use the clients of a newer Slurm: slurm.bin_dir")
    else:
        yield _ok(said)
    yield _munge(conf)
    code, said = _ask([str(clients / "scontrol"), "ping"], conf)
    if code or "DOWN" in said:
        yield _problem(f"slurmctld does not answer: {said}", "see that slurmctld runs and its port is open from here")
    else:
        yield _ok(said.splitlines()[0])
    code, said = _ask([str(clients / "sacctmgr"), "-n", "-P", "show", "cluster", "format=cluster"], conf)
    if code:
        yield _problem(f"slurmdbd does not answer: {said}", "see that slurmdbd and its database run")
    else:
        yield _ok(f"slurmdbd knows {', '.join(said.split()) or 'no cluster'}")


def _munge(conf: Path | None) -> Finding:
    """munge, on the socket that slurm.conf names."""
    text = (conf or Path("/etc/slurm/slurm.conf")).read_text(errors="replace") if (conf and conf.exists()) else ""
    socket = re.search(r"^\s*AuthInfo\s*=\S*?socket=([^,\s]+)", text, re.MULTILINE | re.IGNORECASE)
    code, said = _ask(["munge", "-n", *([f"--socket={socket.group(1)}"] if socket else [])])
    if code:
        return _problem(f"munge does not answer: {said}", "start munged; its key is the same on all nodes")
    return _ok("munge" + (f" on {socket.group(1)}" if socket else ""))


def _gateway(found: Settings) -> Finding:
    socket = found.gateway.socket
    remedy = f"start the gateway, and let this account reach {socket} (it is the hub's and the gateway's only)"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=10) as client:
            answer = client.get("http://gateway/v1/health")
    except httpx.HTTPError as error:
        return _problem(f"the gateway on {socket} does not answer: {error}", remedy)
    if answer.status_code != 200:
        return _problem(f"the gateway on {socket} answers {answer.status_code}", "see the gateway's log")
    owner = socket.stat().st_uid
    wrong = _rights(owner) if owner and not found.users.shared_account else ""
    if wrong:
        return _problem(wrong, "start it with the ambient capabilities CAP_SETUID and CAP_SETGID, and no others")
    return _ok(f"the gateway on {socket}, as {_name(owner)}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _rights(uid: int) -> str:
    """What is wrong with the capabilities of the gateway's process; "" when right or not to be seen."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid != uid or b"fabric_hub.slurm.server" not in (process / "cmdline").read_bytes():
                continue
            effective = re.search(r"^CapEff:\s*(\w+)", (process / "status").read_text(), re.MULTILINE)
        except OSError:  # it ended meanwhile, or /proc hides it from us
            continue
        if effective and int(effective.group(1), 16) != _SETUID | _SETGID:
            return f"the gateway (process {process.name}) has the capabilities {effective.group(1)}"
    return ""


def _images(found: Settings) -> Iterator[Finding]:
    for name in found.image:
        python = found.images.dir / name / "current" / "bin" / "python"
        if not python.exists():
            yield _problem(
                f"image {name} is not built in {found.images.dir}",
                f"fabric-hub images build {name} --images {found.images.dir}",
            )
        elif closed := closed_to_others(python.parent.resolve()):
            yield _problem(f"users cannot read image {name}: {closed} keeps them out", f"chmod o+rx {closed}")
        else:
            yield _ok(f"image {name}: {python.parents[1].resolve().name}")


def closed_to_others(directory: Path) -> Path | None:
    """The first directory on the way (itself included) that other accounts cannot pass; None when they can."""
    for step in [*reversed(directory.parents), directory]:
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def _directories(found: Settings) -> Iterator[Finding]:
    state = found.hub.state_dir
    try:
        mode = state.stat().st_mode
    except OSError as error:
        yield _problem(f"hub.state_dir {state}: {error.strerror}", f"install -d -m 0700 -o HUB-ACCOUNT {state}")
    else:
        if mode & 0o077:
            yield _problem(f"{state} holds secrets, and others may look into it", f"chmod 0700 {state}")
        else:
            yield _ok(f"hub.state_dir {state} is private")
    homes = found.users.home.partition("{user}")[0]
    if homes and not os.path.isdir(homes):
        yield _problem(f"users.home: {homes} does not exist", f"mkdir {homes}, or correct users.home")
