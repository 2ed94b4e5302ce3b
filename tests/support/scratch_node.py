"""A compute node in one directory, with real mounts and no Slurm: for tests and benchmarks, as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_node import kernel
from fabric_node.agent import Agent, Reply
from fabric_node.config import Config, load

from .waiting import until

ACCOUNT = "proteins"
CODE = Path(__file__).parents[2]


def pack(source: Path, image: Path) -> dict[str, Any]:
    """Make an image of a directory; what grants.json says of it."""
    image.parent.mkdir(parents=True, exist_ok=True)
    # with -no-fragments the search for duplicates compares every file with all others of its size
    options = [
        "-no-duplicates",
        "-b",
        "16K",
        "-no-fragments",
        "-noI",
        "-noD",
        "-noF",
        "-no-xattrs",
        "-all-root",
        "-reproducible",
    ]
    subprocess.run(["mksquashfs", str(source), str(image), "-noappend", "-no-progress", "-quiet", *options], check=True)
    image.chmod(0o644)
    return {"kind": "image", "path": str(image), "sha256": digest(image), "bytes": image.stat().st_size}


def digest(path: Path) -> str:
    return subprocess.run(["sha256sum", str(path)], check=True, capture_output=True, text=True).stdout.split()[0]


def unmount_below(directory: Path) -> None:
    """Take every mount below a directory off, the last one first."""
    for mount in reversed(kernel.mounts_below(str(directory))):
        with suppress(OSError):
            kernel.unmount(mount.target)


def as_uid(uid: int, *argv: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary uid."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=timeout_s)


@dataclass
class ScratchNode:
    """``directory`` must be passable for everybody; remove the node with :meth:`remove`."""

    directory: Path
    serial: int = 0
    datasets: dict[str, Any] = field(default_factory=dict)
    grants: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("store", "published/events", "source"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        self.configure()
        self.publish()

    def configure(self, **settings: Any) -> None:
        """Write node.json."""
        root = self.directory
        data = {
            "grants": str(root / "published/grants.json"),
            "events": str(root / "published/events"),
            "store": str(root / "store"),
            "directories": [str(root / "source")],
            "run": str(root / "run"),
            "state": str(root / "state"),
            "data_dir": str(root / "data"),
            "socket": str(root / "run/node.sock"),
            "spool": str(root / "spool"),
            "slurm_bin": str(root / "bin"),
            **settings,
        }
        (root / "node.json").write_text(json.dumps(data))

    @property
    def config(self) -> Config:
        return load(str(self.directory / "node.json"))

    def agent(self) -> Agent:
        """An agent of this node, as another process would be."""
        agent = Agent(self.config)
        agent.make_directories()
        return agent

    def dataset(self, name: str, files: dict[str, str], *, access: str = "restricted", version: str = "1") -> None:
        """Add a version of a dataset; the newest is the latest. Not published yet."""
        source = self.directory / "made" / f"{name}-{version}"
        source.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (source / file).write_text(text)
        entry = pack(source, self.directory / "store" / name / f"{version}.sqfs")
        known = self.datasets.setdefault(name, {"access": access, "latest": version, "versions": {}})
        known["versions"][version], known["latest"] = entry, version

    def grant(self, name: str, *uids: int, account: str | None = ACCOUNT, until: float | None = None) -> None:
        """Add a grant. Not published yet."""
        entry = {"account": account, "uids": list(uids), "until": until}
        self.grants.setdefault(name, []).append(entry)

    def publish(self) -> None:
        """Write grants.json as the catalogue service does."""
        self.serial += 1
        text = {"format": 1, "serial": self.serial, "written": time.time(), "datasets": self.datasets}
        fresh = self.directory / "published/grants.new"
        fresh.write_text(json.dumps({**text, "grants": self.grants, **self.more}))
        fresh.replace(self.directory / "published/grants.json")

    def start_job(self, number: int, uid: int, *, account: str = ACCOUNT, node: str = "gpu1") -> None:
        """What Prolog does."""
        self.agent().register(slurm_says(number, uid, account=account, node=node))

    def end_job(self, number: int, uid: int, *, node: str = "gpu1") -> None:
        """What Epilog does."""
        agent = self.agent()
        agent.finish(slurm_says(number, uid, node=node))
        agent.reconcile()

    def open(self, number: int, uid: int, *names: str) -> Reply:
        return self.agent().open(number, uid, names)

    def reads(self, uid: int, path: str) -> str | None:
        """What a uid reads at a path below the data directory; None when it may not."""
        done = as_uid(uid, "cat", str(self.directory / "data" / path))
        return done.stdout if done.returncode == 0 else None

    def mounted(self) -> list[str]:
        """What is mounted here, relative to the directory."""
        below = kernel.mounts_below(str(self.directory))
        return sorted(os.path.relpath(mount.target, self.directory) for mount in below)

    def events(self) -> list[dict[str, Any]]:
        """What was told, oldest first, wherever it is by now."""
        found = {}
        for outbox in ("state/events", "published/events"):  # in the order in which it travels
            for file in (self.directory / outbox).glob("[!.]*.json"):
                with suppress(FileNotFoundError):
                    found[file.name] = json.loads(file.read_text())
        return [found[name] for name in sorted(found)]

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the daemon; it answers when this returns."""
        log = (self.directory / "daemon.log").open("ab")
        socket = self.directory / "run/node.sock"
        socket.unlink(missing_ok=True)
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "fabric_node", "--config", str(self.directory / "node.json"), "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=CODE,
            )  # fmt: skip

        def answers() -> bool:
            assert process.poll() is None, f"the daemon ended: {process.returncode}\n{self.log()}"
            return socket.exists()

        until(answers, "the daemon answers", 120, every_s=0.01, seen=self.log)
        return process

    def log(self) -> str:
        return (self.directory / "daemon.log").read_text(errors="replace")

    def remove(self) -> None:
        """Take everything down that is mounted."""
        unmount_below(self.directory)


def slurm_says(number: int, uid: int, *, account: str = ACCOUNT, node: str = "gpu1") -> dict[str, str]:
    """The environment of Prolog and Epilog."""
    return {
        "SLURM_JOB_ID": str(number),
        "SLURM_JOB_UID": str(uid),
        "SLURM_JOB_ACCOUNT": account,
        "SLURMD_NODENAME": node,
    }
