"""The node's daemon, asked over its socket, and what it tells the catalogue service."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from typing import Any

import pytest

from fabric_node import kernel
from fabric_node.daemon import LARGEST_REQUEST, ask
from tests.support.scratch_node import ScratchNode, as_uid
from tests.support.waiting import until

from .conftest import RESEARCHER, STRANGER, STUDENT, names

pytestmark = pytest.mark.root

# no import of ours: the checkout may be where that uid cannot read
ASK = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(20)
client.connect(sys.argv[1])
client.sendall(sys.argv[2].encode() + b"\\n")
print(client.makefile().readline())
"""


def asks(node: ScratchNode, uid: int, request: Any, *before: str) -> dict[str, Any]:
    """What the daemon answers to a uid."""
    program = [*before, "/usr/bin/python3", "-c", ASK]
    done = as_uid(uid, *program, str(node.directory / "run/node.sock"), json.dumps(request))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def daemon(node: ScratchNode) -> Any:
    process = node.serve()
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("daemon")
def test_the_daemon_takes_the_kernels_word_for_who_asks(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    request = {"verb": "open", "job": 7, "datasets": ["maps"]}
    assert asks(node, STRANGER, request)["error"] == "no-job"
    as_root_in_a_namespace = ("unshare", "--user", "--map-root-user", "--mount")
    assert asks(node, STRANGER, request, *as_root_in_a_namespace)["error"] == "no-job"
    assert asks(node, STRANGER, {"verb": "reconcile"}, *as_root_in_a_namespace)["error"] == "request"
    assert names(asks(node, RESEARCHER, request)["opened"]) == ["maps"]
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


@pytest.mark.usefixtures("daemon")
def test_a_revoked_grant_closes_within_seconds_and_a_new_one_opens(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})
    kept = node.grants.pop("maps")
    node.publish()
    until(lambda: node.reads(RESEARCHER, "maps/latest/a.txt") is None, "the gate closes", 5)
    until(lambda: node.events()[-1]["event"] == "revoked", "the audit log has it")
    node.grants["maps"] = kept
    node.publish()
    until(lambda: asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"], "the gate opens")


@pytest.mark.usefixtures("daemon")
def test_a_grant_closes_at_its_end_without_anybodys_help(node: ScratchNode) -> None:
    node.grants["maps"] = []
    node.grant("maps", RESEARCHER, until=time.time() + 5)  # to be opened before, on a crowded machine, too
    node.publish()
    node.start_job(7, RESEARCHER)
    assert asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"]
    until(lambda: node.reads(RESEARCHER, "maps/latest/a.txt") is None, "the gate closes")


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize(
    "line",
    [b"\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b'{"verb":"open","job":"7"}\n', b'{"verb":"mount","job":7}\n',
     b'{"verb":"open","job":7,"datasets":["../maps"]}\n', b'{"verb":"open","job":7,"datasets":["maps/1"]}\n',
     b'{"verb":"open","job":7,"datasets":["latest\\u0000"]}\n', b'{"verb":"open","job":7,"path":"/etc"}\n',
     b"[" * 10_000 + b"\n", b"x" * (LARGEST_REQUEST + 1)],
)  # fmt: skip
def test_a_malformed_request_is_answered_in_words_and_changes_nothing(node: ScratchNode, line: bytes) -> None:
    node.start_job(7, RESEARCHER)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(node.directory / "run/node.sock"))
        client.sendall(line)
        answer = json.loads(client.makefile("rb").readline())
    assert answer["error"] == "request"
    assert node.mounted() == []


@pytest.mark.usefixtures("daemon")
def test_one_user_cannot_keep_the_others_waiting(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    hog = f"""
import socket, sys
held = []
for _ in range(200):
    client = socket.socket(socket.AF_UNIX)
    client.connect({str(node.directory / "run/node.sock")!r})
    held.append(client)
print("held", flush=True)
sys.stdin.read()
"""
    command = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "/usr/bin/python3", "-c", hog]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        assert asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"]
        process.communicate()


