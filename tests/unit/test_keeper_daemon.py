"""The keeper as it runs: a process of its own account, asked over its socket by the hub's client.

As root it runs as one of the accounts that every Linux has, and the hub as another; else all is this account.
"""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.datasets.client import KeeperClient, KeeperUnavailableError
from fabric_hub.datasets.follower import CatalogueFollower
from fabric_hub.datasets.ingest import events_directory
from fabric_hub.datasets.publish import grants_file
from fabric_hub.datasets.trail import trail_directory
from fabric_hub.datasets.trail_reading import Reading
from fabric_hub.embedded.processes import MARK, Account, as_account
from fabric_hub.embedded.runtime import readable_by_others
from fabric_hub.errors import FabricError
from fabric_hub.settings import DatasetsSettings, parse

CODE = Path(__file__).resolve().parents[2]
ROOT = os.geteuid() == 0
ME = pwd.getpwuid(os.geteuid()).pw_name
KEEPER, HUB, MEMBER, OUTSIDER = ("daemon", "games", "bin", "nobody") if ROOT else (ME, ME, "jan", ME)

pytestmark = pytest.mark.skipif(
    ROOT and not (readable_by_others(Path(sys.executable)) and readable_by_others(CODE / "fabric_hub" / "model.py")),
    reason="other accounts cannot read this Python or this code",
)

OFFER = """
import sys
from pathlib import Path
from fabric_hub import settings
from fabric_hub.datasets.desk import opened
from fabric_hub.datasets.model import *
with opened(settings.load(Path(sys.argv[1]))) as desk:
    desk.add(Dataset(
        name="wind", title="Wind", description="Wind.", publisher=Agent(name="Us"), creator=Agent(name="Us"),
        contact=Contact(name="Us", email="us@example.org"), licence="https://example.org/licence",
        access="restricted", themes=("ENER",), keywords=("wind",), languages=("ENG",), personal_data="none",
        purposes=(Purpose(name="research", text="Research"),), agreement=Agreement(version="1", text="Be good."),
        provenance="Measured.", retention="ten years",
    ))
    desk.version("wind", Version(version="2", kind="image", path="/srv/wind.sqfs", sha256="a" * 64, bytes=1, files=1,
        created_at=1.0))
    desk.publish("wind")
    desk.grant("wind", "physics")
"""
KEEP = "import sys; from fabric_hub.datasets.__main__ import main; sys.exit(main(['--site', sys.argv[1]]))"


def _account(name: str, group: str | None = None) -> Account | None:
    """An account to run as, or None as ourselves; with another account's group, as systemd's Group= gives one."""
    if not ROOT:
        return None
    entry = pwd.getpwnam(name)
    return Account(entry.pw_uid, grp.getgrnam(group).gr_gid if group else entry.pw_gid)


