"""Another host on this machine: a network namespace (ip-netns(8)) with an address, a wire to us, and nothing else."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The process that made a namespace is in its name: one whose process is gone is removed at the next start.
PREFIX = "fabric-test-"
NAMESPACES = Path("/run/netns")


def ip(*arguments: str) -> None:
    """Run ip(8)."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def impossible() -> str:
    """Why this machine cannot have another host; "" when it can."""
    if os.geteuid() != 0:
        return "needs root: it makes a network namespace"
    probe = f"{PREFIX}{os.getpid()}-probe"
    try:
        ip("netns", "add", probe)
        ip("-n", probe, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
    except (OSError, AssertionError) as error:
        return f"no network namespaces here: {error}"
    finally:
        subprocess.run(["ip", "netns", "delete", probe], capture_output=True, check=False)
    return ""


def remove_old() -> None:
    """Remove the namespaces of test runs that were killed; the wires go with them."""
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        maker = re.match(rf"{PREFIX}(\d+)", path.name)
        if maker and not Path("/proc", maker.group(1)).exists():
            subprocess.run(["ip", "netns", "delete", path.name], capture_output=True, check=False)


@dataclass(frozen=True)
class OtherHost:
    """Another host: its ``address``, and ``ours`` as it sees us."""

    name: str
    address: str
    ours: str

    def inside(self, *argv: str) -> list[str]:
        """A command that runs there."""
        return ["/usr/bin/nsenter", f"--net={NAMESPACES / self.name}", "--", *argv]

    @property
    def identity(self) -> str:
        """What ``readlink /proc/self/ns/net`` says there."""
        return subprocess.run(
            self.inside("readlink", "/proc/self/ns/net"), capture_output=True, text=True, check=True
        ).stdout.strip()


@contextmanager
def other_host() -> Iterator[OtherHost]:
    """Another host, until the block ends."""
    remove_old()
    # 198.18.0.0/15 is for tests of networks (RFC 2544): nobody's real network is there
    net = f"198.{random.choice((18, 19))}.{random.randrange(256)}"
    name, wire = f"{PREFIX}{os.getpid()}", f"ft{os.getpid()}"
    host = OtherHost(name, address=f"{net}.2", ours=f"{net}.1")
    try:
        ip("netns", "add", name)
        ip("link", "add", wire, "type", "veth", "peer", "name", "wire", "netns", name)
        ip("address", "add", f"{host.ours}/30", "dev", wire)
        ip("link", "set", wire, "up")
        ip("-n", name, "address", "add", f"{host.address}/30", "dev", "wire")
        for device in ("wire", "lo"):
            ip("-n", name, "link", "set", device, "up")
        yield host
    finally:
        for gone in (["netns", "delete", name], ["link", "delete", wire]):
            subprocess.run(["ip", *gone], capture_output=True, check=False)
