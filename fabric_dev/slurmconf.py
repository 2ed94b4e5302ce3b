"""The texts of slurm.conf, slurmdbd.conf and gres.conf of the embedded cluster. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .gpus import SHARDS_PER_GPU, Gpus
from .layout import Layout

CLUSTER = "fabric"
NODES = ("gpu1", "gpu2", "cpu1")
# slurmdbd's database in MariaDB
DATABASE = "slurm_acct"


@dataclass(frozen=True)
class Machine:
    """The machine under the cluster. ``user`` runs the daemons; nodes advertise at least what a demo needs.

    ``loopback`` says that the machine's name stands for 127.0.0.1. With NoInAddrAny Slurm's daemons listen on
    what that name stands for, else on every address; on 127.0.1.1, Debian's choice, slurmctld would not hear
    slurmdbd, which answers it at the address that the connection comes from.
    """

    hostname: str
    user: str
    cpus: int
    memory_mb: int
    loopback: bool = False


@dataclass(frozen=True)
class SlurmPorts:
    """Loopback ports: slurmctld, slurmdbd and one slurmd per node of :data:`NODES`."""

    slurmctld: int
    slurmdbd: int
    slurmd: tuple[int, ...]


def _listening(machine: Machine) -> str:
    return "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny" if machine.loopback else ""


def _hooks(layout: Layout, *, enforced: bool, containers: bool) -> str:
    lines = []
    if enforced:
        # Alloc: a job is known on its node before its first process asks for a dataset
        flags = "Contain" if containers else "Alloc"
        lines = [f"Prolog={layout.prolog}", f"Epilog={layout.epilog}", f"PrologFlags={flags}"]
    if containers:
        lines.append("JobContainerType=job_container/tmpfs")
    return "\n".join(lines)


def job_container_conf(layout: Layout) -> str:
    """job_container.conf(5): every job has a mount namespace of its own, with its own /tmp."""
    return f"""\
# Written by fabric-hub up at every start; changes here are lost.
AutoBasePath=true
BasePath={layout.containers}
"""


def slurm_conf(
    layout: Layout,
    machine: Machine,
    ports: SlurmPorts,
    gpus: Gpus,
    *,
    enforced: bool = False,
    containers: bool = False,
) -> str:
    """slurm.conf(5). Munge's socket is named twice: clients of slurmdbd look at AccountingStoragePass only.

    Preemption is possible, as at many sites, and does nothing until a QOS is made that may preempt another.

    :param enforced: Prolog and Epilog tell the node agent of every job.
    :param containers: jobs have mount namespaces of their own; only with ``enforced``.
    """
    cpus, memory = max(machine.cpus, 16), max(machine.memory_mb, 32000)
    nodes = []
    for name, port in zip(NODES, ports.slurmd, strict=True):
        gres = ""
        if name.startswith("gpu") and (mine := gpus.per_node[int(name.removeprefix("gpu")) - 1]):
            gres = f" Gres=gpu:{gpus.type}:{len(mine)},shard:{SHARDS_PER_GPU * len(mine)}"
        nodes.append(
            f"NodeName={name} NodeHostname={machine.hostname} NodeAddr=127.0.0.1 Port={port}"
            f" CPUs={cpus} RealMemory={memory}{gres} State=UNKNOWN"
        )
    return f"""\
# Written by fabric-hub up at every start; changes here are lost.
ClusterName={CLUSTER}
SlurmctldHost={machine.hostname}(127.0.0.1)
SlurmctldPort={ports.slurmctld}
SlurmUser={machine.user}
SlurmdUser={machine.user}
AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}
{_listening(machine)}
StateSaveLocation={layout.spool}/slurmctld
SlurmdSpoolDir={layout.spool}/%n
SlurmctldPidFile={layout.run}/slurmctld.pid
SlurmdPidFile={layout.run}/slurmd-%n.pid
SlurmctldLogFile={layout.log}/slurmctld.log
SlurmdLogFile={layout.log}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
{_hooks(layout, enforced=enforced, containers=containers)}
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
JobRequeue=0
KillWait=10
MinJobAge=300
SlurmctldTimeout=30
SlurmdTimeout=300
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
PreemptType=preempt/qos
PreemptMode=CANCEL
PriorityType=priority/multifactor
PriorityDecayHalfLife=0
PriorityUsageResetPeriod=YEARLY
PriorityCalcPeriod=1
GresTypes=gpu,shard
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports.slurmdbd}
AccountingStoragePass={layout.munge_socket}
AccountingStorageTRES=gres/gpu,gres/shard
AccountingStorageEnforce=associations,limits,qos
AccountingStoreFlags=job_comment
{chr(10).join(nodes)}
PartitionName=gpu Nodes=gpu1,gpu2 MaxTime=24:00:00 DefaultTime=01:00:00 State=UP
PartitionName=cpu Nodes=cpu1 MaxTime=24:00:00 DefaultTime=01:00:00 Default=YES State=UP
"""


def slurmdbd_conf(layout: Layout, machine: Machine, ports: SlurmPorts) -> str:
    """slurmdbd.conf(5). The database has no port: MYSQL_UNIX_PORT leads the daemon to its socket."""
    return f"""\
# Written by fabric-hub up at every start; changes here are lost.
DbdHost={machine.hostname}
DbdAddr=127.0.0.1
{_listening(machine)}
DbdPort={ports.slurmdbd}
SlurmUser={machine.user}
AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc={DATABASE}
PidFile={layout.run}/slurmdbd.pid
LogFile={layout.log}/slurmdbd.log
"""


def gres_conf(layout: Layout, gpus: Gpus) -> str:
    """gres.conf(5); shards are spread evenly over a node's GPUs."""
    lines = ["# Written by fabric-hub up at every start; changes here are lost."]
    for number, mine in enumerate(gpus.per_node, 1):
        lines += [
            f"NodeName=gpu{number} Name=gpu Type={gpus.type} File={layout.devices}/nvidia{index}" for index in mine
        ]
        if mine:
            lines.append(f"NodeName=gpu{number} Name=shard Count={SHARDS_PER_GPU * len(mine)}")
    return "\n".join(lines) + "\n"
