"""Gates and mounts of one node, for real: who reads, who does not, and what is left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.node import kernel
from fabric_hub.node.config import load
from fabric_hub.node.daemon import LARGEST_REQUEST, ask
from fabric_hub.node.trust import NodeError
from tests.hub.waiting import until
from tests.scratch_node import CODE, ScratchNode, as_uid, slurm_says

from .conftest import RESEARCHER, STRANGER, STUDENT

pytestmark = pytest.mark.root


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["dataset"] for item in items]


def test_a_dataset_opens_to_whom_it_is_granted_and_to_nobody_else(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STRANGER)
    assert node.open(7, RESEARCHER, "wind").opened == [
        {"dataset": "wind", "version": "2", "path": str(node.directory / "data/wind")}
    ]
    refused = node.open(8, STRANGER, "wind", "nothing").refused
    assert [(item["dataset"], item["reason"]) for item in refused] == [("wind", "not-granted"), ("nothing", "unknown")]
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 2"
    assert node.reads(RESEARCHER, "wind/1/a.txt") == "wind 1"
    assert node.reads(STRANGER, "wind/latest/a.txt") is None
    listing = as_uid(RESEARCHER, "ls", str(node.directory / "data/wind/")).stdout.split()
    assert listing == ["1", "2", "latest"]


def test_a_job_reads_only_what_it_asked_for(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT)
    node.open(7, RESEARCHER, "wind", "maps")
    assert node.reads(STUDENT, "maps/latest/a.txt") is None
    node.open(8, STUDENT, "maps")
    assert node.reads(STUDENT, "maps/latest/a.txt") == "maps"


def _on_the_shared_file_system(node: ScratchNode, name: str, *versions: tuple[str, str, str]) -> None:
    """A dataset whose versions (name, digest's letter, directory) are directories where they stand."""
    for _, _, directory in versions:
        (node.directory / "source" / directory).mkdir(exist_ok=True)
        (node.directory / "source" / directory / "a.txt").write_text(directory)
    listed = {
        version: {
            "kind": "directory",
            "path": str(node.directory / "source" / where),
            "sha256": 64 * letter,
            "bytes": 1,
        }
        for version, letter, where in versions
    }
    node.datasets[name] = {"access": "restricted", "latest": versions[-1][0], "versions": listed}


def test_two_directories_that_once_held_the_same_are_two_datasets(node: ScratchNode) -> None:
    _on_the_shared_file_system(node, "one", ("1", "a", "first"))
    _on_the_shared_file_system(node, "two", ("1", "a", "second"))  # the same digest when they were linked
    node.grant("one", RESEARCHER)
    node.grant("two", STUDENT)
    node.publish()
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT)
    assert names(node.open(7, RESEARCHER, "one").opened) == ["one"]
    assert names(node.open(8, STUDENT, "two").opened) == ["two"]
    assert node.reads(RESEARCHER, "one/1/a.txt") == "first"
    assert node.reads(STUDENT, "two/1/a.txt") == "second"


def test_two_versions_of_one_directory_stay_mounted_at_every_look(node: ScratchNode) -> None:
    _on_the_shared_file_system(node, "one", ("1", "a", "first"), ("2", "b", "first"))  # it changed where it stands
    node.grant("one", RESEARCHER)
    node.publish()
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "one")
    inside = [os.open(node.directory / "run/ds/one" / version, os.O_PATH) for version in ("1", "2")]
    where = [os.readlink(f"/proc/self/fd/{handle}") for handle in inside]
    for _ in range(2):
        node.agent().reconcile()
    # of a mount that was taken away the kernel knows no place any more
    assert [os.readlink(f"/proc/self/fd/{handle}") for handle in inside] == where
    for handle in inside:
        os.close(handle)
    assert [node.reads(RESEARCHER, f"one/{version}/a.txt") for version in ("1", "2")] == ["first", "first"]


def test_what_the_kernel_tells_everybody_of_a_mounted_image_has_no_name_in_it(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "wind")
    backing = as_uid(STRANGER, "sh", "-c", "cat /sys/block/loop*/loop/backing_file").stdout
    assert backing
    assert str(node.directory) not in backing


