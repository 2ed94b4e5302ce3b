"""Non-public datasets where Slurm gives every job a mount namespace (job_container/tmpfs): only that job sees them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_node import kernel
from tests.conftest import new_prefix
from tests.support.embedded_run import EmbeddedRun
from tests.support.small_catalogue import SmallCatalogue
from tests.support.waiting import until
from tests.support.watchdog import clear, watch

pytestmark = [pytest.mark.root, pytest.mark.slurm, pytest.mark.timeout(300)]
SECRET = "whose hearts they are"


@pytest.fixture(scope="module")
def contained() -> Iterator[EmbeddedRun]:
    """A cluster outside of /tmp, which its jobs would not see; removed whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix="fabric-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    watch(directory)
    run = EmbeddedRun.start(directory / "slurm", "--prefix", new_prefix(), "--until", "slurm")
    yield run
    run.remove()
    clear(directory)


@pytest.fixture
def catalogue(contained: EmbeddedRun) -> Iterator[SmallCatalogue]:
    made = SmallCatalogue(contained)
    made.dataset("hearts", SECRET, access="non-public")
    made.dataset("wind", "what the wind did")
    for name in ("hearts", "wind"):
        made.grant(name, "researcher", "staff")
    made.publish()
    yield made
    if left := contained.slurm("squeue", "-h", "-o", "%A").split():
        contained.slurm("scancel", *left)
    until(lambda: contained.slurm("squeue", "-h") == "", "all jobs end", 60)
    until(lambda: made.mounted() == [], "nothing stays mounted")


def text_of(catalogue: SmallCatalogue, user: str, job: int, last: str) -> str:
    until(lambda: last in catalogue.said(user, job), f"{user}'s job says {last!r}", 60)
    return catalogue.said(user, job)


HOLD = """
ask open $SLURM_JOB_ID hearts wind
cat $ROOT/data/hearts/latest/a.txt $ROOT/data/wind/1/a.txt
echo " in a step: $(srun --overlap -n1 /bin/cat $ROOT/data/hearts/1/a.txt)"
echo held
while cat $ROOT/data/hearts/1/a.txt > /dev/null 2>&1; do sleep 0.2; done
echo closed
sleep 600
"""
LOOK = """
ls $ROOT/data
cat $ROOT/data/hearts/1/a.txt $ROOT/node/run/ds/*/1/a.txt $ROOT/node/run/base/*/a.txt
cat /proc/$PID/root$ROOT/data/hearts/1/a.txt
unshare -Urm cat $ROOT/data/hearts/1/a.txt
echo "named $(cat /proc/[0-9]*/mountinfo 2>/dev/null | grep -c hearts) times in $(ls -d /proc/[0-9]* | wc -l) processes"
echo looked
"""


def test_only_the_job_that_asked_sees_a_non_public_dataset(catalogue: SmallCatalogue) -> None:
    job = catalogue.submit("researcher", HOLD)
    said = text_of(catalogue, "researcher", job, "held")
    assert said == f"hearts wind\n{SECRET}what the wind did in a step: {SECRET}\nheld\n"
    # neither another job of the same user, nor anybody else, nor the machine itself
    for user, account in (("researcher", "proteins"), ("staff", "proteins"), ("trainer", "proteins")):
        other = catalogue.submit(user, LOOK.replace("$PID", str(catalogue.run.pid("node"))), account=account)
        assert SECRET not in text_of(catalogue, user, other, "looked")
        assert "hearts\n" not in catalogue.said(user, other)
        assert "named 0 times" in catalogue.said(user, other)
    assert list((catalogue.root / "data").iterdir()) == []
    assert list((catalogue.root / "node/run/ds").iterdir()) == []


def test_one_who_may_gets_a_view_of_their_own_and_one_who_may_not_gets_nothing(catalogue: SmallCatalogue) -> None:
    first = catalogue.submit("researcher", HOLD)
    text_of(catalogue, "researcher", first, "held")
    second = catalogue.submit("staff", HOLD)
    assert SECRET in text_of(catalogue, "staff", second, "held")
    # one of an image for all jobs, and one of a non-public image for each reader
    assert sum("/node/run/base/" in mount for mount in catalogue.mounted()) == 1 + 2
    third = catalogue.submit("trainer", HOLD)
    said = text_of(catalogue, "trainer", third, "held")
    assert said.startswith("hearts:unknown wind:not-granted\n")
    assert SECRET not in said


def test_a_revocation_reaches_into_the_namespace_also_by_a_daemon_that_was_killed(catalogue: SmallCatalogue) -> None:
    job = catalogue.submit("researcher", HOLD)
    text_of(catalogue, "researcher", job, "held")
    daemon = catalogue.run.pid("node")
    os.kill(daemon, signal.SIGKILL)
    until(lambda: catalogue.daemon() not in (daemon, None), "the daemon is back")
    assert "closed" not in catalogue.said("researcher", job)
    catalogue.grants["hearts"] = []
    catalogue.publish()
    began = time.monotonic()
    text_of(catalogue, "researcher", job, "closed")
    assert time.monotonic() - began < 5


KEEP = """
ask open $SLURM_JOB_ID hearts
cd $ROOT/data/hearts/1
mkdir -p ~/mine
unshare -Urm sh -c 'mount --bind . ~/mine; echo held; while ! [ -e ~/go ]; do sleep 0.1; done; cat b.txt ~/mine/c.txt'
echo tried
"""


def test_a_revocation_takes_what_is_open_from_that_reader_and_from_no_other(catalogue: SmallCatalogue) -> None:
    catalogue.dataset("hearts", SECRET, access="non-public", more=("b.txt", "c.txt"))
    catalogue.publish()
    marks = [catalogue.run.home(user) / "go" for user in ("researcher", "staff")]
    for mark in marks:
        mark.unlink(missing_ok=True)
    jobs = {user: catalogue.submit(user, KEEP) for user in ("researcher", "staff")}
    for user, job in jobs.items():
        text_of(catalogue, user, job, "held")
    catalogue.grants["hearts"] = []
    catalogue.grant("hearts", "staff")
    catalogue.publish()
    until(lambda: [event for event in catalogue.events() if event["event"] == "revoked"], "it is revoked")
    for mark in marks:
        mark.touch()
    assert SECRET not in text_of(catalogue, "researcher", jobs["researcher"], "tried")
    assert text_of(catalogue, "staff", jobs["staff"], "tried").count(SECRET) == 2


def test_a_run_that_was_killed_leaves_no_mount_once_it_is_purged(contained: EmbeddedRun) -> None:
    run = EmbeddedRun.start(contained.directory.parent / "killed", "--prefix", new_prefix(), "--until", "slurm")
    catalogue = SmallCatalogue(run)
    catalogue.dataset("hearts", SECRET, access="non-public")
    catalogue.dataset("wind", "what the wind did")
    catalogue.grant("hearts", "researcher")
    catalogue.grant("wind", "researcher")
    catalogue.publish()
    job = catalogue.submit("researcher", HOLD)
    text_of(catalogue, "researcher", job, "held")
    for daemon in ("supervisor", "node", "slurmd-cpu1", "slurmctld"):
        os.kill(run.pid(daemon), signal.SIGKILL)
    run.remove()
    assert not run.directory.exists()
    assert kernel.mounts_below(str(run.directory)) == []
