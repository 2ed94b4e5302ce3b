"""``dask.config.set`` in a notebook and a person's own jobqueue.yaml count for a cluster, or are refused."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fabric_lab.dask.notebook_context import SettingError, changed

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

PLAN = """
import json, os, sys
import dask
from fabric_lab.dask.worker_jobs import script
from fabric_lab.dask.plan import Plan, PlanError, make_plan
for config, words in json.load(sys.stdin):
    with dask.config.set(config):
        try:
            plan = make_plan("x", n_workers=None, gpus=0, profile=None, hours=None, idle_timeout=None,
                             workers_per_job=None, scheduler_options=words.pop("scheduler_options", {}), words=words,
                             environment=os.environ)
            plan = Plan.loads(plan.dumps())
            print(json.dumps([script(plan.pools[0]), plan.scheduler_options]))
        except PlanError as error:
            print(json.dumps([str(error), {}]))
"""
CLUSTER = """
import json, time
import dask
from distributed import Future
from fabric_lab import DaskCluster
from fabric_lab.dask.plan import PlanError

def seen():
    return [dask.config.get("distributed.scheduler.allowed-failures"), dask.config.get("mine.own"),
            dask.config.get("distributed.worker.multiprocessing-method")]

def until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)

if __name__ == "__main__":
    dask.config.set({"distributed.scheduler.allowed-failures": 7, "mine": {"own": [1, "a"]}})
    cluster = DaskCluster(2, name="config")
    client = cluster.get_client()
    cluster.wait_for_workers(2, timeout=90)
    told = {"scheduler": client.run_on_scheduler(seen), "workers": list(client.run(seen).values())}
    told["named"] = sorted(worker.name for worker in cluster.scheduler.workers.values())
    told["addressed"] = set(cluster.scheduler.workers) == set(client.scheduler_info()["workers"])
    held = client.submit(lambda: "kept")
    held.result(timeout=60)
    cluster.scale(0)
    until(lambda: "stays while its results are wanted" in str(cluster.status_of_workers()["problems"]))
    told["kept"] = held.result(timeout=60)
    del held
    until(lambda: not cluster.status_of_workers()["workers"])
    client.close()
    cluster.close()
    dask.config.set({"mine.own": print})
    try:
        DaskCluster(1)
    except PlanError as error:
        told["refused"] = str(error)
    print("=>" + json.dumps(told))
"""


def _run(python: Path, home: Path, text: str, told: str = "", path: str = "/nowhere") -> str:
    script = home / "script.py"
    script.write_text(text)
    environment = {"HOME": str(home), "PATH": path, "TMPDIR": tempfile.gettempdir()}
    done = subprocess.run([python, script], env=environment, cwd=home, input=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_notebook_has_set_is_in_force_in_scheduler_and_workers(python: Path, tmp_path: Path) -> None:
    told = json.loads(_run(python, tmp_path, CLUSTER).rpartition("=>")[2])
    assert told["scheduler"][:2] == [7, [1, "a"]]
    assert told["workers"] == [[7, [1, "a"], "forkserver"]] * 2
    assert told["named"] == ["config-0", "config-1"]
    assert told["addressed"]
    assert told["kept"] == "kept"
    assert "dask.config: mine.own=<built-in function print> cannot be given to a cluster" in told["refused"]


def test_a_persons_own_sections_of_jobqueue_yaml_count(python: Path, tmp_path: Path) -> None:
    sbatch = tmp_path / "sbatch"  # that there is one is all that is asked
    sbatch.touch(mode=0o755)
    mine = {"cores": 2, "memory": "2GB", "queue": "long", "job-script-prologue": ["module load mine"]}
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"jobqueue.mine": mine}, {"config_name": "mine"}),
        ({"jobqueue.mine": mine}, {"config_name": "mine", "cores": 4, "memory": "4GB", "queue": "short"}),
        ({"jobqueue.slurm.job-extra-directives": ["--exclusive"]}, {"cores": 1, "memory": "1GB"}),
        ({"jobqueue.slurm.scheduler-options": {"dashboard_address": ":0"}}, {"cores": 1, "memory": "1GB"}),
        (
            {"jobqueue.slurm.scheduler-options": {"dashboard_address": ":0"}},
            {"cores": 1, "memory": "1GB", "interface": "lo", "scheduler_options": {"host": "here"}},
        ),
        ({}, {"config_name": "gone"}),
    ]
    out = _run(python, tmp_path, PLAN, json.dumps(asked), f"{tmp_path}{os.pathsep}/bin")
    (named, _), (said, _), (extra, _), (_, options), (_, instead), (refused, _) = map(json.loads, out.splitlines())
    assert "#SBATCH -p long" in named
    assert "\nmodule load mine\n" in named
    assert "#SBATCH -p short" in said
    assert "\nmodule load mine\n" in said
    assert "#SBATCH --exclusive" in extra
    assert options == {"dashboard_address": ":0"}
    assert instead == {"host": "here"}, "as with dask-jobqueue they stand in place of both"
    assert refused.startswith(
        "config_name='gone': dask's configuration has no section jobqueue.gone; there is htcondor"
    )


def test_only_what_differs_from_files_and_variables_is_sent() -> None:
    before = {"a": 1, "b": {"c": 2, "d": [3]}, "e": {"f": {}}}
    assert changed(before, before) == {}
    assert changed({"a": 1, "b": {"c": 5, "d": [3]}, "e": {"f": {"g": (1, 2)}}}, before) == {
        "b": {"c": 5},
        "e": {"f": {"g": [1, 2]}},
    }
    assert changed({**before, "new": {}}, before) == {"new": {}}
    with pytest.raises(SettingError, match=r"dask\.config: b\.c=\{1\} cannot be given"):
        changed({**before, "b": {"c": {1}}}, before)