def test_two_jobs_share_one_mount_and_the_last_one_takes_it_away(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.start_job(8, STUDENT, node="gpu2")
    node.open(7, RESEARCHER, "maps")
    node.open(8, STUDENT, "maps")
    assert sum(mount.startswith("run/base/") for mount in node.mounted()) == 1
    node.end_job(7, RESEARCHER)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    assert node.reads(STUDENT, "maps/latest/a.txt") == "maps"
    node.end_job(8, STUDENT, node="gpu2")
    assert node.mounted() == []
    assert list((node.directory / "data").iterdir()) == []
    assert [event["event"] for event in node.events()] == ["opened", "opened", "closed", "closed"]


def test_of_two_jobs_of_one_user_the_first_end_leaves_the_other_reading(node: ScratchNode) -> None:
    for number in (7, 8):
        node.start_job(number, RESEARCHER)
        node.open(number, RESEARCHER, "maps")
    node.end_job(7, RESEARCHER)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


def test_the_same_number_on_another_node_or_of_another_user_is_another_job(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    with pytest.raises(NodeError, match="not a job of yours"):
        node.open(7, STUDENT, "maps")
    with pytest.raises(NodeError, match="not a job of yours"):
        node.open(8, RESEARCHER, "maps")


def test_what_is_closed_no_longer_opens(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps", "wind")
    assert names(node.agent().close(7, RESEARCHER, ["maps"]).opened) == ["wind"]
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 2"


def test_a_retired_version_goes_and_a_new_one_comes_while_a_job_reads(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "wind")
    del node.datasets["wind"]["versions"]["1"]
    node.dataset("wind", {"a.txt": "wind 3"}, version="3")
    node.publish()
    node.agent().reconcile()
    assert node.reads(RESEARCHER, "wind/1/a.txt") is None
    assert node.reads(RESEARCHER, "wind/latest/a.txt") == "wind 3"


def test_every_mount_is_read_only_and_runs_nothing(node: ScratchNode) -> None:
    source = node.directory / "source/shared"
    source.mkdir()
    (source / "tool").write_text("#!/bin/sh\necho ran\n")
    (source / "tool").chmod(0o755)
    node.datasets["shared"] = {
        "access": "public",
        "latest": "1",
        "versions": {"1": {"kind": "directory", "path": str(source), "sha256": "cd" * 32, "bytes": 0}},
    }
    node.grants["shared"] = [{"account": None, "uids": None, "until": None}]
    node.publish()
    node.start_job(7, RESEARCHER)
    assert names(node.open(7, RESEARCHER, "shared", "wind").opened) == ["shared", "wind"]
    assert all(mount.safe for mount in kernel.mounts_below(str(node.directory / "run")))
    data = node.directory / "data"
    assert node.reads(RESEARCHER, "shared/latest/tool") == (source / "tool").read_text()
    assert as_uid(RESEARCHER, f"{data}/shared/latest/tool").returncode == 126
    for target in ("shared/latest/new", "wind/latest/new", "wind/new", "new"):
        assert "touch: cannot" in as_uid(RESEARCHER, "touch", str(data / target)).stderr
    with pytest.raises(OSError, match="Read-only"):  # nor root
        (data / "shared/latest/new").write_text("x")


@pytest.mark.parametrize("damage", ["link", "writable", "owner", "short", "no image", "outside", "directory", "gone"])
def test_an_image_that_cannot_be_trusted_is_refused_and_nothing_is_mounted(node: ScratchNode, damage: str) -> None:
    entry = node.datasets["maps"]["versions"]["1"]
    image = Path(entry["path"])
    if damage == "link":
        image.rename(image.with_name("real"))
        image.symlink_to("real")
    elif damage == "writable":
        image.chmod(0o666)
    elif damage == "owner":
        os.chown(image, STRANGER, STRANGER)
    elif damage == "short":
        image.write_bytes(image.read_bytes()[:-4096])
    elif damage == "no image":
        image.write_bytes(b"x" * entry["bytes"])
    elif damage == "outside":
        entry["path"] = str(image.rename(node.directory / "elsewhere.sqfs"))
    elif damage == "directory":
        entry.update(kind="directory", path="/etc")
    else:
        image.unlink()
    node.publish()
    node.start_job(7, RESEARCHER)
    (refused,) = node.open(7, RESEARCHER, "maps").refused
    assert refused["reason"] == "unusable"
    assert "tell the operator" in refused["message"]
    assert node.reads(RESEARCHER, "maps/latest/a.txt") is None
    node.agent().reconcile()
    assert node.mounted() == []


@pytest.mark.parametrize("how", ["writable", "owner", "link", "directory writable", "no JSON"])
def test_grants_that_somebody_else_could_have_written_open_nothing_and_close_nothing(
    node: ScratchNode, how: str
) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    grants = node.directory / "published/grants.json"
    if how == "writable":
        grants.chmod(0o666)
    elif how == "owner":
        os.chown(grants, STRANGER, STRANGER)
    elif how == "link":
        grants.rename(grants.with_name("real"))
        grants.symlink_to("real")
    elif how == "directory writable":
        grants.parent.chmod(0o777)
    else:
        grants.write_text("{")
    (refused,) = node.open(7, RESEARCHER, "wind").refused
    assert refused["reason"] == "unusable"
    node.agent().reconcile()
    assert node.reads(RESEARCHER, "wind/latest/a.txt") is None
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


@pytest.mark.parametrize("how", ["writable", "owner", "parent", "unknown setting"])
def test_a_configuration_that_others_could_have_written_is_refused_in_words(node: ScratchNode, how: str) -> None:
    path = node.directory / "node.json"
    if how == "writable":
        path.chmod(0o664)
    elif how == "owner":
        os.chown(path, STRANGER, 0)
    elif how == "parent":
        node.directory.chmod(0o777)
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "owner": 0}))
    with pytest.raises(NodeError, match=r"can be written by others|belongs to uid|no such setting"):
        load(str(path))


