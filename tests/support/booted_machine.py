"""A machine of its own that boots a real systemd: Debian in a directory, started by systemd-nspawn.

The directory is made once by debootstrap from the mirror that this machine's own apt uses, and kept in
``$XDG_CACHE_HOME/fabric-hub``; every test has a copy. The machine has no network but its own loopback, on which it also
has :data:`ADDRESS`: without an address that is not 127.x glibc resolves no name for Slurm (AI_ADDRCONFIG).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from scripts import roots

from .waiting import until

RELEASE = "bookworm"
NAME, ADDRESS = "site", "10.0.0.5"
LOOP_DEVICES = 16  # an image that is mounted takes one
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "python3", "sudo", "curl", "procps", "iproute2", "ca-certificates", "acl"),
    *("slurm-wlm", "slurmdbd", "munge", "mariadb-server", "squashfs-tools"),
    *("nginx", "python3-venv", "libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
)
_BOOT_S, _END_S = 120, 60
_ADDRESS_UNIT = f"""\
[Unit]
DefaultDependencies=no
Before=network.target sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip link set lo up
ExecStart=/usr/sbin/ip address replace {ADDRESS}/32 dev lo
"""
# Debian in a directory says its version of Python so; the environment of the tests runs on the same one there.
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def base() -> Path:
    """The directory with Debian, made now where it is not there; skips the test where that cannot be."""
    for program in ("systemd-nspawn", "nsenter", "setpriv"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: no machine can be booted")
    try:
        root = roots.debian(RELEASE, PACKAGES)
    except roots.NoRootError as error:
        pytest.skip(f"no machine can be booted: {error}")
    if not (root / "usr/bin" / _PYTHON).exists():
        pytest.skip(f"Debian {RELEASE} has no {_PYTHON}, which these tests run on")
    return root


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class BootedMachine:
    """A machine in a copy of :func:`base`. ``with`` boots it, and leaves no process of it behind.

    :param root: where the copy is made.
    :param shown: directories and files of this machine that it sees, read only, by the path that they have there.
    """

    def __init__(self, root: Path, shown: dict[str, Path]) -> None:
        self.root = root
        self._shown = shown
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self.log = root.with_name(f"{root.name}.console")
        subprocess.run(["cp", "--archive", "--reflink=auto", str(base()), str(root)], check=True, timeout=600)
        (root / "etc/resolv.conf").unlink(missing_ok=True)
        (root / "etc/hostname").write_text(f"{NAME}\n")
        (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {NAME}\n")
        (root / "etc/dpkg/dpkg.cfg.d/machine").write_text("force-unsafe-io\n")  # it goes with its disk
        (root / "etc/systemd/system/address.service").write_text(_ADDRESS_UNIT)
        wants = root / "etc/systemd/system/sysinit.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / "address.service").symlink_to("../address.service")
        (root / "etc/machine-id").write_text(
            ""
        )  # it makes one of its own; without the file it would ask for a language

    def __enter__(self) -> Self:
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.off()

    def boot(self) -> None:
        """Start it; returns when its systemd has started everything."""
        name = f"fabric-{os.getpid()}"
        shown = [f"--bind-ro={path}:{there}" for there, path in self._shown.items()]
        # a test run that is killed takes it along: all its processes are in a process namespace that ends with ours
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        argv += ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit"]
        argv += ["--private-network", f"--machine={name}", f"--directory={self.root}", "--boot"]
        with self.log.open("ab") as log:
            self._nspawn = subprocess.Popen(
                [*argv, *shown], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        until(self._is_up, "the machine has booted", _BOOT_S, 0.3, seen=self.console)
        # as any machine has them; their numbers are those of this kernel, which both share
        nodes = [f"mknod --mode=0600 /dev/loop{number} b 7 {number}" for number in range(LOOP_DEVICES)]
        self.do("\n".join(["mknod --mode=0600 /dev/loop-control c 10 237", *nodes]))

    def off(self) -> None:
        """Switch it off, as by its button; what does not end in time is killed."""
        if not self._nspawn:
            return
        for nspawn in _children(self._nspawn.pid):
            os.kill(nspawn, signal.SIGTERM)
        try:
            self._nspawn.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn, self._leader = None, 0

    def in_its_network(self, program: str, script: Path) -> Path:
        """Write a script that starts a program of this machine's in the network of the booted one; the script."""
        words = ["exec", "nsenter", f"--net=/proc/{self._leader}/ns/net", program]
        script.write_text(f'#!/bin/sh\n{shlex.join(words)} "$@"\n')
        script.chmod(0o755)
        return script

    def console(self) -> str:
        """The last of what it has printed."""
        return self.log.read_text(errors="replace")[-3000:]

    def _is_up(self) -> bool:
        assert self._nspawn
        assert self._nspawn.poll() is None, f"systemd-nspawn has ended:\n{self.console()}"
        # unshare's child is systemd-nspawn, whose child is the machine's systemd
        found = [pid for nspawn in _children(self._nspawn.pid) for pid in _children(nspawn)]
        self._leader = found[0] if found else 0
        return bool(self._leader) and self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, script: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run lines of bash in it as root, up to the first that fails; both its outputs are in ``stdout``."""
        argv = ["nsenter", "--target", str(self._leader), "--mount", "--uts", "--ipc", "--net", "--pid"]
        clean = ["env", "--ignore-environment", "LC_ALL=C.UTF-8", "HOME=/tmp", "SYSTEMD_PAGER=cat"]
        clean += ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-e", "-o", "pipefail"]
        return subprocess.run(
            [*argv, *clean],
            input=script + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def do(self, script: str, timeout_s: float = 120) -> str:
        """Run lines of bash that must succeed; what they print."""
        done = self.run(script, timeout_s)
        assert done.returncode == 0, f"{script}\n=> status {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout


def installed(into: Path, root: Path) -> dict[str, Path]:
    """Lay the checkout that runs, with its environment, into a machine's directory.

    :param into: of the machine, such as ``root / "opt/fabric-hub"``.
    :param root: the machine's directory.
    :returns: what the machine has to be shown beside that.
    """
    from scripts import dist

    dist.stage(dist.ROOT, into)
    here, there = Path(sys.prefix), Path("/") / into.relative_to(root) / ".venv"
    venv = into / ".venv"
    shutil.copytree(here / "bin", venv / "bin", symlinks=True)
    shutil.copy(here / "pyvenv.cfg", venv)
    for path in (venv / "bin").iterdir():
        # the scripts' first lines name the environment's Python
        if path.is_file() and not path.is_symlink() and (text := path.read_bytes()).startswith(b"#!"):
            path.write_bytes(text.replace(os.fsencode(here), os.fsencode(there)))
    shown = {}
    for name in ("lib", "share"):
        (venv / name).mkdir()
        shown[str(there / name)] = here / name
    for path in (here / "lib" / _PYTHON / "site-packages").glob("*.pth"):
        if (text := path.read_bytes()) != (moved := text.replace(os.fsencode(dist.ROOT), os.fsencode(there.parent))):
            (venv / path.name).write_bytes(moved)
            shown[str(there / path.relative_to(here))] = venv / path.name
    subprocess.run(["chown", "--recursive", "0:0", str(into)], check=True)
    return shown


def console_blocks(page: str) -> list[list[str]]:
    """The commands of a page, block by block, without what is a comment at the end of a line."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [[re.sub(r"\s+# .*$", "", line) for line in block.splitlines()] for block in blocks]
