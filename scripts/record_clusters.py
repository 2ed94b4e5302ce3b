"""Record what Slurm tells of clusters of other kinds than the embedded one, for the unit tests of when a job can start.

    sudo .venv/bin/python -m scripts.record_clusters tests/unit/launch/clusters

Beside an embedded run, whose database it uses, runs a second cluster with a slurmd for each node: GPUs of two types in
one node and of others in the same partition, untyped ones, slices of two sizes, shards, a drained node, reservations of
a node, of some of its cores, and for maintenance, and a node in two partitions. It is asked as the gateway asks. It
takes a minute: no test runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from fabric_dev.ports import Claims, free
from fabric_hub.gateway.queries import scontrol, sinfo, squeue
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

CLUSTER, MARK = "kinds", "0123456789abcdef"
# what stands for GPUs: as many as a node has at most
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# node -> its GRES
NODES = {
    "mix1": {"gpu:h200": 2, "gpu:a100": 2},
    "mix2": {"gpu:l40s": 4},
    "any1": {"gpu": 4},
    "mig1": {"gpu:1g.18gb": 4, "gpu:3g.71gb": 1},
    "shr1": {"gpu:gh200": 2, "shard": 8},
    "drn1": {"gpu:b200": 2},
    "two1": {"gpu:h100": 2},
    "res1": {"gpu:v100": 2},
    "prt1": {"gpu:t4": 2},
    "mnt1": {"gpu:p100": 2},
}
# name -> options of sbatch; all of them run but the last
JOBS = {
    "typed": ["--nodelist=mix1", "--gres=gpu:h200:2", "--time=40"],
    "untyped": ["--nodelist=any1", "--gres=gpu:3", "--time=50"],
    "slices": ["--nodelist=mig1", "--gres=gpu:1g.18gb:4", "--time=60"],
    "share": ["--nodelist=shr1", "--gres=shard:1", "--time=70"],
    "long": ["--partition=long", "--nodelist=two1", "--exclusive", "--gres=gpu:h100:2", "--time=80"],
    "inside": ["--reservation=part", "--nodelist=prt1", "--cpus-per-task=2", "--time=90"],
    "waits": ["--nodelist=two1", "--gres=gpu:h100:1", "--time=100"],
}


def slurm_conf(place: Path, ports: list[int], machine: str, beside: str) -> str:
    """slurm.conf(5).

    :param beside: that of the embedded run.
    """
    accounting = [f"AccountingStorage{name}" for name in ("Type", "Host", "Port", "Pass")]
    same = ("AuthInfo", "CommunicationParameters", *accounting)
    types = sorted({f"gres/{name}" for gres in NODES.values() for name in gres} | {"gres/gpu"})
    nodes = [
        f"NodeName={name} NodeHostname={machine} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=16000 State=UNKNOWN "
        f"Gres={','.join(f'{kind}:{count}' for kind, count in gres.items())}"
        for (name, gres), port in zip(NODES.items(), ports[1:], strict=True)
    ]
    return "\n".join(
        [
            f"ClusterName={CLUSTER}",
            f"SlurmctldHost={machine}(127.0.0.1)",
            f"SlurmctldPort={ports[0]}",
            "SlurmUser=root",
            "AuthType=auth/munge",
            *(line for line in beside.split("\n") if line.partition("=")[0] in same),
            f"StateSaveLocation={place}/state",
            f"SlurmdSpoolDir={place}/spool-%n",
            f"SlurmctldPidFile={place}/slurmctld.pid",
            f"SlurmdPidFile={place}/slurmd-%n.pid",
            f"SlurmctldLogFile={place}/slurmctld.log",
            f"SlurmdLogFile={place}/slurmd-%n.log",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "SwitchType=switch/none",
            "MpiDefault=none",
            "MailProg=/bin/true",
            "SlurmdParameters=config_overrides",
            "SchedulerParameters=bf_interval=2,sched_min_interval=0,batch_sched_delay=0",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "DefMemPerCPU=1000",
            "GresTypes=gpu,shard",
            f"AccountingStorageTRES={','.join(types)}",
            *nodes,
            f"PartitionName=gpu Nodes={','.join(NODES)} MaxTime=24:00:00 DefaultTime=01:00:00 Default=YES State=UP",
            "PartitionName=long Nodes=two1 MaxTime=72:00:00 DefaultTime=01:00:00 State=UP",
            "",
        ]
    )


def gres_conf(place: Path) -> str:
    """gres.conf(5): Slurm counts GPUs by their devices."""
    lines = []
    for node, gres in NODES.items():
        devices = iter(range(len(DEVICES)))
        for name, count in gres.items():
            kind, _, type_ = name.partition(":")
            typed = f" Type={type_}" if type_ else ""
            if kind == "shard":
                lines.append(f"NodeName={node} Name=shard Count={count}")
            else:
                lines += [
                    f"NodeName={node} Name=gpu{typed} File={place}/gpu{number}" for number in islice(devices, count)
                ]
    return "\n".join(lines) + "\n"


@contextmanager
def daemon(argv: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A daemon, and what it has started, until the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Cluster:
    """A Slurm in a directory."""

    def __init__(self, place: Path) -> None:
        self.environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "SLURM_CONF": f"{place}/slurm.conf"}

    def ask(self, *argv: str, form: Mapping[str, str] | None = None, script: str | None = None) -> str:
        """What a client answers."""
        done = subprocess.run(
            argv, env={**self.environment, **(form or {})}, input=script, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{argv}: {done.stderr}")
        return done.stdout

    def up(self) -> bool:
        """Whether slurmctld answers."""
        return (
            subprocess.run(["scontrol", "ping"], env=self.environment, capture_output=True, check=False).returncode == 0
        )

    def states(self) -> dict[str, str]:
        """The jobs' states by name."""
        lines = self.ask("squeue", "-h", "-o", "%j %T").split("\n")
        return dict(line.split() for line in lines if line)


