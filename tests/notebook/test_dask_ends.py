"""What Slurm does to a job that ends, preempted or cancelled: SIGTERM to every process of it, while its workers work.

Without Slurm, so that the very moment can be chosen; the workers are real, and so is the signal.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

# A task that was running when its worker died is given up at once: what is lost without a goodbye shows.
SCRIPT = """
import json, os, signal, sys, time
import distributed
from fabric_lab import DaskCluster

def processes(directory):
    "Every process of one of the cluster's tasks, which is what Slurm signals."
    parents = {}
    for entry in os.listdir("/proc"):
        try:
            parents[int(entry)] = int(open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[1])
        except (ValueError, OSError):
            continue
    def command(pid):
        try:
            return open(f"/proc/{pid}/cmdline").read()
        except OSError:
            return ""
    tasks = [pid for pid in parents if "fabric_lab.dask.worker_task" in command(pid) and directory in command(pid)]
    # its workers and their parent are copies of the task's own process
    found = [next(pid for pid in tasks if parents[pid] not in tasks)]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found

def slow(number):
    time.sleep(0.5)
    return number

if __name__ == "__main__":
    cluster = DaskCluster(3, name="ends", workers_per_job=1)
    client = cluster.get_client()
    cluster.wait_for_workers(3, timeout=90)
    kept = client.map(lambda i: (i, time.time()), range(60), pure=False)
    distributed.wait(kept)
    made = client.gather(kept)
    answers, before = [], {worker["address"] for worker in cluster.status_of_workers()["workers"]}
    for trial in range(3):
        running = client.map(slow, range(20), pure=False)
        distributed.wait(running, return_when="FIRST_COMPLETED")
        for pid in processes(str(cluster.directory)):
            os.kill(pid, signal.SIGTERM)
        answers.append(sorted(client.gather(running)))
        cluster.wait_for_workers(3, timeout=90)
    after = {worker["address"] for worker in cluster.status_of_workers()["workers"]}
    same = client.gather(kept) == made
    client.close()
    cluster.close()
    print("=>" + json.dumps({"answers": answers, "kept": same, "new": len(after - before)}))
"""


def test_work_goes_on_and_results_stay_when_jobs_end_under_it(python: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {"HOME": str(tmp_path), "PATH": "/nowhere", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    environment["TMPDIR"] = tempfile.gettempdir()
    done = subprocess.run([python, script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=400)
    assert "=>" in done.stdout, done.stdout + done.stderr
    found = json.loads(done.stdout.rpartition("=>")[2])
    assert found["answers"] == [list(range(20))] * 3
    assert found["kept"], "results were computed again"
    assert found["new"] >= 1
