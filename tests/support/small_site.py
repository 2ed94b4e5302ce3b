"""A site in one directory: hub, proxy and service as in production, and a gateway whose jobs a test moves."""

from __future__ import annotations

import json
import os
import secrets
import site
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from fabric_dev.ports import Claims, choose
from fabric_dev.processes import end, tail
from fabric_dev.sitefile import toml
from fabric_hub.config.settings import Settings, load
from fabric_hub.hub.held_ports import PASSED
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Job, SubmitRequest
from fabric_hub.unix.proxy_program import find_proxy

from .announcing_server import AnnouncingServer
from .gateway import FakeGateway
from .gateway_thread import GatewayThread
from .hub_process import children, kill_alone
from .person import Person
from .proxy_process import ProxyProcess
from .waiting import until

ROOT = Path(__file__).parents[2]
PEOPLE = [f"person{number:02}" for number in range(1, 91)]
UNIX_PREFIX = "u-"
TOKEN = secrets.token_hex(32)  # may make tokens for everybody, as in an embedded run

PROFILES: dict[str, dict[str, Any]] = {
    "gpu-1": {"title": "One GPU", "partition": "gpu", "gpus": 1, "gpu_type": "h200", "cpus": 4, "memory": "2G"},
    "small": {"title": "Two CPUs", "partition": "gpu", "cpus": 2, "default_hours": 2, "max_hours": 4},
    "huge": {"title": "Eight GPUs", "partition": "gpu", "gpus": 8, "gpu_type": "h200"},
}
PROJECTS: dict[str, dict[str, Any]] = {
    "twin": {"title": "Digital twin", "account": "twin-acc", "members": {"member": PEOPLE}},
    "past": {"account": "past-acc", "members": {"member": PEOPLE}, "end": "2020-01-31"},
    "closed-shop": {"account": "shop-acc", "members": {"owner": ["boss"]}},
}


def _with_port(value: Any, port: int) -> Any:
    return value.replace("{port}", str(port)) if isinstance(value, str) else value


