"""The attack matrix on a real Slurm: exactly the granted uids read, whatever the way in, and nobody writes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from fabric_node.config import load
from fabric_node.jobs import Jobs
from fabric_node.slurm import Slurm
from tests.support.embedded_run import EmbeddedRun
from tests.support.small_catalogue import SmallCatalogue
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.slurm, pytest.mark.timeout(300)]

# Everybody's attempts at wind, each a line "way: what was read". $1: the holder's job, $2: a process of that job.
WAYS = """
cd "$(mktemp -d -p ~)"
try() { way=$1; shift; echo "$way: $("$@" 2>/dev/null | tr '\\n' ' ')"; }
G=$(readlink $ROOT/data/wind)
D=$ROOT/data
echo "asked: $(ask open $SLURM_JOB_ID wind)"
try shell cat $D/wind/latest/a.txt
try version cat $D/wind/1/a.txt
try dots cat $D/wind/../${G##*/}/1/../1/a.txt
ln -s $D/wind/1 link; try link cat link/a.txt
ln -s $G/1/a.txt file; try 'link to the file' cat file
try relative sh -c "cd $G/1 && cat a.txt"
try base sh -c "cat $ROOT/node/run/base/*/a.txt"
try image sh -c "dd if=$ROOT/datasets/wind/1.sqfs bs=4 count=1 2>/dev/null"
try 'loop device' sh -c 'for d in /dev/loop?; do dd if=$d bs=4 count=1; done'
try 'user namespace' unshare -Urm cat $D/wind/1/a.txt
mkdir m
try 'bind of the inner directory' unshare -Urm sh -c "mount --bind $G/1 m && cat m/a.txt"
try 'bind of the gate' unshare -Urm sh -c "mount --rbind $G m && cat m/1/a.txt"
try 'bind of the run directory' unshare -Urm sh -c "mount --rbind $ROOT/node/run m && cat m/ds/${G##*/}/1/a.txt"
try 'unmounted above' unshare -Urm sh -c "umount -l $G/1; cat $D/wind/1/a.txt"
try 'directory of a process' cat /proc/$2/cwd/a.txt
try 'root of a process' cat /proc/$2/root$D/wind/1/a.txt
try 'open file of a process' cat /proc/$2/fd/9
echo "job of another: $(ask open $1 wind)"
echo "job of another as root in a namespace: $(unshare -Urm /usr/bin/python3 $ROOT/ask.py open $1 wind)"
for name in ../wind wind/1 /etc wind/../../base "$ROOT/datasets/wind/1.sqfs" 'wind;id' '$(id)' latest. ; do
  echo "name $name: $(ask open $SLURM_JOB_ID "$name")"
done
for target in $D/new $D/wind/new $D/wind/1/new $D/wind/1/a.txt $G/new $ROOT/node/run/new $ROOT/node/run/ds/new \
    $ROOT/published/new $ROOT/published/grants.json $ROOT/published/events/new $ROOT/datasets/new \
    $ROOT/etc/node.json $ROOT/etc/prolog $ROOT/node/state/new $ROOT/node/run/jobs/new; do
  (echo x >> $target) 2>/dev/null && echo "WROTE $target"
  (mv $target $target.old) 2>/dev/null && echo "MOVED $target"
  unshare -Urm sh -c "echo x >> $target" 2>/dev/null && echo "WROTE in a namespace $target"
done
echo done
"""
# What a job of somebody who may not read must say; no other line may hold the data.
REFUSED = {"job of another": "no-job", "job of another as root in a namespace": "no-job"}
READS = [
    "shell", "version", "dots", "link", "link to the file", "relative", "user namespace",
    "bind of the inner directory", "bind of the gate", "bind of the run directory", "unmounted above",
]  # fmt: skip
SECRET = "what the wind did"

HOLD = """
ask open $SLURM_JOB_ID wind
cd $ROOT/data/wind/1 && exec 9< a.txt
echo "pid $$"
sleep 600 9<&9
"""


@pytest.fixture
def catalogue(bare_cluster: EmbeddedRun) -> Iterator[SmallCatalogue]:
    """wind, granted to researcher for good, and to staff until a moment ago; student1's grant is taken away."""
    made = SmallCatalogue(bare_cluster)
    made.dataset("wind", SECRET)
    made.grant("wind", "researcher")
    made.grant("wind", "student2", account="ml-course")
    made.grant("wind", "staff", until=time.time() - 1)
    made.publish()
    yield made
    if left := bare_cluster.slurm("squeue", "-h", "-o", "%A").split():
        bare_cluster.slurm("scancel", *left)
    until(lambda: bare_cluster.slurm("squeue", "-h") == "", "all jobs end", 60)
    until(lambda: made.mounted() == [], "nothing stays mounted")
    assert list((made.root / "data").iterdir()) == []


def holds(catalogue: SmallCatalogue, user: str = "researcher", account: str = "proteins") -> tuple[int, int]:
    """A job that has wind open, with a process in it: (job, process)."""
    job = catalogue.submit(user, HOLD, account=account)
    said = until(lambda: "pid" in catalogue.said(user, job) and catalogue.said(user, job), "the job holds wind")
    assert said.startswith("wind\n"), said
    return job, int(said.split("pid ")[1].split()[0])


def lines(said: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in said.replace(":  ", ": ").splitlines() if ": " in line)


def attempt(catalogue: SmallCatalogue, user: str, held: tuple[int, int], *options: str, account: str) -> str:
    job = catalogue.submit(user, f"set -- {held[0]} {held[1]}\n{WAYS}", *options, account=account)
    until(lambda: catalogue.over(job), f"{user}'s attempts end", 60)
    said = catalogue.said(user, job)
    assert said.endswith("done\n"), said
    return said


@pytest.mark.parametrize(
    ("user", "account", "reason"),
    [("trainer", "proteins", "not-granted"), ("staff", "proteins", "expired"), ("student1", "ml-course", "not-granted"),
     ("student2", "ml-course", "")],
)  # fmt: skip
def test_exactly_the_granted_read_by_any_way_in_and_nobody_writes(
    catalogue: SmallCatalogue, user: str, account: str, reason: str
) -> None:
    if user == "student1":  # had it, with a job that reads, and lost it
        catalogue.grant("wind", "student1", account="ml-course")
        catalogue.publish()
        first = catalogue.submit("student1", HOLD, account="ml-course")
        until(lambda: "pid" in catalogue.said("student1", first), "the job holds wind")
        catalogue.grants["wind"].pop()
        catalogue.publish()
        until(lambda: [event for event in catalogue.events() if event["event"] == "revoked"], "it is revoked")
    held = holds(catalogue)
    comments = ["fabric-datasets=wind", "fabric-datasets=wind,../wind,$(id)", "x fabric-datasets=wind;reboot"]
    said = attempt(catalogue, user, held, f"--comment={comments[len(user) % 3]}", account=account)
    found = lines(said)
    assert "WROTE" not in said
    assert "MOVED" not in said
    assert all(found[f"name {name}"] == "request" for name in ("../wind", "wind/1", "/etc", "wind;id", "$(id)")), said
    assert {way: found[way] for way in REFUSED} == REFUSED
    if reason:
        assert found["asked"] == f"wind:{reason}"
        assert SECRET not in said
    else:
        assert found["asked"] == "wind"
        assert [way for way in READS if found[way].strip() != SECRET] == [], said
        assert [way for way in found if SECRET in found[way] and way not in READS] == [], said
    assert found["base"] == found["image"] == ""
    assert "hsqs" not in said


def test_a_granted_user_in_the_job_of_another_account_does_not_read(catalogue: SmallCatalogue) -> None:
    catalogue.grants["wind"] = []
    catalogue.grant("wind", "staff")
    catalogue.publish()
    job = catalogue.submit("staff", "ask open $SLURM_JOB_ID wind; cat $ROOT/data/wind/1/a.txt", account="bakery")
    until(lambda: catalogue.over(job), "the job ends", 60)
    assert catalogue.said("staff", job).startswith("wind:not-granted\n")
    assert SECRET not in catalogue.said("staff", job)


def test_an_array_of_workers_reads_what_the_session_reads(catalogue: SmallCatalogue) -> None:
    script = "ask open $SLURM_JOB_ID wind; cat $ROOT/data/wind/latest/a.txt"
    job = catalogue.submit("researcher", script, "--array=0-2")
    until(lambda: catalogue.run.slurm("squeue", "-h", "-j", str(job)) == "", "the workers end", 60)
    texts = [path.read_text() for path in catalogue.run.home("researcher").glob("job-*.out")]
    assert texts.count(f"wind\n{SECRET}") == 3, texts


READ_ON = """
/usr/bin/python3 - <<END
import json, os, socket, threading, time
def ask():
    while True:  # a race for the gate: asking while it is taken away
        try:
            client = socket.socket(socket.AF_UNIX)
            client.connect("$ROOT/node/run/node.sock")
            line = json.dumps({"verb": "open", "job": $SLURM_JOB_ID, "datasets": ["wind"]}).encode()
            client.sendall(line + bytes([10]))
            client.recv(65536)
        except OSError:
            pass
for _ in range(2):
    threading.Thread(target=ask, daemon=True).start()
last = 0
while time.time() - last < 3 or not last:
    try:
        open("$ROOT/data/wind/1/a.txt").close()
        last = time.time()
        open("$HOME/last-read", "w").write(str(last))
    except OSError:
        time.sleep(0.001)
END
echo over
"""


def test_a_revoked_user_who_races_for_the_gate_is_out_within_five_seconds(catalogue: SmallCatalogue) -> None:
    job = catalogue.submit("researcher", READ_ON)
    mark = catalogue.run.home("researcher") / "last-read"
    mark.unlink(missing_ok=True)
    until(mark.exists, "the job reads")
    catalogue.grants["wind"] = []
    catalogue.publish()
    revoked = time.time()
    until(lambda: "over" in catalogue.said("researcher", job), "the job can read no more", 60)
    assert float(mark.read_text()) - revoked < 5
    assert catalogue.said("researcher", job) == "over\n"


def test_a_strict_revocation_ends_the_jobs_that_had_it_open_and_no_others(catalogue: SmallCatalogue) -> None:
    held, _ = holds(catalogue)
    other = catalogue.submit("researcher", "echo on; sleep 600")
    kept, _ = holds(catalogue, "student2", "ml-course")
    until(lambda: "on" in catalogue.said("researcher", other), "the other job runs")
    catalogue.grants["wind"] = [grant for grant in catalogue.grants["wind"] if grant["account"] != "proteins"]
    catalogue.end_jobs = [{"dataset": "wind", "account": "proteins", "at": time.time()}]
    catalogue.publish()
    until(lambda: catalogue.over(held), "the job that had it ends", 60)
    assert catalogue.state(held) == "CANCELLED"
    assert (catalogue.state(other), catalogue.state(kept)) == ("RUNNING", "RUNNING")


def test_a_job_that_runs_is_known_by_its_slurmstepd_and_one_that_is_over_by_slurms_word(
    catalogue: SmallCatalogue,
) -> None:
    config = load(str(catalogue.root / "etc/node.json"))
    slurm, jobs = Slurm(config), Jobs(config.jobs)
    number, _ = holds(catalogue)
    (job,) = [job for job in jobs.all() if job.job == number]
    assert slurm.with_steps([job]) == {job.stem}
    assert slurm.lives(job) is True
    assert slurm.cancel(job)
    until(lambda: slurm.lives(job) is False, "Slurm says that it is over", 60)
    until(lambda: slurm.with_steps([job]) == frozenset(), "its slurmstepd ends", 60)


def test_the_daemon_killed_with_sessions_running_locks_nobody_out_and_lets_nobody_in(
    catalogue: SmallCatalogue,
) -> None:
    script = "while ! [ -e ~/go ]; do sleep 0.1; done; cat $ROOT/data/wind/1/a.txt; ask list $SLURM_JOB_ID"
    job = catalogue.submit("researcher", f"ask open $SLURM_JOB_ID wind; echo ready; {script}")
    until(lambda: "ready" in catalogue.said("researcher", job), "the job has it open")
    daemon = catalogue.run.pid("node")
    os.kill(daemon, signal.SIGKILL)
    ended = catalogue.submit("trainer", "cat $ROOT/data/wind/1/a.txt; echo ended")
    until(lambda: catalogue.over(ended), "a job without a daemon ends", 60)
    assert catalogue.said("trainer", ended).endswith("ended\n")
    assert SECRET not in catalogue.said("trainer", ended)
    until(lambda: catalogue.daemon() not in (daemon, None), "the daemon is back")
    catalogue.run.as_user("researcher", "touch", str(catalogue.run.home("researcher") / "go"))
    until(lambda: catalogue.over(job), "the job ends", 60)
    assert catalogue.said("researcher", job) == f"wind\nready\n{SECRET}wind\n"