def run_as(name: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run this Python as an account."""
    return subprocess.run(
        as_account([sys.executable, *argv], _account(name)), capture_output=True, text=True, timeout=120, check=False,
        cwd=CODE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), "HOME": "/nonexistent"},
    )  # fmt: skip


@dataclass
class Daemon:
    """A site with its keeper."""

    directory: Path
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None

    @property
    def site(self) -> Path:
        return self.directory / "site.toml"

    @cached_property
    def datasets(self) -> DatasetsSettings:
        """As at the start."""
        found = parse(self.site.read_text()).datasets
        assert found is not None
        return found

    @property
    def client(self) -> KeeperClient:
        return KeeperClient(self.datasets.socket)

    def prepare(self) -> None:
        """What an operator prepares: a site's file, and directories of the keeper's."""
        (self.directory / "run").mkdir(parents=True)
        (self.directory / "run" / "lock").touch()  # so that the watchdog clears it as it does an embedded run
        self.directory.chmod(0o755)
        entry = pwd.getpwnam(KEEPER)
        for name, mode in (("state", 0o700), ("store", 0o755), ("published", 0o755), ("socket", 0o750)):
            path = self.directory / name
            path.mkdir()
            if ROOT:
                os.chown(path, entry.pw_uid, pwd.getpwnam(HUB).pw_gid if name == "socket" else entry.pw_gid)
            path.chmod(mode | (0o2000 if name == "socket" else 0))
        users = "min_uid = 1" if ROOT else "shared_account = true"
        self.site.write_text(
            f"""
[hub]
state_dir = "{self.directory}"
[images]
dir = "{self.directory}"
[users]
{users}
[project.physics]
account = "phys"
members.owner = ["ada"]
members.member = ["{MEMBER}"]
[datasets]
account = "{KEEPER}"
state_dir = "{self.directory}/state"
socket = "{self.directory}/socket/keeper.sock"
store = "{self.directory}/store"
published = "{self.directory}/published"
"""
        )
        self.site.chmod(0o644)

    def start(self) -> None:
        """Start the keeper, and wait until it answers."""
        self.process = subprocess.Popen(
            as_account([sys.executable, "-m", "fabric_hub.datasets", "--site", str(self.site)], _account(KEEPER)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=CODE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), MARK: str(self.directory)},
        )  # fmt: skip
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "the keeper answers on" in line:
                break
        else:
            raise AssertionError("".join(self.log))
        self.reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        assert self.process
        assert self.process.stderr
        assert self.reader
        self.process.send_signal(number)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stderr.close()

    def offer(self) -> None:
        """Publish the dataset wind, and grant it to physics, as an operator does."""
        done = as_operator(OFFER, self.site)
        assert done.returncode == 0, done.stderr

    def granted(self) -> dict[str, Any]:
        """What the nodes are told of who may use what."""
        found: dict[str, Any] = json.loads(grants_file(self.datasets).read_text())["grants"]
        return found

    def records(self) -> list[dict[str, Any]]:
        return list(Reading(trail_directory(self.datasets)).records())


def as_operator(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code with this test's own rights."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
        cwd=CODE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE)},
    )  # fmt: skip


@pytest.fixture
def daemon(sandbox: Path) -> Iterator[Daemon]:
    """A running keeper with an empty catalogue."""
    made = Daemon(sandbox / f"keeper-{secrets.token_hex(4)}")
    made.prepare()
    made.start()
    yield made
    made.stop()
    shutil.rmtree(made.directory)
    sys.stdout.write("".join(made.log))  # shown when the test failed


async def until(true: Any, what: str, daemon: Daemon, limit_s: float = 60) -> None:
    """Wait for what the keeper does by itself."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, f"{what}\n{''.join(daemon.log)}"
        await asyncio.sleep(0.05)


async def test_an_operators_change_reaches_the_hub_and_the_nodes_and_so_does_an_acceptance(daemon: Daemon) -> None:
    async with daemon.client as client:
        follower = CatalogueFollower(client)
        assert (await follower.fresh()).datasets == ()
        changed = asyncio.create_task(follower.changed())
        await asyncio.to_thread(daemon.offer)
        await asyncio.wait_for(changed, 60)
        await follower.fresh()
        await follower.stop()
        assert follower.catalogue is not None
        assert [one.name for one in follower.catalogue.datasets] == ["wind"]
        assert daemon.granted() == {}  # nobody has accepted yet

        await client.accept(MEMBER, "physics", "wind", "1", "research")
        uid = pwd.getpwnam(MEMBER).pw_uid if ROOT else os.geteuid()
        assert daemon.granted() == {"wind": [{"account": "phys", "uids": [uid], "until": None}]}
        assert [one.user for one in (await client.catalogue()).acceptances] == [MEMBER]
        await client.accept(MEMBER, "physics", "wind", "1", "research")  # again changes nothing
    events = [record["event"] for record in daemon.records()]
    assert events == ["described", "packed", "published", "granted", "accepted"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("ada", "physics", "nothing", "1", "research"), 404),
        (("ada", "physics", "wind", "2", "research"), 409),
        (("ada", "physics", "wind", "1", "pleasure"), 422),
        (("eve", "physics", "wind", "1", "research"), 403),
        (("ada", "chemistry", "wind", "1", "research"), 403),
    ],
)
async def test_an_acceptance_that_is_not_right_is_refused_and_leaves_nothing(
    daemon: Daemon, arguments: tuple[str, str, str, str, str], status: int
) -> None:
    await asyncio.to_thread(daemon.offer)
    before = len(daemon.records())
    async with daemon.client as client:
        with pytest.raises(FabricError) as refused:
            await client.accept(*arguments)
    assert refused.value.status == status
    assert len(daemon.records()) == before