class SmallSite:
    """See the module. ``with`` starts it, and closes it at the end.

    :param directory: an empty one with a short path (it holds a Unix socket).
    :param configuration: lines of a jupyterhub_config.py of the site's own.
    :param held: the ports of hub and proxy are held for it, as by systemd.
    :param changes: sections of the site's file that differ, merged one level deep; ``{port}`` is the proxy's.
    """

    def __init__(self, directory: Path, configuration: Any = "", held: Any = False, **changes: dict[str, Any]) -> None:
        self.directory = directory
        self.state = directory / "hub"
        self.state.mkdir(mode=0o700, parents=True)
        self.log = directory / "hub.log"
        self.answers = True  # whether a job's server announces itself
        self.sessions: dict[str, AnnouncingServer] = {}
        self._claims = Claims()
        self._held: list[socket.socket] = []
        self._hub: subprocess.Popen[bytes] | None = None
        self._people = iter(PEOPLE)
        self._known: list[Person] = []
        if configuration:
            extra = directory / "extra.py"
            extra.write_text(configuration)
            changes["hub"] = {**changes.get("hub", {}), "extra_config": extra}
        self._write(changes, held)
        self.settings: Settings = load(directory / "site.toml")
        self.proxy: ProxyProcess | None = None  # where it has a unit of its own
        if self.settings.hub.proxy_unit:
            self.proxy = ProxyProcess(self.state, self._held.pop(0), self.log)
        self.address = self.settings.hub.bind_url.rstrip("/")
        # one client for all: with the authorities of HTTPS each new one would cost time and memory
        self.http = httpx.Client(base_url=self.address, timeout=60, verify=False)
        self.store = SessionStore(database_url(self.settings))
        account_of = (lambda user: "everybody") if self.settings.users.shared_account else UNIX_PREFIX.__add__
        fake = FakeGateway("small", account_of=account_of, on_submit=self._submitted)
        self.gateway = GatewayThread(fake, self.settings.gateway.socket)
        self.gateway.up()

    def _write(self, changes: dict[str, dict[str, Any]], held: bool) -> None:
        ports = choose(self._claims, None, None)
        if held:
            self._held = [self._claims.listen(port, None) for port in (ports.public, ports.hub)]
        passwords = {name: f"secret of {name}" for name in [*PEOPLE, "boss", "admin", "curator"]}
        (self.directory / "demo.json").write_text(json.dumps(passwords))
        (self.state / "embedded-token").write_text(TOKEN)
        text: dict[str, Any] = {
            "hub": {
                "id": "small",
                "state_dir": self.state,
                "bind_url": f"http://127.0.0.1:{ports.public}",
                "hub_port": ports.hub,
                "proxy_command": list(find_proxy(Path(sys.prefix), Path(site.getsitepackages()[0]))),
            },
            "login": {"kind": "demo", "demo_file": self.directory / "demo.json", "admins": ["admin"]},
            "gateway": {"socket": self.directory / "gateway.sock"},
            "slurm": {},
            "users": {"unix_name": f"{UNIX_PREFIX}{{user}}"},
            "images": {"dir": self.directory / "images"},
            "image": {"base": {"title": "Base"}, "pytorch": {"title": "PyTorch"}},
            "profile": PROFILES,
            "project": PROJECTS,
        }
        for section, values in changes.items():
            told = {key: _with_port(value, ports.public) for key, value in values.items()}
            text[section] = {**text.get(section, {}), **told}
        (self.directory / "site.toml").write_text(toml(text).replace('"2020-01-31"', "2020-01-31"))

    # the hub's processes

    def up(self) -> Self:
        """Start the hub as a site does, and wait until hub and service answer."""
        self._log_before = len(self.log.read_text()) if self.log.exists() else 0
        if self.proxy:
            self.proxy.up()
        passed = [listener.fileno() for listener in self._held]
        with self.log.open("ab") as log:
            self._hub = subprocess.Popen(
                # whatever becomes of the tests, the hub then stops and takes proxy and service along
                ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "jupyterhub",
                 "-f", str(ROOT / "jupyterhub_config.py")],
                cwd=self.state,
                env={
                    **os.environ,
                    "FABRIC_HUB_SITE": str(self.directory / "site.toml"),
                    "PYTHONPATH": str(ROOT),
                    PASSED: ",".join(map(str, passed)),
                },
                pass_fds=passed,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        until(self._healthy, "hub and service answer", 180, every_s=0.3)
        return self

    def __enter__(self) -> Self:
        try:
            return self.up()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def _healthy(self) -> bool:
        assert self._hub
        assert self._hub.poll() is None, f"the hub ended:\n{tail(self.log, 60)}"
        if "JupyterHub is now running" not in self.log.read_text()[self._log_before :]:
            return False
        with suppress(httpx.HTTPError):
            return self.http.get("/services/fabric/api/health").status_code == 200
        return False

    @property
    def pid(self) -> int:
        """The hub's."""
        assert self._hub
        return self._hub.pid

    def child(self, what: str) -> int:
        """The hub's child with this in its command line."""
        return next(pid for pid in children(self.pid) if what in Path(f"/proc/{pid}/cmdline").read_text())

    def kill(self) -> None:
        """``kill -9`` of the hub: its proxy and its service end with it, at once."""
        assert self._hub
        hub, self._hub = self._hub, None
        kill_alone(hub, own_proxy=self.proxy is None)

    def restart(self) -> None:
        """Stop the hub as ``systemctl restart`` does, and start it again."""
        assert self._hub
        self._hub.terminate()
        self._hub.wait(60)
        self.up()

    def lose_record(self) -> None:
        """While no hub runs: its databases are gone, as with a new state directory."""
        assert self._hub is None
        self.store.close()
        for name in ("sessions.sqlite", "jupyterhub.sqlite"):
            for path in self.state.glob(f"{name}*"):
                path.unlink()
        self.store = SessionStore(database_url(self.settings))

    def close(self) -> None:
        if self._hub:
            started = children(self._hub.pid)
            self._hub.terminate()
            try:
                self._hub.wait(30)
            finally:
                self._hub.kill()
                end(started)
        if self.proxy:
            self.proxy.close()
        for person in self._known:
            person.close()
        for server in self.sessions.values():
            server.close()
        self.http.close()
        self.gateway.close()
        self.store.close()
        self._claims.__exit__(None, None, None)

    # people

    def admin_api(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """JupyterHub's API with the right to make tokens."""
        headers = {"Authorization": f"token {TOKEN}"}
        return self.http.request(verb, f"/hub/api{path}", headers=headers, **options)

    def somebody(self) -> Person:
        """A member of project ``twin`` whom no other test knows."""
        return self.person(next(self._people))

    def person(self, name: str) -> Person:
        answer = self.admin_api("POST", f"/users/{name}/tokens", json={})
        assert answer.status_code == 201, answer.text
        self._known.append(Person(self.address, name, f"secret of {name}", answer.json()["token"]))
        return self._known[-1]

    # jobs

    def _submitted(self, job: Job, request: SubmitRequest) -> None:
        if job.state == "RUNNING" and self.answers:
            self.serve(request)

    def serve(self, request: SubmitRequest) -> AnnouncingServer:
        """Let a session's server come up and announce itself, as its job would."""
        server = self.sessions[request.session] = AnnouncingServer(request, self.http)
        threading.Thread(target=self._announce, args=(server,), daemon=True).start()
        return server

    def _announce(self, server: AnnouncingServer) -> None:
        def told() -> bool:
            with suppress(httpx.HTTPError):
                return server.announce().status_code in (204, 401, 409, 410)
            return False

        until(told, "the service takes a session's port", 60)

    def started(self, person: Person, **options: Any) -> AnnouncingServer:
        """Start a session of a person, with these options; its server, once the hub calls it ready."""
        person.start(**options)
        person.until_ready()
        return self.sessions[self.requests_of(person)[-1].session]

    def hold(self) -> None:
        """From now on jobs wait in the queue."""
        self.gateway.fake.hold = True

    def reset(self) -> None:
        """What one test changed does not reach the next."""
        self.gateway.fake.hold, self.gateway.fake.refusal, self.answers = False, None, True
        self.gateway.fake.reason, self.gateway.fake.words, self.gateway.fake.lingers = "Priority", "", False

    def begin(self, session: str) -> None:
        """A waiting job gets its node, and its server comes up."""
        self.gateway.call(lambda fake: fake.begin(session))
        if self.answers:
            self.serve(self.request(session))

    def request(self, session: str) -> SubmitRequest:
        return next(request for request in self.gateway.fake.requests if request.session == session)

    def requests_of(self, person: Person) -> list[SubmitRequest]:
        """What was submitted for a person: one for each job that was made."""
        return [request for request in self.gateway.fake.requests if request.user == person.name]

    def session_of(self, person: Person, server: str = "") -> Session:
        """A person's live session, once its job is submitted."""

        def submitted() -> Session | None:
            found = self.store.live(person.name, server)
            return found if found and found.job_id else None

        return until(submitted, f"{person.name} has a job")

    def ready_session_of(self, person: Person, server: str = "") -> Session:
        """A person's session, once its record is whole: the hub notes when it was ready after it has told so."""

        def ready() -> Session | None:
            session = self.store.live(person.name, server)
            return session if session and session.ready_at is not None else None

        return until(ready, f"the session of {person.name} is on record as ready")

    def state_of(self, session: str) -> str:
        """What Slurm calls the state of a session's job."""
        return self.gateway.call(lambda fake: fake.job_of(session)).state

    def until_state(self, session: str, state: str) -> None:
        until(lambda: self.state_of(session) == state, f"the job of session {session} is {state}")

    def jobs_of(self, person: Person) -> list[Job]:
        """A person's jobs that are not over."""
        return [job for job in self.gateway.call(FakeGateway.live) if job.user == UNIX_PREFIX + person.name]
