"""A node's jobs: which are over, by whose word, and what Prolog and Epilog do for them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from pathlib import Path

import pytest

from fabric_node import kernel
from fabric_node.trust import NodeError
from tests.support.scratch_node import CODE, ScratchNode, slurm_says

from .conftest import RESEARCHER, STUDENT, names

pytestmark = pytest.mark.root


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


def spool_of_a_job_that_slurm_forgot(node: ScratchNode) -> Path:
    """The job began long ago and has maps open; the directory is where its slurmstepd would listen."""
    slurm_that_says(node, "slurm_load_jobs error: Invalid job id specified")
    node.start_job(7, RESEARCHER)
    node.open(7, RESEARCHER, "maps")
    old(node)
    spool = node.directory / "spool"
    spool.mkdir()
    return spool


def test_a_job_with_a_slurmstepd_is_alive_whatever_slurm_says(node: ScratchNode) -> None:
    spool = spool_of_a_job_that_slurm_forgot(node)
    with socket.socket(socket.AF_UNIX) as stepd:
        stepd.bind(str(spool / "gpu1_7.4294967291"))
        stepd.listen()
        agent = node.agent()
        agent.look_after()
        agent.reconcile()
        assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"


def test_a_user_who_plays_slurmstepd_keeps_no_job_that_is_over(node: ScratchNode) -> None:
    spool = spool_of_a_job_that_slurm_forgot(node)
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
    command = ["/usr/bin/python3", "-m", "fabric_node", "--config", str(node.directory / "node.json")]
    for verb, environment in (("prolog", slurm_says(7, RESEARCHER)), ("prolog", {}), ("epilog", {"SLURM_JOB_ID": "x"})):
        done = subprocess.run([*command, verb], env={"PYTHONPATH": str(CODE), **environment}, check=False)
        assert done.returncode == 0
    (node.directory / "node.json").chmod(0o666)
    told = subprocess.run([*command, "prolog"], cwd=CODE, capture_output=True, text=True, check=False)
    assert told.returncode == 0
    assert "can be written by others" in told.stderr


def test_prolog_opens_what_the_comment_asks_for_and_epilog_closes_it(node: ScratchNode) -> None:
    command = ["/usr/bin/python3", "-m", "fabric_node", "--config", str(node.directory / "node.json")]
    environment = {"PYTHONPATH": str(CODE), **slurm_says(7, RESEARCHER)}
    comment = "mine fabric-datasets=maps,../wind;touch"
    said = {**environment, "SLURM_JOB_COMMENT": "fabric-datasets=maps"}
    subprocess.run([*command, "prolog"], env={**said, "SLURM_JOB_COMMENT": comment}, check=True)
    assert node.agent().listed(7, RESEARCHER).opened == []
    subprocess.run([*command, "prolog"], env=said, check=True)
    assert node.reads(RESEARCHER, "maps/latest/a.txt") == "maps"
    subprocess.run([*command, "epilog"], env=environment, check=True)
    assert node.mounted() == []


def test_what_opens_for_one_job_keeps_nothing_from_another_that_starts_at_the_same_moment(node: ScratchNode) -> None:
    """Both have mount namespaces of Slurm's, which the node keeps when it first looks at all of its jobs."""
    containers = node.directory / "containers"
    node.configure(containers=str(containers))
    containers.mkdir()
    kernel.mount(str(containers), str(containers), None, kernel.MS_BIND)
    kernel.mount("none", str(containers), None, kernel.MS_PRIVATE)
    with contextlib.ExitStack() as slurm:
        for number, uid in ((7, RESEARCHER), (8, STUDENT)):
            command = ["unshare", "-m", "sh", "-c", "echo; read x"]
            process = slurm.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert process.stdout
            assert process.stdout.readline()
            kept = containers / str(number) / ".ns"
            kept.parent.mkdir()
            kept.touch()
            kernel.mount(f"/proc/{process.pid}/ns/mnt", str(kept), None, kernel.MS_BIND)
            node.start_job(number, uid)
        assert names(node.open(7, RESEARCHER, "maps").opened) == ["maps"]
        assert names(node.open(8, STUDENT, "maps").opened) == ["maps"]
        node.end_job(7, RESEARCHER)
        node.end_job(8, STUDENT)
        assert not [mount for mount in node.mounted() if mount.startswith(("run/base/", "run/ns/"))]