async def test_requests_and_denials_are_recorded_once(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        for _ in range(2):
            await client.request("ada", "physics", "wind", "For my thesis.")
            await client.event("denied", user="eve", project="physics", dataset="wind", why="not-granted")
        assert len((await client.catalogue()).requests) == 1
    told = [(record["event"], record["user"]) for record in daemon.records() if "user" in record]
    assert told == [("requested", "ada"), ("denied", "eve")]


async def status_of(call: Awaitable[None]) -> int:
    """The status that a verb answered with."""
    try:
        await call
    except FabricError as error:
        return error.status
    return 204


async def test_who_tries_one_made_up_name_after_the_other_fills_no_trail_and_hides_nobody_else(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        for number in range(200):
            await client.event("denied", user="eve", project="physics", dataset=f"no-{number}", why="unknown")
        await client.event("denied", user="mallory", project="physics", dataset="wind", why="not-granted")
        answers = [await status_of(client.request("ada", "physics", "wind", f"Why {number}")) for number in range(210)]
        await client.request(MEMBER, "physics", "wind", "For my thesis.")
    assert answers[:200] == [204] * 200
    assert answers[-1] == 429
    told = [record for record in daemon.records() if record["event"] == "denied"]
    names = [record["dataset"] for record in told if record["user"] == "eve" and "dataset" in record]
    assert names[:50] == [f"no-{number}" for number in range(50)]
    assert len(names) < 100
    assert [record["why"] for record in told if "dataset" not in record and record["user"] == "eve"]
    assert told[-1]["user"] == "mallory"


async def test_what_a_node_tells_is_in_the_trail_with_its_purpose_and_an_export_shows_it(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    uid = pwd.getpwnam(MEMBER).pw_uid if ROOT else os.geteuid()
    now = time.time()
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
    events = events_directory(daemon.datasets)
    assert events.stat().st_mode & 0o777 == 0o700
    for number, event in enumerate(("opened", "closed")):
        draft = events / f".{number}"
        draft.write_text(json.dumps({"format": 1, "event": event, "time": now + number, "node": "gpu1", "job": 7,
                                     "uid": uid, "account": "phys", "dataset": "wind", "version": "2",
                                     "sha256": "a" * 64, "why": "asked"}))  # fmt: skip
        draft.chmod(0o644)
        draft.rename(events / f"{number}-gpu1-ff.json")
    (events / "poison").write_text("{")
    await until(lambda: os.listdir(events) == ["refused"], "the events are not taken in", daemon)

    day = time.strftime("%Y-%m-%d")
    done = _audit(daemon, "export", "--dataset", "wind", "--from", day, "--to", day, "--json")
    assert done.returncode == 0, done.stderr
    (use,) = json.loads(done.stdout)["uses"]
    assert (use["dataset"], use["node"], use["job"], use["ended"]) == (f"wind@sha256:{'a' * 64}", "gpu1", 7, "closed")
    if ROOT:  # without, everybody is one account: nobody is told apart
        assert (use["user"], use["project"], use["purpose"]) == (MEMBER, "physics", "research")
        assert use["responsible"] == ["ada"]
    table = _audit(daemon, "export", "--dataset", "wind", "--from", day, "--to", day, "--csv").stdout.splitlines()
    assert table[0].startswith("user,uid,responsible,project,purpose,dataset,version,job,node,start,end,ended")
    assert len(table) == 2
    assert "Nobody used sun" in _audit(daemon, "export", "--dataset", "sun", "--from", day, "--to", day).stdout


def _audit(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from fabric_hub.cli import main; sys.exit(main(sys.argv[1:]))"
    return as_operator(code, "audit", *arguments, "--site", str(daemon.site))


def test_verify_names_the_first_wrong_record_and_knows_a_noted_head(daemon: Daemon) -> None:
    daemon.offer()
    right = _audit(daemon, "verify")
    assert right.returncode == 0, right.stderr
    assert "is whole: 4 records" in right.stdout
    noted = _audit(daemon, "head").stdout.strip()
    assert noted.startswith("4:")
    assert noted in right.stdout
    assert _audit(daemon, "verify", "--noted", noted).returncode == 0
    assert "missing" in _audit(daemon, "verify", "--noted", noted.replace("4:", "5:")).stderr
    assert _audit(daemon, "verify", "--noted", "four").returncode == 2

    (path,) = trail_directory(daemon.datasets).glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"event":"packed"', b'"event":"linked"'))
    wrong = _audit(daemon, "verify")
    assert wrong.returncode == 1
    assert "Record 2 " in wrong.stderr
    assert "was changed" in wrong.stderr


@pytest.mark.root
@pytest.mark.parametrize(("name", "answer"), [(HUB, "answers"), (OUTSIDER, "denied"), (MEMBER, "denied")])
def test_only_the_hubs_account_can_connect(daemon: Daemon, name: str, answer: str) -> None:
    code = f"""
import socket
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect({str(daemon.datasets.socket)!r})
        print("answers")
    except OSError as error:
        print(error)
"""
    assert answer in run_as(name, "-c", code).stdout


@pytest.mark.root
@pytest.mark.parametrize("name", [HUB, MEMBER, OUTSIDER])
def test_nobody_but_the_keeper_reads_or_writes_what_is_its(daemon: Daemon, name: str) -> None:
    daemon.offer()
    code = f"""
import glob, os
top = {str(daemon.directory)!r}
print(glob.glob(top + "/state/*"), glob.glob(top + "/state/trail/*"), glob.glob(top + "/published/events/*"))
for path, mode in (("published/grants.json", os.R_OK), ("published/grants.json", os.W_OK), ("published", os.W_OK),
                   ("store", os.W_OK), ("state/catalogue.sqlite", os.R_OK)):
    print(os.access(top + "/" + path, mode))
"""
    assert run_as(name, "-c", code).stdout.splitlines() == ["[] [] []", *["False"] * 5]


@pytest.mark.parametrize("declared", [True, False])
def test_a_request_of_any_size_takes_no_memory(daemon: Daemon, declared: bool) -> None:
    with socket.socket(socket.AF_UNIX) as hub:
        hub.settimeout(60)
        hub.connect(str(daemon.datasets.socket))
        length = b"content-length: 1073741824" if declared else b"transfer-encoding: chunked"
        hub.sendall(b"POST /v1/events HTTP/1.1\r\nhost: k\r\ncontent-type: application/json\r\n%b\r\n\r\n" % length)
        if not declared:
            with suppress(OSError):  # it hangs up
                for _ in range(200):
                    hub.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
        else:
            assert hub.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert daemon.process
    peak = next(line for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    assert int(peak.split()[1]) < 300_000, peak  # KiB


def test_the_names_of_the_datasets_are_nobodys_to_list(daemon: Daemon) -> None:
    daemon.stop()
    daemon.datasets.store.chmod(0o755)  # as sites were told to make it
    daemon.start()
    assert daemon.datasets.store.stat().st_mode & 0o777 == 0o700


def test_a_keeper_that_was_killed_starts_again_and_one_is_enough(daemon: Daemon) -> None:
    daemon.stop(signal.SIGKILL)
    daemon.start()
    second = run_as(KEEPER, "-m", "fabric_hub.datasets", "--site", str(daemon.site))
    assert second.returncode == 1
    assert "Another keeper already answers" in second.stderr
    assert daemon.stop() == 0
    assert not daemon.datasets.socket.exists()
    daemon.start()


async def test_the_site_file_is_read_again_when_it_changes(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
        right = daemon.site.read_text()
        daemon.site.write_text(right + "[nonsense")
        await until(lambda: "not valid TOML" in "".join(daemon.log), "no word of the mistake", daemon)
        assert "not valid TOML" in (await client.health()).problem
        assert daemon.granted() != {}
        daemon.site.write_text(right.replace(f'member = ["{MEMBER}"]', 'member = ["eve"]'))
        await until(lambda: daemon.granted() == {}, "who left the project is still let in", daemon)
        assert (await client.health()).problem == ""


async def test_without_a_keeper_the_client_says_so_and_the_follower_keeps_what_it_has(daemon: Daemon) -> None:
    async with daemon.client as client:
        follower = CatalogueFollower(client)
        await follower.fresh()
        follower.follow()
        await asyncio.to_thread(daemon.stop)
        await until(lambda: follower.silent_since is not None, "the follower has not noticed", daemon)
        assert follower.catalogue is not None
        with pytest.raises(KeeperUnavailableError, match="is not running") as refused:
            await client.catalogue()
        assert refused.value.status == 503
        await asyncio.to_thread(daemon.start)
        await until(lambda: follower.silent_since is None, "the follower has not come back", daemon)
        await follower.stop()


@pytest.mark.root
def test_it_never_runs_as_root_or_as_somebody_else(daemon: Daemon) -> None:
    for done in (
        as_operator(KEEP, daemon.site),
        run_as(OUTSIDER, "-m", "fabric_hub.datasets", "--site", str(daemon.site)),
    ):
        assert done.returncode == 1
        assert "its account is daemon" in done.stderr
