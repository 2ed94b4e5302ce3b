"""An embedded cluster and gateway with a hub that a test starts, kills and starts again."""

from __future__ import annotations

import copy
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx

from fabric_dev import cluster, runtime
from fabric_dev.instance import layout_of
from fabric_dev.ports import Claims, choose
from fabric_dev.processes import Account, end, start, tail
from fabric_dev.sitefile import toml
from fabric_hub.config.settings import ENV, Settings, load
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import JOB_NAME

from .embedded_run import EmbeddedRun
from .hub_process import children, kill_alone
from .person import Person
from .waiting import until

WATCH_S = 2.0  # between two questions about jobs
QUERY_TIMEOUT_S = 4.0
SUBMIT_TIMEOUT_S = 10.0
TOGETHER = 10  # sessions of profile "tenth" that run at a time
# "within two watch intervals", and what two crowded cores may take to tell it: before the hub would ask of itself
SOON_S = 2 * WATCH_S + 20.0

SBATCH = """#!/bin/bash
# Submits, and keeps the answer to itself for as long as a test holds it.
said=$(/usr/bin/sbatch "$@"); status=$?
until [ ! -e {hold} ]; do sleep 0.1; done
[ -z "$said" ] || echo "$said"
exit $status
"""
# A server that takes more memory than its job asked for.
HUNGRY = """#!/usr/bin/python3
import signal
kept = bytearray(b"x") * (512 << 20)
signal.pause()
"""
# What a site with cgroups gets from the kernel, this machine's Slurm does by looking every second.
MEMORY_LIMITS = """
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
"""