def test_an_image_of_a_trusted_owner_is_mounted(node: ScratchNode) -> None:
    entry = node.datasets["maps"]["versions"]["1"]
    os.chown(entry["path"], STRANGER, STRANGER)
    node.configure(owners=[STRANGER])
    node.start_job(7, RESEARCHER)
    assert names(node.open(7, RESEARCHER, "maps").opened) == ["maps"]


def test_after_a_restart_of_the_machine_nothing_of_before_is_open(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "wind")
    (file,) = (node.directory / "run/jobs").glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "an earlier one"}))
    node.agent().reconcile()
    assert node.mounted() == []
    assert (node.events()[-1]["event"], node.events()[-1]["why"]) == ("closed", "gone")
    with pytest.raises(NodeError, match="not a job of yours"):
        node.open(7, RESEARCHER, "wind")


def slurm_that_says(node: ScratchNode, words: str) -> None:
    program = node.directory / "bin/scontrol"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{words}'\n")
    program.chmod(0o755)


def old(node: ScratchNode) -> None:
    """Let the job have started long ago."""
    (file,) = (node.directory / "run/jobs").glob("*.json")
    job = json.loads(file.read_text())
    started = job["started"] - 10**12
    file.unlink()
    file.with_name(f"gpu1.7.{started}.json").write_text(json.dumps({**job, "started": started}))


@pytest.mark.parametrize(
    ("words", "stays"),
    [
        ("JobId=7 JobState=RUNNING Reason=None", True),
        ("slurm_load_jobs error: Unable to contact slurm controller", True),
        ("JobId=7 JobState=COMPLETED Reason=None", False),
        ("slurm_load_jobs error: Invalid job id specified", False),
    ],
)
def test_a_job_whose_epilog_never_ran_is_closed_on_slurms_own_word_only(
    node: ScratchNode, words: str, stays: bool
) -> None:
    slurm_that_says(node, words)
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    old(node)
    agent = node.agent()
    agent.look_after()
    agent.reconcile()
    assert (node.reads(RESEARCHER, "maps/latest/a.txt") == "maps") is stays


def test_a_job_with_a_slurmstepd_is_alive_whatever_slurm_says(node: ScratchNode) -> None:
    slurm_that_says(node, "slurm_load_jobs error: Invalid job id specified")
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    old(node)
    spool = node.directory / "spool"
    spool.mkdir()
    with socket.socket(socket.AF_UNIX) as stepd:
        stepd.bind(str(spool / "gpu1_7.4294967291"))
        stepd.listen()
        agent = node.agent()
        agent.look_after()
        agent.reconcile()
        assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