def scene(cluster: Cluster) -> None:
    """Reservations, jobs and a drained node."""
    until(
        lambda: set(cluster.ask("sinfo", "-h", "-N", "-o", "%T").split()) == {"idle"},
        "all nodes are idle",
        120,
        seen=lambda: cluster.ask("sinfo", "-N"),
    )
    for name, what in {
        "whole": ["Nodes=res1", "Users=root"],
        "part": ["Nodes=prt1", "CoreCnt=4", "Users=root"],
        "window": ["Nodes=mnt1", "Flags=MAINT", "Users=root"],
    }.items():
        began = "now+2hours" if name == "window" else "now"
        cluster.ask(
            "scontrol", "create", "reservation", f"ReservationName={name}", f"StartTime={began}", "Duration=240", *what
        )
    cluster.ask("scontrol", "update", "NodeName=drn1", "State=DRAIN", "Reason=a disk is broken")
    for name, options in JOBS.items():
        argv = ["sbatch", "--parsable", f"--job-name={name}", "--mem=1000M", "--output=/dev/null", *options]
        cluster.ask(*argv, script="#!/bin/sh\nsleep 3600\n")
    wanted = {name: "PENDING" if name == "waits" else "RUNNING" for name in JOBS}
    until(lambda: cluster.states() == wanted, "the jobs stand still", 120, seen=lambda: cluster.ask("squeue"))
    reason = ["squeue", "-h", "-n", "waits", "-o", "%r"]
    until(lambda: cluster.ask(*reason).strip() in ("Resources", "Priority"), "Slurm has looked at all of them", 60)


def record(cluster: Cluster) -> dict[str, object]:
    """The answers to the gateway's questions of jobs, nodes and reservations, and when they were asked."""
    form = squeue.environment(squeue.JOB_FIELDS, MARK)
    return {
        "asked_at": int(time.time()),
        "nodes": cluster.ask("sinfo", *sinfo.argv(sinfo.NODE_FIELDS, MARK), form={"SLURM_TIME_FORMAT": "%s"}),
        "jobs": cluster.ask("squeue", *squeue.argv(""), form={**form, "SLURM_TIME_FORMAT": "%s"}),
        "reservations": cluster.ask("scontrol", *scontrol.RESERVATIONS, form={"SLURM_TIME_FORMAT": "%s"}),
    }


def main() -> int:
    """Record the Slurm that is installed here."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.record_clusters", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("into", type=Path, help="the directory of all versions")
    into: Path = parser.parse_args().into
    version = subprocess.run(["slurmd", "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]
    with tempfile.TemporaryDirectory(prefix="fabric-record-") as directory, ExitStack() as daemons:
        place, machine = Path(directory), socket.gethostname()
        place.chmod(0o755)
        run = EmbeddedRun.start(place / "run", "--prefix", "kinds-", "--until", "slurm")
        daemons.callback(run.remove)
        ports = list(islice(free(daemons.enter_context(Claims())), 1 + len(NODES)))
        (place / "state").mkdir()
        for number, device in enumerate(DEVICES):
            (place / f"gpu{number}").symlink_to(device)
        (place / "slurm.conf").write_text(
            slurm_conf(place, ports, machine, run.slurm_conf.read_text()), encoding="utf-8"
        )
        (place / "gres.conf").write_text(gres_conf(place), encoding="utf-8")
        cluster = Cluster(place)
        cluster.ask("sacctmgr", "-i", "-Q", "add", "cluster", CLUSTER)
        for argv in (["slurmctld", "-D"], *(["slurmd", "-D", "-N", name] for name in NODES)):
            daemons.enter_context(daemon(argv, cluster.environment, place / "daemons.log"))
        until(cluster.up, "slurmctld answers", 60)
        try:
            scene(cluster)
            answers = record(cluster)
        except BaseException:
            print((place / "slurmctld.log").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            print((place / "daemons.log").read_text(encoding="utf-8")[-2000:], file=sys.stderr)
            raise
        finally:
            subprocess.run(["scancel", "--user=root"], env=cluster.environment, check=False)
    into.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"version": version, **answers}, indent=1).replace(machine, "machine")
    (into / f"{'.'.join(version.split('.')[:2])}.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