class BrokenSite:
    """See the module. Everything in it is real but image ``tiny`` (:mod:`.small_server`) and a slow sbatch.

    Profiles: ``small`` (many run), ``tenth`` (ten run at a time), ``gpu-1`` and the demo's. Images: ``tiny``,
    ``base`` (JupyterLab), ``missing`` (offered and never built), ``hungry`` (takes more memory than it asked for).
    """

    def __init__(
        self, directory: Path, run: EmbeddedRun, bin_dir: Path, hub: dict[str, str], limits_interval_s: float
    ) -> None:
        self.run = run
        self.hold = bin_dir / "hold-sbatch"
        self._layout = layout_of(directory)
        self._account = pwd.getpwnam(run.unix_name("hub"))
        self._configure(bin_dir, hub, limits_interval_s)
        self.site = run.site
        self.settings: Settings = load(run.site)
        self.address = self.settings.hub.bind_url.rstrip("/")
        self._runtime = runtime.current(self._layout, print)
        self._hub: subprocess.Popen[bytes] | None = None
        self._people: dict[str, Person] = {}
        self.hands = ThreadPoolExecutor(24)

    @classmethod
    def make(cls, directory: Path, prefix: str, base_image: Path, *, limits_interval_s: float = 10, **hub: str) -> Self:
        """Start all but the hub.

        :param limits_interval_s: how long the hub may not know that a limit has changed.
        :param hub: settings of the site's [hub] that differ; ``{port}`` is the proxy's.
        """
        outside = directory.with_name(directory.name + "-x")
        images, bin_dir = outside / "images", outside / "bin"
        source = Path(__file__).with_name("small_server.py").read_text()
        for name, text in {"tiny": "#!/usr/bin/python3 -I\n" + source, "hungry": HUNGRY}.items():
            program = images / name / "current" / "bin" / "python"
            program.parent.mkdir(parents=True)
            program.write_text(text)
            program.chmod(0o755)
        (images / "base").symlink_to(base_image)
        bin_dir.mkdir()
        for client in ("squeue", "sinfo", "scancel", "sacct", "scontrol", "sacctmgr"):
            (bin_dir / client).symlink_to(f"/usr/bin/{client}")
        (bin_dir / "sbatch").write_text(SBATCH.format(hold=shlex.quote(str(bin_dir / "hold-sbatch"))))
        (bin_dir / "sbatch").chmod(0o755)
        run = EmbeddedRun.start(directory, "--prefix", prefix, "--images", str(images), "--until", "gateway")
        return cls(directory, run, bin_dir, hub, limits_interval_s)

    def _configure(self, bin_dir: Path, hub: dict[str, str], limits_interval_s: float) -> None:
        """The demo's site file with our profiles and images; the gateway reads it again."""
        site = tomllib.loads(self.run.site.read_text())
        memory = int(self.run.slurm("sinfo", "-h", "-n", "cpu1", "-o", "%m").rstrip("+"))
        common = {"partition": "cpu", "cpus": 1, "default_hours": 1, "max_hours": 8}
        site["profile"] = {
            "small": {**common, "memory": "64M"},
            "tenth": {**common, "memory": f"{memory // TOGETHER}M"},
            **site["profile"],
        }
        site["image"] = {"tiny": {}, **site["image"], "missing": {}, "hungry": {}}
        site["slurm"] |= {"watch_interval_s": WATCH_S, "query_timeout_s": QUERY_TIMEOUT_S, "bin_dir": str(bin_dir)}
        site["slurm"]["limits_interval_s"] = limits_interval_s
        site["gateway"]["submit_timeout_s"] = SUBMIT_TIMEOUT_S
        port = site["hub"]["bind_url"].rpartition(":")[2]
        site["hub"] |= {key: value.replace("{port}", port) for key, value in hub.items()}
        self._set_login(site)
        self.run.site.write_text(toml(site).lstrip("\n"))
        self.kill_gateway()
        text = self.run.slurm_conf.read_text().replace("jobacct_gather/none", "jobacct_gather/linux")
        self.run.put_slurm_conf(text)
        self.set_in_slurm(MEMORY_LIMITS)

    def _set_login(self, site: dict[str, Any]) -> None:
        """Another login than the demo's, where one is to be."""

    def set_in_slurm(self, more: str) -> None:
        """Add lines to slurm.conf; a later one counts."""
        self.run.put_slurm_conf(self.run.slurm_conf.read_text() + more)
        self.run.slurm("scontrol", "reconfigure")

    @property
    def log(self) -> Path:
        """What the hub says."""
        return self._layout.log / f"{self.settings.hub.state_dir.name}.log"

    @contextmanager
    def another_hub(self) -> Iterator[Self]:
        """A second hub of the same id on the same gateway, with its own record; it runs while the block lasts."""
        other = copy.copy(self)
        other.site = self.run.site.with_name("site-2.toml")
        state = self._layout.hub.with_name("hub-2")
        with Claims() as claims:
            ports = choose(claims, None, None)
            site = tomllib.loads(self.run.site.read_text())
            site["hub"] |= {
                "state_dir": state, "bind_url": f"http://127.0.0.1:{ports.public}", "hub_port": ports.hub
            }  # fmt: skip
            other.site.write_text(toml(site).lstrip("\n"))
            state.mkdir(mode=0o700)
            shutil.copy(self._layout.token, state / self._layout.token.name)
            for path in (state, state / self._layout.token.name):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
            other.settings, other._hub, other._people = load(other.site), None, {}
            other.address = other.settings.hub.bind_url.rstrip("/")
            try:
                other.up()
                yield other
            finally:
                for person in other._people.values():
                    person.close()
                if other._hub:
                    other.kill()
                shutil.rmtree(state)
                other.site.unlink()

    # processes

    def kill_gateway(self) -> None:
        """``kill -9`` of the gateway; the run's supervisor starts it again."""
        old = self.run.pid("gateway")
        os.kill(old, signal.SIGKILL)
        socket = self._layout.gateway_socket

        def again() -> bool:
            with suppress(KeyError):
                return self.run.pid("gateway") != old and cluster.answers(socket)
            return False

        until(again, "the gateway is started again", 90)

    def hub_command(self) -> tuple[list[str], dict[str, str]]:
        """How a hub is started: command and environment. It logs all that it can."""
        command = [str(self._runtime.python), "-m", "jupyterhub", "-f", str(self._runtime.config), "--debug"]
        own = {ENV: str(self.site), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return command, {**cluster.base_environment(self._layout), **self._runtime.environment, **own}

    @property
    def hub_account(self) -> Account:
        return Account(self._account.pw_uid, self._account.pw_gid)

    @property
    def hub_pid(self) -> int:
        assert self._hub
        return self._hub.pid

    def up(self) -> float:
        """Start the hub; returns the moment (monotonic) when it answered."""
        command, environment = self.hub_command()
        self._hub = start(
            command, log=self.log, environment=environment, cwd=self.settings.hub.state_dir,
            account=self.hub_account,
        )  # fmt: skip
        until(self._healthy, "hub and service answer", 240, every_s=0.3)
        return time.monotonic()

    def _healthy(self) -> bool:
        assert self._hub
        assert self._hub.poll() is None, f"the hub ended:\n{tail(self.log, 60)}"
        with suppress(httpx.HTTPError):
            paths = ("/hub/api/", "/services/fabric/api/health")
            return all(httpx.get(self.address + path, timeout=30, verify=False).status_code == 200 for path in paths)
        return False

    def kill(self) -> None:
        """``kill -9`` of the hub: its proxy and its service end with it, at once."""
        assert self._hub
        hub, self._hub = self._hub, None
        kill_alone(hub)

    def close(self) -> None:
        """Stop the hub, then everything else, and remove it."""
        self.hold.unlink(missing_ok=True)
        if self._hub:
            started = children(self._hub.pid)
            self._hub.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._hub.wait(30)
            self._hub.kill()
            end(started)
        self.hands.shutdown(cancel_futures=True)
        for person in self._people.values():
            person.close()
        self.run.remove()

    def clean(self) -> None:
        """What one test left does not reach the next: no session, no job, nobody held up."""
        self.hold.unlink(missing_ok=True)
        if self._hub is None or self._hub.poll() is not None:
            self.up()
        people = list(self._people.values())
        stops = [self.hands.submit(person.stop, name) for person in people for name in person.servers()]
        for stop in stops:
            stop.result()
        if jobs := self.jobs():
            self.run.slurm("scancel", "--quiet", *map(str, jobs))
        until(lambda: not self.jobs(), "no job is left", 60)
        until(lambda: not any(person.servers() for person in people), "no server is left", 60)

    # people and their sessions

    def admin_api(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """JupyterHub's API with the right to make tokens."""
        token = (self.settings.hub.state_dir / self._layout.token.name).read_text().strip()
        headers = {"Authorization": f"token {token}"}
        url = f"{self.address}/hub/api{path}"
        return httpx.request(verb, url, headers=headers, timeout=30, verify=False, **options)

    def person(self, name: str) -> Person:
        """A demo user, with a token."""
        if name not in self._people:
            self.admin_api("POST", f"/users/{name}", json={})
            answer = self.admin_api("POST", f"/users/{name}/tokens", json={})
            assert answer.status_code == 201, answer.text
            self._people[name] = Person(self.address, name, self.run.logins[name], answer.json()["token"])
        return self._people[name]

    def forget_people(self) -> None:
        """Their tokens were in a database that is gone."""
        for person in self._people.values():
            person.close()
        self._people.clear()

    def live(self) -> list[Session]:
        """The sessions on the hub's record that are not over."""
        store = SessionStore(database_url(self.settings))
        try:
            return store.live_all()
        finally:
            store.close()

    def session(self, session_id: str) -> Session:
        """A session on the hub's record."""
        store = SessionStore(database_url(self.settings))
        try:
            found = store.get(session_id)
        finally:
            store.close()
        assert found, f"no session {session_id} on record"
        return found

    def last_ended(self, person: Person, server: str = "") -> Session | None:
        """The session of a person's server that ended last."""
        store = SessionStore(database_url(self.settings))
        try:
            return store.last_ended(person.name, server)
        finally:
            store.close()

    def session_of(self, person: Person, server: str = "") -> Session:
        """A person's live session, once its job is submitted."""

        def submitted() -> Session | None:
            own = (item for item in self.live() if (item.user, item.server_name) == (person.name, server))
            return next((item for item in own if item.job_id), None)

        return until(submitted, f"{person.name} has a job for server {server!r}", 60)

    # Slurm's own word

    def jobs(self) -> dict[int, tuple[str, str]]:
        """Jobs in the queue or running, by number: name and state."""
        lines = self.run.slurm("squeue", "-h", "-a", "-o", "%A|%T|%j").splitlines()
        rows = (line.split("|", 2) for line in lines)
        return {int(number): (name, state) for number, state, name in rows}

    def ever_submitted(self) -> dict[str, list[int]]:
        """All jobs of sessions that Slurm's database has seen, by session."""
        text = self.run.slurm("sacct", "-X", "-a", "-n", "-P", "-S", "now-1days", "-o", "JobID,JobName")
        found: dict[str, list[int]] = {}
        for line in text.splitlines():
            number, _, name = line.partition("|")
            if match := JOB_NAME.fullmatch(name):
                found.setdefault(match.group(2), []).append(int(number))
        return found

    def jobs_of(self, session: Session) -> list[int]:
        """All jobs that a session ever had, once Slurm's database has heard of it."""
        return until(lambda: self.ever_submitted().get(session.id), f"the database knows session {session.id}", 60)

    def state_of(self, job_id: int | None) -> str:
        """What Slurm calls the state of a job."""
        return self.run.slurm("squeue", "-h", "-a", "-t", "all", "-j", str(job_id), "-o", "%T")

    def until_state(self, job_id: int | None, *states: str, limit_s: float = 60) -> str:
        return until(
            lambda: now if (now := self.state_of(job_id)) in states else "", f"job {job_id} is {states}", limit_s
        )