def test_a_user_who_plays_slurmstepd_keeps_no_job_that_is_over(node: ScratchNode) -> None:
    slurm_that_says(node, "slurm_load_jobs error: Invalid job id specified")
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    old(node)
    spool = node.directory / "spool"
    spool.mkdir()
    listen = f"""
import socket, sys
stepd = socket.socket(socket.AF_UNIX)
stepd.bind({str(spool / "gpu1_7.0")!r})
stepd.listen()
print("listens", flush=True)
sys.stdin.read()
"""
    command = f"mount -t tmpfs none {spool} && exec /usr/bin/python3 -c '{listen.replace(chr(39), chr(34))}'"
    as_user = ["setpriv", f"--reuid={RESEARCHER}", f"--regid={RESEARCHER}", "--clear-groups", "unshare", "-Urm"]
    with subprocess.Popen([*as_user, "sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"listens\n"
        assert str(spool / "gpu1_7.0") in Path("/proc/net/unix").read_text()
        agent = node.agent()
        agent.look_after()
        agent.reconcile()
        assert node.mounted() == []
        process.communicate()


def test_a_requeued_job_starts_anew_even_when_its_epilog_was_lost(node: ScratchNode) -> None:
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    node.start_job(7, RESEARCHER)
    node.agent().reconcile()
    assert node.agent().listed(7, RESEARCHER).opened == []
    assert node.mounted() == []


def test_prolog_and_epilog_never_fail_a_job(node: ScratchNode) -> None:
    command = ["/usr/bin/python3", "-m", "fabric_hub.node", "--config", str(node.directory / "node.json")]
    for verb, environment in (("prolog", slurm_says(7, RESEARCHER)), ("prolog", {}), ("epilog", {"SLURM_JOB_ID": "x"})):
        done = subprocess.run([*command, verb], env={"PYTHONPATH": str(CODE), **environment}, check=False)
        assert done.returncode == 0
    (node.directory / "node.json").chmod(0o666)
    done = subprocess.run([*command, "prolog"], cwd=CODE, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "can be written by others" in done.stderr


def test_prolog_opens_what_the_comment_asks_for_and_epilog_closes_it(node: ScratchNode) -> None:
    command = ["/usr/bin/python3", "-m", "fabric_hub.node", "--config", str(node.directory / "node.json")]
    environment = {"PYTHONPATH": str(CODE), **slurm_says(7, RESEARCHER)}
    comment = "mine fabric-datasets=maps,../wind;touch"
    said = {**environment, "SLURM_JOB_COMMENT": "fabric-datasets=maps"}
    subprocess.run([*command, "prolog"], env={**said, "SLURM_JOB_COMMENT": comment}, check=True)
    assert node.agent().listed(7, RESEARCHER).opened == []
    subprocess.run([*command, "prolog"], env=said, check=True)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    subprocess.run([*command, "epilog"], env=environment, check=True)
    assert node.mounted() == []


# ---- the daemon

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
    until(lambda: node.events()[-1]["event"] == "revoked", "the trail has it", 5)
    node.grants["maps"] = kept
    node.publish()
    until(
        lambda: asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"], "the gate opens", 5
    )


@pytest.mark.usefixtures("daemon")
def test_a_grant_closes_at_its_end_without_anybodys_help(node: ScratchNode) -> None:
    node.grants["maps"] = []
    node.grant("maps", RESEARCHER, until=time.time() + 1.5)
    node.publish()
    node.start_job(7, RESEARCHER)
    assert asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps"]})["opened"]
    until(lambda: node.reads(RESEARCHER, "maps/latest/a.txt") is None, "the gate closes", 10)


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
def test_events_reach_the_keeper_and_wait_while_they_cannot(node: ScratchNode) -> None:
    outbox, events = node.directory / "state/events", node.directory / "published/events"
    events.rmdir()
    node.start_job(7, RESEARCHER)
    asks(node, RESEARCHER, {"verb": "open", "job": 7, "datasets": ["maps", "nothing"]})
    assert len(list(outbox.iterdir())) == 2
    events.mkdir()
    until(lambda: len(list(events.glob("[!.]*.json"))) == 2, "the events arrive", 20)
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


def test_where_root_is_nobody_the_agent_reads_and_writes_as_the_owner(node: ScratchNode) -> None:
    """root_squash, as a root without the right to override modes meets it."""
    for path in (*(node.directory / "store").rglob("*"), *(node.directory / "published").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o400)
        os.chown(path, STRANGER, STRANGER)
    node.configure(owners=[STRANGER])
    code = f"""
from fabric_hub.node.agent import Agent
from fabric_hub.node.config import load
from tests.scratch_node import slurm_says
agent = Agent(load({str(node.directory / "node.json")!r}))
agent.make_directories()
agent.register(slurm_says(7, {RESEARCHER}))
print(agent.open(7, {RESEARCHER}, ["maps"]).refused, agent.events.move())
"""
    # what the unit allows, less the rights that a file server would not honour
    rights = "-all,+sys_admin,+sys_chroot,+fowner,+setuid"
    command = [
        "setpriv",
        f"--bounding-set={rights}",
        "--inh-caps=-all",
        "--no-new-privs",
        "/usr/bin/python3",
        "-c",
        code,
    ]
    done = subprocess.run(command, cwd=CODE, capture_output=True, text=True, check=False)
    assert done.stdout == "[] 0\n", done.stderr
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    (event,) = (node.directory / "published/events").glob("*.json")
    assert event.stat().st_uid == STRANGER
