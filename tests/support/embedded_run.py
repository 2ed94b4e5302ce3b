"""An embedded run as tests use it: start, ask, break, read its logs, remove."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_dev.cluster import slurm_environment
from fabric_dev.instance import layout_of
from fabric_dev.processes import tail
from fabric_hub.config import settings

from . import leftovers

ROOT = os.geteuid() == 0


def fabric_hub(*arguments: str, timeout_s: float = 280) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would, with this Python."""
    return subprocess.run(
        [sys.executable, "-m", "fabric_hub.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=Path(__file__).parents[2],
        check=False,
    )


def welcomed(home: Path) -> None:
    """Have the owner of a home been shown around: no session of theirs opens a notebook by itself."""
    owner = home.stat()
    for name in (".local", ".local/share", ".local/share/fabric-hub"):
        if not (home / name).exists():
            (home / name).mkdir(mode=0o700)
            os.chown(home / name, owner.st_uid, owner.st_gid)
    mark = home / ".local/share/fabric-hub/welcomed"
    mark.touch()
    os.chown(mark, owner.st_uid, owner.st_gid)


@dataclass(frozen=True)
class EmbeddedRun:
    """A run in ``directory``; it is started and removed by its fixture."""

    directory: Path

    @classmethod
    def start(cls, directory: Path, *arguments: str) -> EmbeddedRun:
        """Start with `fabric-hub up --detach`; a start that fails shows all that the daemons said."""
        # unless a test wants it: building the larger image would take the processor from all the others
        done = fabric_hub("up", "--detach", "--no-science", "--dir", str(directory), *arguments)
        run = cls(directory)
        if done.returncode:
            raise AssertionError(f"`fabric-hub up` failed:\n{done.stdout}\n{done.stderr}\n{run.logs()}")
        for home in run.directory.glob("homes/*"):
            welcomed(home)
        return run

    def remove(self) -> None:
        """Stop it and remove its accounts and files."""
        with leftovers.purging(self.directory):
            done = fabric_hub("down", "--purge", "--dir", str(self.directory))
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def site(self) -> Path:
        return self.directory / "site.toml"

    @property
    def settings(self) -> settings.Settings:
        return settings.load(self.site)

    @property
    def state(self) -> dict[str, Any]:
        """What `fabric-hub status --json` says."""
        state: dict[str, Any] = json.loads(fabric_hub("status", "--json", "--dir", str(self.directory)).stdout)
        return state

    @property
    def address(self) -> str:
        """Where people open the hub, without a final slash."""
        return self.settings.hub.bind_url.rstrip("/")

    @property
    def logins(self) -> dict[str, str]:
        """Password by demo user."""
        logins: dict[str, str] = json.loads((self.directory / "hub" / "demo-logins.json").read_text())
        return logins

    def token(self, user: str) -> str:
        """A new JupyterHub API token of a demo user."""
        done = fabric_hub("token", user, "--dir", str(self.directory))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def unix_name(self, user: str) -> str:
        """The Unix account of a demo user (or of the services ``hub`` and ``gateway``)."""
        if not ROOT:
            return pwd.getpwuid(os.geteuid()).pw_name
        return self.settings.users.unix_name.replace("{user}", user)

    def home(self, user: str) -> Path:
        """The home directory of a demo user."""
        return self.directory / "homes" / user

    @property
    def slurm_conf(self) -> Path:
        return self.directory / "etc" / "slurm.conf"

    def put_slurm_conf(self, text: str) -> None:
        """Put another slurm.conf in its place, whole: a slurmd that reads it just then (it does so some time after
        `scontrol reconfigure` has returned) ends for good where it finds half of it.
        """
        fresh = self.slurm_conf.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.slurm_conf)

    @contextmanager
    def while_in_slurm(self, more: str) -> Iterator[None]:
        """More lines of slurm.conf while a block lasts; of a name that is there twice the later one counts."""
        before = self.slurm_conf.read_text()
        self.put_slurm_conf(f"{before}\n{more}\n")
        try:
            self.slurm("scontrol", "reconfigure")
            yield
        finally:
            self.put_slurm_conf(before)
            self.slurm("scontrol", "reconfigure")

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's clients need to reach this cluster."""
        return slurm_environment(layout_of(self.directory))

    def slurm(self, *argv: str) -> str:
        """Run a Slurm client as the cluster's own user; its output."""
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def as_user(self, user: str, *argv: str, input: str = "") -> subprocess.CompletedProcess[str]:  # noqa: A002
        """Run a command as a demo user or service account, in its home, without any right of ours."""
        command = list(argv)
        if ROOT:
            name = self.unix_name(user)
            command = ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", "--no-new-privs",
                       "--bounding-set=-all", "--inh-caps=-all", *command]  # fmt: skip
        home = self.home(user)
        return subprocess.run(
            command,
            env={**self.environment, "HOME": str(home)},
            cwd=home if home.exists() else "/",
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def pid(self, daemon: str) -> int:
        """Process of a daemon: munged, mariadbd, slurmdbd, slurmctld, slurmd-NODE, gateway, hub, supervisor."""
        return int(json.loads((self.directory / "run" / "processes.json").read_text())[daemon])

    @contextmanager
    def silent(self, daemon: str) -> Iterator[None]:
        """A real outage: the daemon is there and answers nobody until the block ends."""
        pid = self.pid(daemon)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def logs(self, lines: int = 40) -> str:
        """The end of every log: Slurm, gateway, hub, the sessions' own, and those of their clusters and workers."""
        found = [*sorted((self.directory / "log").glob("*.log"))]
        for own in ("session.log", "clusters/*/log", "clusters/*/logs/*.log"):
            found += sorted(self.directory.glob(f"homes/*/.fabric-hub/*/{own}"))
        return "\n".join(f"==== {path}\n{tail(path, lines)}" for path in found)
