"""What ``fabric-hub doctor`` finds; the hint is the remedy, or how it can be checked."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

NOT_CHECKED = Reason("doctor-not-checked", N_("{what}: not checked, {why}"), who=Who.OPERATOR)
MEND_FIRST = Reason("doctor-mend-first", N_("mend that first, then run this again"), who=Who.OPERATOR)
AS_ROOT = Reason("doctor-as-root", N_("run it as root"), who=Who.OPERATOR)
AS_OWNER = Reason("doctor-as-owner", N_("run this as its owner"), who=Who.OPERATOR)
CERTIFICATES = Reason("doctor-certificates", N_("the certificates of internal TLS"), who=Who.OPERATOR)
CERTIFICATES_UNREADABLE = Reason(
    "doctor-certificates-unreadable",
    N_("the certificates of internal TLS cannot be read: {why}"),
    N_("look at {path}"),
    who=Who.OPERATOR,
)
CERTIFICATES_TO_COME = Reason(
    "doctor-certificates-to-come", N_("the hub makes them when it is first started"), who=Who.OPERATOR
)
START_FIRST = Reason("doctor-start-first", N_("start it, then run this again"), who=Who.OPERATOR)
MAY_NOT_LOOK = Reason("doctor-may-not-look", N_("this account may not look there"), who=Who.OPERATOR)
NO_ANSWER_WITHIN = Reason("doctor-no-answer-within", N_("no answer within {seconds} s"), who=Who.OPERATOR)
COUNTS = Reason("doctor-counts", "{problems}, {right}.", who=Who.NOBODY)
COUNTS_NOT_ALL = Reason("doctor-counts-not-all", N_("{problems}, {right}, {n} not checked."), who=Who.NOBODY)
PROBLEMS = Reason("doctor-problems", P_("{n} problem", "{n} problems"), who=Who.NOBODY)
RIGHT = Reason("doctor-right", P_("{n} right", "{n} right"), who=Who.NOBODY)

# -- this machine

PROGRAMS_MISSING = Reason(
    "doctor-programs-missing",
    N_("{programs} missing, of the package {package}"),
    N_("make setup, or: apt-get install --no-install-recommends {package}"),
    who=Who.OPERATOR,
)
PROGRAMS_THERE = Reason("doctor-programs", "{package}: {programs}", who=Who.OPERATOR)
NO_PROXY = Reason("doctor-no-proxy", N_("configurable-http-proxy is not installed"), "make setup", who=Who.OPERATOR)
PROXY = Reason("doctor-proxy", N_("proxy: {path}"), who=Who.OPERATOR)
PROXY_NODE = Reason("doctor-proxy-node", N_("proxy: Node.js {version}"), who=Who.OPERATOR)
NODE_BROKEN = Reason(
    "doctor-node-broken",
    N_("Node.js at {path} does not run; it must be {oldest} or newer"),
    "make setup",
    who=Who.OPERATOR,
)
NODE_OLD = Reason(
    "doctor-node-old", N_("Node.js at {path} is {version}, older than {oldest}"), "make setup", who=Who.OPERATOR
)

# -- the site's file

SITE_FILE = Reason("doctor-site-file", N_("site file {path}"), who=Who.OPERATOR)
CORRECT_LINE = Reason(
    "doctor-correct-line", N_("correct that line; `fabric-hub check-config` reads it again"), who=Who.OPERATOR
)
AT_KEY = Reason("doctor-at-key", "{key}: {about}", who=Who.OPERATOR)

# -- Slurm

CLIENTS_FAIL = Reason(
    "doctor-clients-fail",
    N_("Slurm's clients in {path} do not run: {said}"),
    N_("correct slurm.bin_dir or slurm.conf"),
    who=Who.OPERATOR,
)
SLURM_OLD = Reason(
    "doctor-slurm-old",
    N_("{version} is older than 22.05"),
    N_("use the clients of a newer Slurm: slurm.bin_dir"),
    who=Who.OPERATOR,
)
NO_SLURMCTLD = Reason(
    "doctor-no-slurmctld",
    N_("slurmctld does not answer: {said}"),
    N_("see that slurmctld runs and its port is open from here"),
    who=Who.OPERATOR,
)
NO_SLURMDBD = Reason(
    "doctor-no-slurmdbd",
    N_("slurmdbd does not answer: {said}"),
    N_("see that slurmdbd and its database run"),
    who=Who.OPERATOR,
)
SLURMDBD = Reason("doctor-slurmdbd", N_("slurmdbd knows {clusters}"), who=Who.OPERATOR)
SLURMDBD_EMPTY = Reason("doctor-slurmdbd-empty", N_("slurmdbd knows no cluster"), who=Who.OPERATOR)
NO_MUNGE = Reason(
    "doctor-no-munge",
    N_("munge does not answer: {said}"),
    N_("start munged; its key is the same on all nodes"),
    who=Who.OPERATOR,
)
MUNGE = Reason("doctor-munge", "munge", who=Who.OPERATOR)
MUNGE_ON = Reason("doctor-munge-on", N_("munge on {socket}"), who=Who.OPERATOR)

# -- images and directories

IMAGE = Reason("doctor-image", N_("image {image}: {build}"), who=Who.OPERATOR)
IMAGE_ITSELF = Reason("doctor-image-itself", N_("image {image}"), who=Who.OPERATOR)
IMAGE_PLACE = Reason("doctor-image-place", N_("image {image} in {path}"), who=Who.OPERATOR)
WHEN_BUILT = Reason("doctor-when-built", N_("it is not built, and offered only then"), who=Who.OPERATOR)
NOT_BUILT = Reason(
    "doctor-not-built",
    N_("image {image} is not built in {path}"),
    "fabric-hub images build {image} --images {path}",
    who=Who.OPERATOR,
)
IMAGE_CLOSED = Reason(
    "doctor-image-closed",
    N_("users cannot read image {image}: {path} keeps them out"),
    "chmod o+rx {path}",
    who=Who.OPERATOR,
)
PLACE = Reason("doctor-place", "{what} {path}", who=Who.OPERATOR)
PLACE_MISSING = Reason("doctor-place-missing", N_("{what} {path} does not exist"), who=Who.OPERATOR)
WRITE_OR_TAKE_OUT = Reason(
    "doctor-write-or-take-out", N_("write {path}, or take {key} out of the site's file"), who=Who.OPERATOR
)
STATE_DIR_FAILS = Reason(
    "doctor-state-dir-fails",
    "hub.state_dir {path}: {why}",
    N_("install -d -m 0700 -o HUB-ACCOUNT {path}"),
    who=Who.OPERATOR,
)
STATE_DIR_OPEN = Reason(
    "doctor-state-dir-open",
    N_("{path} holds secrets, and others may look into it"),
    "chmod 0700 {path}",
    who=Who.OPERATOR,
)
STATE_DIR = Reason("doctor-state-dir", N_("hub.state_dir {path} is private"), who=Who.OPERATOR)
NO_HOMES = Reason(
    "doctor-no-homes",
    N_("users.home: {path} does not exist"),
    N_("mkdir {path}, or correct users.home"),
    who=Who.OPERATOR,
)

# -- the gateway, and what it sees in Slurm

GATEWAY = Reason("doctor-gateway", N_("the gateway on {path}, as {account}"), who=Who.OPERATOR)
GATEWAY_RIGHTS = Reason(
    "doctor-gateway-rights",
    N_("the gateway (process {process}) has the capabilities {rights}"),
    N_("start it with the ambient capabilities CAP_SETUID and CAP_SETGID, and no others"),
    who=Who.OPERATOR,
)
GATEWAY_UNSURE = Reason(
    "doctor-gateway-unsure",
    N_("the gateway knows nothing certain of Slurm now: {why}"),
    N_("see the gateway's log"),
    who=Who.OPERATOR,
)
WHETHER_HIDES = Reason("doctor-whether-hides", N_("whether Slurm hides anything from {account}"), who=Who.OPERATOR)
PROGRAM_SAYS = Reason("doctor-program-says", N_("{program} says: {said}"), who=Who.OPERATOR)
HIDES_NOTHING = Reason(
    "doctor-hides-nothing", N_("Slurm hides nothing from the gateway (no PrivateData)"), who=Who.OPERATOR
)
SLURMS_OWN_USER = Reason(
    "doctor-slurms-own-user",
    N_("{account} is Slurm's own user: PrivateData={words} hides nothing from it"),
    who=Who.OPERATOR,
)
HIDES_NOT_FROM_LEVEL = Reason(
    "doctor-hides-not-from-level",
    N_("{account} is {level} in Slurm: PrivateData={words} hides nothing from it"),
    who=Who.OPERATOR,
)
HIDES = Reason(
    "doctor-hides",
    N_(
        "Slurm hides {things} from the gateway: slurm.conf has PrivateData={words}, and {account} is no Operator in "
        "Slurm"
    ),
    who=Who.OPERATOR,
)
NO_SUCH_USER_SHOWN = Reason(
    "doctor-no-such-user-shown",
    N_("Slurm shows this account no such user; PrivateData may hide it"),
    who=Who.OPERATOR,
)
AN_OPERATOR = Reason(
    "doctor-an-operator", N_('{account} as an Operator in Slurm (slurm.extend = "as-gateway")'), who=Who.OPERATOR
)
MAY_EXTEND = Reason(
    "doctor-may-extend", N_("{account} may give sessions more time: {level} in Slurm"), who=Who.OPERATOR
)
MAY_NOT_EXTEND = Reason(
    "doctor-may-not-extend",
    N_('{account} is no Operator in Slurm: with slurm.extend = "as-gateway" no session gets more time'),
    who=Who.OPERATOR,
)
OR_NEVER_EXTEND = Reason("doctor-or-never-extend", N_('{command}, or slurm.extend = "never"'), who=Who.OPERATOR)

# -- the other daemons

CATALOGUE = Reason("doctor-catalogue", N_("the catalogue service on {path}, as {account}"), who=Who.OPERATOR)
CATALOGUE_FAILS = Reason(
    "doctor-catalogue-fails",
    N_("the catalogue service on {path} cannot do its work: {why}"),
    N_("see the catalogue service's log"),
    who=Who.OPERATOR,
)
GATEWAY_ON = Reason("doctor-gateway-on", N_("the gateway on {path}"), who=Who.OPERATOR)
CATALOGUE_ON = Reason("doctor-catalogue-on", N_("the catalogue service on {path}"), who=Who.OPERATOR)
MEANT_FOR_GATEWAY = Reason(
    "doctor-meant-for-gateway",
    N_("this account may not reach it ({path} is the hub's and the gateway's only)"),
    who=Who.OPERATOR,
)
MEANT_FOR_CATALOGUE = Reason(
    "doctor-meant-for-catalogue",
    N_("this account may not reach it ({path} is the hub's and the catalogue service's only)"),
    who=Who.OPERATOR,
)
GATEWAY_SILENT = Reason(
    "doctor-gateway-silent",
    N_("the gateway on {path} does not answer: {why}"),
    N_(
        "start it: systemctl start fabric-gateway (an embedded run: fabric-hub up); let this account reach {path} "
        "({path} is the hub's and the gateway's only)"
    ),
    who=Who.OPERATOR,
)
CATALOGUE_SILENT = Reason(
    "doctor-catalogue-silent",
    N_("the catalogue service on {path} does not answer: {why}"),
    N_(
        "start it: systemctl start fabric-catalogue (an embedded run: fabric-hub up); let this account reach {path} "
        "({path} is the hub's and the catalogue service's only)"
    ),
    who=Who.OPERATOR,
)
GATEWAY_STATUS = Reason(
    "doctor-gateway-status",
    N_("the gateway on {path} answers {status}"),
    N_("see the gateway's log"),
    who=Who.OPERATOR,
)
CATALOGUE_STATUS = Reason(
    "doctor-catalogue-status",
    N_("the catalogue service on {path} answers {status}"),
    N_("see the catalogue service's log"),
    who=Who.OPERATOR,
)
NODE_AGENT = Reason("doctor-node-agent", N_("the node agent on {path}"), who=Who.OPERATOR)
ON_THE_NODES = Reason("doctor-on-the-nodes", N_("this machine has none; the agents are on the nodes"), who=Who.OPERATOR)
ON_EACH_NODE = Reason(
    "doctor-on-each-node",
    N_("on each node: systemctl status fabric-node, and look there for its log"),
    who=Who.OPERATOR,
)
MAY_NOT_REACH = Reason("doctor-may-not-reach", N_("this account may not reach it"), who=Who.OPERATOR)
NODE_AGENT_SILENT = Reason(
    "doctor-node-agent-silent",
    N_("the node agent on {path} does not answer: {why}"),
    N_("start it: systemctl start fabric-node (an embedded run: fabric-hub up); see its log"),
    who=Who.OPERATOR,
)
HUNG_UP = Reason("doctor-hung-up", N_("the daemon hung up"), who=Who.OPERATOR)
HUB = Reason("doctor-hub", N_("the hub at {url}"), who=Who.OPERATOR)
SERVICE = Reason("doctor-service", N_("its service at {url}"), who=Who.OPERATOR)
HUB_SILENT = Reason(
    "doctor-hub-silent",
    N_("the hub at {url} does not answer: {why}"),
    N_("start it: systemctl start fabric-hub (an embedded run: fabric-hub up); its log says why it ended"),
    who=Who.OPERATOR,
)
SERVICE_SILENT = Reason(
    "doctor-service-silent",
    N_("its service at {url} does not answer: {why}"),
    N_("start it: systemctl start fabric-hub (an embedded run: fabric-hub up); its log says why it ended"),
    who=Who.OPERATOR,
)
HUB_STATUS = Reason(
    "doctor-hub-status", N_("the hub at {url} answers {status}"), N_("see the hub's log"), who=Who.OPERATOR
)
SERVICE_STATUS = Reason(
    "doctor-service-status", N_("its service at {url} answers {status}"), N_("see the hub's log"), who=Who.OPERATOR
)

# -- what the site's file names in Slurm

SLURM_HAS = Reason("doctor-slurm-has", N_("Slurm has of what the site's file names: {counts}"), who=Who.OPERATOR)
PARTITIONS = Reason("doctor-partitions", P_("{n} partition", "{n} partitions"), who=Who.NOBODY)
QOS = Reason("doctor-qos", P_("{n} QOS", "{n} QOS"), who=Who.NOBODY)
ACCOUNTS = Reason("doctor-accounts", P_("{n} account", "{n} accounts"), who=Who.NOBODY)
GPU_TYPES = Reason("doctor-gpu-types", P_("{n} GPU type", "{n} GPU types"), who=Who.NOBODY)
IN_SLURM = Reason("doctor-in-slurm", "Slurm", who=Who.NOBODY)
IN_PARTITION = Reason("doctor-in-partition", N_("Slurm's partition {partition}"), who=Who.NOBODY)
PROFILE = Reason("doctor-profile", N_("profile {name}"), who=Who.NOBODY)
PROJECT = Reason("doctor-project", N_("project {name}"), who=Who.NOBODY)
NO_PARTITION = Reason(
    "doctor-no-partition",
    N_('{whose}: {where} has no partition "{name}"; it has {names}'),
    N_("write one that Slurm has in {key}: sinfo -a lists them"),
    who=Who.OPERATOR,
)
NO_QOS = Reason(
    "doctor-no-qos",
    N_('{whose}: {where} has no QOS "{name}"; it has {names}'),
    N_("correct {key}, or: sacctmgr add qos {name}"),
    who=Who.OPERATOR,
)
NO_ACCOUNT = Reason(
    "doctor-no-account",
    N_('{whose}: {where} has no account "{name}"; it has {names}'),
    N_("correct {key}, or: sacctmgr add account {name}"),
    who=Who.OPERATOR,
)
NO_GPU_TYPE = Reason(
    "doctor-no-gpu-type",
    N_('{whose}: {where} has no GPU type "{name}"; it has {names}'),
    N_("write one that Slurm has in {key}: sinfo -a -o '%P %G' lists them"),
    who=Who.OPERATOR,
)
NAMES_MORE = Reason("doctor-names-more", N_("{names} and {number} more"), who=Who.NOBODY)
NAMES_NONE = Reason("doctor-names-none", N_("none"), who=Who.NOBODY)
NAMES_UNKNOWN = Reason(
    "doctor-names-unknown", N_("whether Slurm has what the site's file names is not known: {why}"), who=Who.OPERATOR
)
PARTITIONS_UNKNOWN = Reason(
    "doctor-partitions-unknown",
    P_(
        "whether Slurm has the partition {names} is not known: {why}",
        "whether Slurm has the partitions {names} is not known: {why}",
    ),
    N_("look as somebody who may see all: {command}"),
    who=Who.OPERATOR,
)
QOS_UNKNOWN = Reason(
    "doctor-qos-unknown",
    P_(
        "whether Slurm has the QOS {names} is not known: {why}",
        "whether Slurm has the QOS {names} is not known: {why}",
    ),
    N_("look as somebody who may see all: {command}"),
    who=Who.OPERATOR,
)
ACCOUNTS_UNKNOWN = Reason(
    "doctor-accounts-unknown",
    P_(
        "whether Slurm has the account {names} is not known: {why}",
        "whether Slurm has the accounts {names} is not known: {why}",
    ),
    N_("look as somebody who may see all: {command}"),
    who=Who.OPERATOR,
)
GPU_TYPES_UNKNOWN = Reason(
    "doctor-gpu-types-unknown",
    P_(
        "whether Slurm has the GPU type {names} is not known: {why}",
        "whether Slurm has the GPU types {names} is not known: {why}",
    ),
    N_("look as somebody who may see all: {command}"),
    who=Who.OPERATOR,
)
SLURM_SILENT = Reason("doctor-slurm-silent", N_("Slurm does not answer the gateway"), who=Who.OPERATOR)
SLURM_LATE = Reason("doctor-slurm-late", N_("Slurm has not answered the gateway within {seconds} s"), who=Who.OPERATOR)
SHOWS_NO_PARTITION = Reason(
    "doctor-shows-no-partition", N_("Slurm shows the gateway no partition at all"), who=Who.OPERATOR
)
SHOWS_NO_QOS = Reason("doctor-shows-no-qos", N_("Slurm shows the gateway no QOS at all"), who=Who.OPERATOR)
SHOWS_NO_ACCOUNT = Reason("doctor-shows-no-account", N_("Slurm shows the gateway no account at all"), who=Who.OPERATOR)
SHOWS_NO_NODE = Reason("doctor-shows-no-node", N_("Slurm shows the gateway no node"), who=Who.OPERATOR)
SHOWS_NO_NODE_OF = Reason(
    "doctor-shows-no-node-of", N_("Slurm shows the gateway no node of partition {partition}"), who=Who.OPERATOR
)
HIDDEN_UNKNOWN = Reason(
    "doctor-hidden-unknown", N_("it cannot be told what Slurm hides from the gateway"), who=Who.OPERATOR
)
HIDDEN = Reason("doctor-hidden", N_("Slurm hides {things} from the gateway"), who=Who.OPERATOR)