@pytest.mark.usefixtures("daemon")
def test_one_user_of_many_uids_cannot_keep_the_others_waiting(node: ScratchNode) -> None:
    """Each user of a node may have a range of uids beside their own (subuid(5)): jobs run under none of those."""
    node.start_job(7, RESEARCHER)
    hog = f"""
import os, socket, sys
held = []
for uid in range(200000, 200040):
    os.seteuid(0)
    os.seteuid(uid)
    for _ in range(4):
        client = socket.socket(socket.AF_UNIX)
        client.connect({str(node.directory / "run/node.sock")!r})
        held.append(client)
os.seteuid(0)
for client in held:
    client.settimeout(0.2)
    try:
        client.recv(1)
    except socket.timeout:  # TimeoutError since Python 3.10
        print("held", flush=True)  # by the daemon, too
        break
sys.stdin.read()
"""
    with subprocess.Popen(["/usr/bin/python3", "-c", hog], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        for _ in range(3):
            assert asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"]
        process.communicate()


def test_sessions_read_on_while_the_daemon_is_away_and_the_next_one_takes_over(node: ScratchNode) -> None:
    first = node.serve()
    node.start_job(7, RESEARCHER)
    asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})
    first.kill()
    first.wait()
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    node.grants.pop("maps")
    node.publish()
    second = node.serve()
    try:
        assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
        ask(str(node.directory / "run/node.sock"), {"verb": "reconcile"}, 10)
    finally:
        second.terminate()
        assert second.wait() == 0


@pytest.mark.usefixtures("daemon")
def test_events_reach_the_catalogue_service_and_wait_while_they_cannot(node: ScratchNode) -> None:
    outbox, events = node.directory / "state/events", node.directory / "published/events"
    events.rmdir()
    node.start_job(7, RESEARCHER)
    asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps", "nothing"]})
    assert len(list(outbox.iterdir())) == 2
    events.mkdir()
    until(lambda: len(list(events.glob("[!.]*.json"))) == 2, "the events arrive")
    assert list(outbox.iterdir()) == []
    first = min(events.iterdir())
    assert first.stat().st_uid == 0
    told = json.loads(first.read_text())
    assert (told["event"], told["dataset"], told["uid"], told["node"]) == ("opened", "maps", RESEARCHER, "gpu1")


def test_an_event_that_a_crash_left_as_garbage_holds_up_no_other(node: ScratchNode) -> None:
    agent = node.agent()
    (node.directory / "state/events/1-gpu1-00.json").write_bytes(b"\xff\xfe")
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    assert agent.events.move() == 0
    assert len(list((node.directory / "published/events").glob("*-gpu1-*.json"))) == 2


def test_on_a_full_disk_nothing_new_opens_what_is_open_stays_and_what_must_close_closes(node: ScratchNode) -> None:
    small = node.directory / "small"
    small.mkdir()
    kernel.mount("none", str(small), "tmpfs", 0, "size=256k,mode=755")
    node.configure(run=str(small / "run"), state=str(small / "state"))
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT)
    node.open(7, RESEARCHER, "maps")
    filled = subprocess.run(["dd", "if=/dev/zero", f"of={small}/filler", "bs=4k"], capture_output=True, check=False)
    assert b"No space" in filled.stderr
    (refused,) = node.open(7, RESEARCHER, "wind").refused
    assert (refused["reason"], "cannot record it" in refused["message"]) == ("unusable", True)
    assert node.open(8, STUDENT, "maps").opened == []
    assert node.reads(RESEARCHER, "wind/latest/a.txt") is None
    assert node.reads(STUDENT, "maps/latest/a.txt") is None
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    node.grants.pop("maps")
    node.publish()
    node.agent().reconcile()
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    assert [event["event"] for event in node.events()].count("revoked") == 1
    (small / "filler").unlink()
    assert names(node.open(7, RESEARCHER, "wind").opened) == ["wind"]
    node.end_job(7, RESEARCHER)
    assert node.mounted() == ["small"]
