"""Datasets on a running embedded cluster, published as a site's are; jobs of its users; and what they can read."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric_dev.cluster import answers
from fabric_node import kernel

from .embedded_run import EmbeddedRun
from .scratch_node import pack

# What a session's launcher does, as a program for any user: ASK.py VERB JOB NAME...
ASK = """\
import json, socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
client.connect({socket!r})
client.sendall(json.dumps(dict(verb=sys.argv[1], job=int(sys.argv[2]), datasets=sys.argv[3:])).encode() + b"\\n")
answer = json.loads(client.makefile().readline())
print(answer.get("error") or " ".join([item["dataset"] for item in answer["opened"]]
      + [item["dataset"] + ":" + item["reason"] for item in answer["refused"]]))
"""


@dataclass
class SmallCatalogue:
    """``run`` has no catalogue service of its own: these files are the only ones that the nodes are told."""

    run: EmbeddedRun
    serial: int = 0
    datasets: dict[str, Any] = field(default_factory=dict)
    grants: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    end_jobs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ask.write_text(ASK.format(socket=str(self.root / "node/run/node.sock")))
        self.catalogue_service = pwd.getpwnam(self.run.unix_name("catalogue")).pw_uid
        self._own(self.root / "published/events")
        for event in (self.root / "published/events").iterdir():
            event.unlink()
        self.publish()

    @property
    def root(self) -> Path:
        return self.run.directory

    @property
    def ask(self) -> Path:
        return self.root / "ask.py"

    def _own(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        os.chown(directory, self.catalogue_service, self.catalogue_service)

    def uid(self, user: str) -> int:
        return pwd.getpwnam(self.run.unix_name(user)).pw_uid

    def dataset(self, name: str, text: str, access: str = "restricted", more: Iterable[str] = ()) -> None:
        """Add a dataset of one version, 1, with the file a.txt, and more with the same text."""
        made, store = self.root / "made" / name, self.root / "datasets" / name
        # readable inside the image, out of reach outside; an earlier test on the same cluster made the same
        made.parent.mkdir(mode=0o700, exist_ok=True)
        made.mkdir(mode=0o755, exist_ok=True)
        for file in ("a.txt", *more):
            (made / file).write_text(text)
        self._own(store)
        entry = pack(made, store / "1.sqfs")
        os.chown(store / "1.sqfs", self.catalogue_service, self.catalogue_service)
        (store / "1.sqfs").chmod(0o400)
        self.datasets[name] = {"access": access, "latest": "1", "versions": {"1": entry}}

    def grant(self, name: str, *users: str, account: str = "proteins", until: float | None = None) -> None:
        entry = {"account": account, "uids": [self.uid(user) for user in users], "until": until}
        self.grants.setdefault(name, []).append(entry)

    def publish(self) -> None:
        self.serial += 1
        content = {"format": 1, "serial": self.serial, "written": time.time(), "datasets": self.datasets}
        fresh = self.root / "published/grants.new"
        fresh.write_text(json.dumps({**content, "grants": self.grants, "end_jobs": self.end_jobs}))
        os.chown(fresh, self.catalogue_service, self.catalogue_service)
        fresh.chmod(0o640)
        fresh.replace(self.root / "published/grants.json")

    def submit(self, user: str, script: str, *options: str, account: str = "proteins") -> int:
        """Submit a job; its number. What it prints is :meth:`said`."""
        home = self.run.home(user)
        given = ["--parsable", "--export=NIL", f"--account={account}", "--cpus-per-task=1", "--mem=100M"]
        output = f"--output={home}/job-%j.out"
        text = f'#!/bin/bash\nROOT={self.root}\nask() {{ /usr/bin/python3 {self.ask} "$@"; }}\n{script}\n'
        done = self.run.as_user(user, "sbatch", *given, output, *options, input=text)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def said(self, user: str, job: int) -> str:
        """All that a job printed so far."""
        path = self.run.home(user) / f"job-{job}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def state(self, job: int) -> str:
        return self.run.slurm("squeue", "-h", "-j", str(job), "-t", "all", "-o", "%T")

    def over(self, job: int) -> bool:
        return self.state(job) in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "")

    def daemon(self) -> int | None:
        """The process of the node agent; None while nobody answers on its socket: a new process needs a moment."""
        found: int | None = json.loads((self.root / "run/processes.json").read_text()).get("node")
        return found if answers(self.root / "node/run/node.sock") else None

    def mounted(self) -> list[str]:
        """The mounts of gates and bases on this machine."""
        below = [mount.target for mount in kernel.mounts_below(str(self.root / "node"))]
        return [target for target in below if not target.endswith("/run/ns")]  # the place where namespaces are kept

    def events(self) -> list[dict[str, Any]]:
        files = sorted((self.root / "published/events").glob("[!.]*.json"))
        return [json.loads(file.read_text()) for file in files]
