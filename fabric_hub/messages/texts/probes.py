"""What `fabric-hub doctor` finds of machine, Slurm and versions; the hint of a problem is its remedy."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_


def _operators(code: str, text: str | tuple[str, str], hint: str = "") -> Reason:
    return Reason(f"probe-{code}", text, hint, who=Who.OPERATOR)


NO_NAMESPACES = _operators("namespaces-none", N_("jobs share the mounts of their node"))
NAMESPACES = _operators("namespaces", N_("jobs get mount namespaces of their own, made from the machine's"))
NESTED = _operators(
    "namespaces-nested",
    N_("slurmd (process {pid}) runs in a mount namespace of its own, and makes others for jobs in it: jobs may fail"),
    N_("start slurmd without PrivateTmp=, ProtectSystem= and the like, and outside of containers"),
)
NO_SLURMD = _operators("no-slurmd", N_("no slurmd runs on this machine"))
ON_A_NODE = _operators("on-a-node", N_("run fabric-hub doctor on a node, as root"))
NOT_ALLOWED = _operators("not-allowed", N_("this account may not look there"))
AS_ROOT = _operators("as-root", N_("run it as root"))
WHAT_NAMESPACES = _operators("what-namespaces", N_("mount namespaces of jobs"))
WHAT_CGROUP = _operators("what-cgroup", N_("cgroups of jobs"))
WHAT_PORTS = _operators("what-ports", N_("who listens on the hub's ports"))
WHAT_IDS = _operators("what-ids", N_("whether another hub uses the id {id}"))
WHAT_VERSION = _operators("what-version", N_("the version of the node agents"))
UNCHECKED = _operators("unchecked", N_("{what}: not checked, {why}"))
GATEWAY_SILENT = _operators("gateway-silent", N_("the gateway does not answer"))
CATALOGUE_SILENT = _operators("catalogue-silent", N_("the catalogue service does not answer"))
MEND_FIRST = _operators("mend-first", N_("mend that first, then run this again"))
RECORD_CLOSED = _operators("record-closed", N_("the hub's record cannot be read: {said}"))

NO_ACCOUNTING = _operators(
    "accounting-none",
    N_("Slurm has no accounting (AccountingStorageType={type}): no limit, budget or usage is known"),
    N_("set up slurmdbd and AccountingStorageType=accounting_storage/slurmdbd in slurm.conf"),
)
NO_CLUSTER = _operators(
    "accounting-cluster",
    N_("the cluster {cluster} is not in Slurm's database: its accounts and limits are nobody's"),
    N_("sacctmgr add cluster {cluster}"),
)
NOT_ENFORCED = _operators(
    "accounting-enforce",
    N_("Slurm does not hold anybody to limits (AccountingStorageEnforce={enforce})"),
    N_("AccountingStorageEnforce=associations,limits,qos in slurm.conf, then restart slurmctld"),
)
ACCOUNTING = _operators("accounting", N_("Slurm's database has the cluster {cluster}, and limits hold"))

NO_CGROUP = _operators(
    "cgroup-none",
    N_("Slurm keeps jobs in no cgroup: their processes can leave them, and use more memory than they asked for"),
    N_("ProctrackType=proctrack/cgroup and TaskPlugin=task/affinity,task/cgroup in slurm.conf"),
)
CGROUP_VERSION = _operators(
    "cgroup-version",
    N_("Slurm uses cgroup v{plugin}, and this machine has v{machine}: slurmd starts no job here"),
    N_("CgroupPlugin=autodetect in cgroup.conf, or start the kernel with the other version"),
)
CGROUP_OLD_SLURM = _operators(
    "cgroup-old",
    N_("Slurm {version} knows cgroup v1 only, and this machine has v2: slurmd starts no job here"),
    N_("use Slurm 22.05 or newer, or start the kernel with systemd.unified_cgroup_hierarchy=0"),
)
CGROUP = _operators("cgroup", N_("jobs are kept in cgroups, v{machine}"))

CLOCK = _operators("clock", N_("the clocks of this machine and of slurmctld differ by {s} s"))
CLOCK_WRONG = _operators(
    "clock-differs",
    N_("the clocks of this machine and of slurmctld differ by {s} s: munge refuses more than 300"),
    N_("set both by a time server: timedatectl, chronyc tracking"),
)
CLOCK_LOOSE = _operators(
    "clock-loose",
    N_("no time server keeps this machine's clock"),
    N_("systemctl enable --now chrony, or systemd-timesyncd"),
)
CLOCKS_OF_NODES = _operators(
    "clock-nodes",
    N_("clocks of nodes differ from the shared file system's by more than {s} s: {nodes}"),
    N_("set them by a time server: grants end, and events are recorded, by a node's own clock"),
)

NAMES = _operators(
    "names",
    P_("the name service has the account of {n} member", "the name service has the accounts of {n} members"),
)
NAMES_MISSING = _operators(
    "names-missing",
    N_("the name service has no account for: {names}"),
    N_("getent passwd ACCOUNT; add the account, or take the member out of the site's file"),
)
NAMES_SLOW = _operators(
    "names-slow",
    N_("the name service took {s} s for the account {account}: starts wait for it"),
    N_("getent passwd {account}; see sssd or nslcd, and their cache"),
)
HOST_UNKNOWN = _operators(
    "host-unknown",
    N_("{key}: this machine cannot resolve {host}"),
    N_("getent hosts {host}; correct {key}, DNS or /etc/hosts"),
)

PORTS = _operators("ports", N_("port {port} ({key}) is the hub's"))
PORT_TAKEN = _operators(
    "port-taken",
    N_("port {port} ({key}) is held by the account {account}, not by the hub"),
    N_("ss -ltnp 'sport = :{port}' shows the process; stop it, or choose another port"),
)
PORT_FREE = _operators("port-free", N_("nobody listens on port {port} ({key})"), N_("start the hub, or correct {key}"))
PORT_EPHEMERAL = _operators(
    "port-ephemeral",
    N_("port {port} ({key}) is one that the kernel gives to any program: it may be taken while the hub is down"),
    N_("sysctl net.ipv4.ip_local_reserved_ports={port}, or enable fabric-hub.socket"),
)

VERSIONS = _operators("versions", N_("{what}: version {version}, as here"))
VERSION_DIFFERS = _operators(
    "version-differs",
    N_("{what}: version {version}, and {ours} is installed here"),
    N_("start it again after an update; images: fabric-hub images build; agents: install fabric-node anew"),
)
AGENTS_OTHER = _operators(
    "agents-other",
    N_("node agents of another version than {ours}: {nodes}"),
    N_("install fabric-node of this release there, then systemctl restart fabric-node"),
)
AGENTS_SAME = _operators("agents-same", P_("{n} node agent has this version", "{n} node agents have this version"))
NO_REPORTS = _operators("agents-none", N_("no agent has said how it fares"))
IMAGE = _operators("what-image", N_("image {image}"))
GATEWAY = _operators("what-gateway", N_("gateway"))
CATALOGUE = _operators("what-catalogue", N_("catalogue service"))

ID_TWICE = _operators(
    "id-twice",
    P_(
        "{n} job with the id {id} is of no session on record: another hub on this cluster has that id, too",
        "{n} jobs with the id {id} are of no session on record: another hub on this cluster has that id, too",
    ),
    N_("give one of them another hub.id; until then each may take the other's jobs for its own"),
)
ID_ALONE = _operators("id-alone", N_("all jobs with the id {id} are on this hub's record"))
