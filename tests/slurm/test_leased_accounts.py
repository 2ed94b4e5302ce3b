"""An account is lent, works in a real Slurm, leaves traces everywhere, and is free again only when they are gone."""

from __future__ import annotations

import json
import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_node import remains
from tests.conftest import new_prefix
from tests.support.embedded_run import ROOT, EmbeddedRun, fabric_hub
from tests.support.scratch_node import as_uid
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not ROOT, reason="accounts of their own are there only where root makes them"),
]
PARENT = "fabric-projects"
JOB = """#!/bin/sh
umask 0
mkdir -p "$HOME/kept/deeper" && echo secret > "$HOME/kept/deeper/file" && ln -s /etc "$HOME/kept/etc"
chmod 0 "$HOME/kept/deeper"
for place in /tmp /var/tmp /dev/shm; do mkdir "$place/MARK" && echo secret > "$place/MARK/file"; done
ipcmk --shmem 4096
setsid sleep 3600 < /dev/null > /dev/null 2>&1 &
touch "$HOME/ready"
exec sleep 3600
"""


@pytest.fixture(scope="module")
def run(sandbox: Path) -> Iterator[EmbeddedRun]:
    directory = sandbox / "leased"
    made = EmbeddedRun.start(directory, "--until", "gateway", "--prefix", new_prefix())
    try:
        yield made
    finally:
        made.remove()


def accounts(run: EmbeddedRun, *arguments: str) -> Any:
    done = fabric_hub("accounts", *arguments, "--json", "--dir", str(run.directory))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def state_of(run: EmbeddedRun, account: str) -> Any:
    return next(one for one in accounts(run, "list") if one["account"] == account)


def test_an_account_that_left_traces_in_a_job_is_cleaned_and_free(run: EmbeddedRun) -> None:
    leased = accounts(run, "lease", "guest", "--project", "proteins", "--person", "student1")
    account, uid = leased["account"], leased["uid"]
    home, mark = Path(pwd.getpwnam(account).pw_dir), f"ft-{os.getpid()}"
    run.slurm("sacctmgr", "-i", "-Q", "add", "account", "names=fh-lent", f"parent={PARENT}")
    run.slurm("sacctmgr", "-i", "-Q", "add", "user", f"names={account}", "accounts=fh-lent")
    sbatch = ("sbatch", "--parsable", "--export=NIL", "--account=fh-lent", "--mem=50M", "--output=/dev/null")
    environment = f"SLURM_CONF={run.directory}/etc/slurm.conf"
    script = home.parent / f"{mark}.sh"
    script.write_text(JOB.replace("MARK", mark))
    script.chmod(0o755)
    submit = (uid, "/usr/bin/env", "-i", environment, "PATH=/usr/bin:/bin", f"HOME={home}", *sbatch, str(script))
    done = as_uid(*submit)
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    until(lambda: (home / "ready").exists(), "the job has left its traces", 60, seen=lambda: run.logs(20))
    # one that no job knows of, and that no signal but one ends
    outside = as_uid(
        uid, "/bin/sh", "-c", f"echo own > /tmp/{mark}-outside; (trap '' TERM HUP; setsid sleep 3600) >/dev/null 2>&1 &"
    )
    assert outside.returncode == 0
    assert len(remains.processes(uid)) >= 3

    assert accounts(run, "return", account)["state"] == "cleaning"
    until(lambda: state_of(run, account)["state"] != "cleaning", "it is clean", 180, every_s=1,
          seen=lambda: f"{state_of(run, account)}\n{run.logs(30)}")  # fmt: skip
    told = state_of(run, account)
    assert (told["state"], told["person"], told["why"]) == ("free", None, "")
    assert remains.processes(uid) == []
    assert list(remains.shared("shm", uid)) == []
    assert [place for place in ("/tmp", "/var/tmp", "/dev/shm") if list(Path(place).glob(f"{mark}*"))] == []
    assert (home.is_dir(), list(home.iterdir()), Path("/etc/passwd").exists()) == (True, [], True)
    assert run.slurm("squeue", "-h", "-j", job, "-t", "running,pending,completing").strip() == ""
    # and nothing more is submitted as it
    refused = as_uid(*submit)
    assert refused.returncode != 0
    assert "AssocMaxSubmitJobLimit" in refused.stderr


def test_a_node_that_is_silent_has_the_account_set_apart_until_an_operator_releases_it(run: EmbeddedRun) -> None:
    text = run.site.read_text()
    run.site.write_text(text.replace("[catalogue]\n", "[catalogue]\nclean_within_minutes = 0.4\n", 1))
    account = accounts(run, "lease", "guest")["account"]
    pid = run.pid("node")
    os.kill(pid, signal.SIGSTOP)
    try:
        accounts(run, "return", account)
        until(lambda: state_of(run, account)["why"], "the catalogue service waits for the node", 60, every_s=1)
        assert state_of(run, account)["state"] == "cleaning"
        until(lambda: state_of(run, account)["state"] == "quarantined", "it is set apart", 120, every_s=1)
        assert "have not said that nothing is left of it" in state_of(run, account)["why"]
        doctor = fabric_hub("doctor", "--dir", str(run.directory))
        assert f"The account {account} is set apart" in doctor.stdout
    finally:
        os.kill(pid, signal.SIGCONT)
        run.site.write_text(text)
    assert accounts(run, "release", account)["state"] == "free"
