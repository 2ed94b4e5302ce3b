"""The operators' page Operate: the sessions of everybody, the queue, and how the parts of the site fare."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

OPERATORS_ONLY = Reason(
    "operators-only",
    N_("This page is for operators."),
    N_("If you are one, ask to be named in login.admins of the site's file."),
    label="operators",
    who=Who.OPERATOR,
    status=403,
)

NAMES_STAY = Reason(
    "names-stay",
    N_("People keep their names: each is an account on the cluster."),
    N_("Ask the site for another account."),
    label="operators",
    who=Who.OPERATOR,
    status=403,
)

# GPUs

GPUS_FREE = Reason("operate-gpus-free", N_("{free:number} of {total:number} {type} free"), who=Who.NOBODY)
ANY_GPU = Reason("operate-any-gpu", N_("GPUs"), who=Who.NOBODY)
NODES_OUT = Reason(
    "operate-nodes-out", P_("{n} node is out of service", "{n} nodes are out of service"), who=Who.OPERATOR
)

# the last hours of a number, as the text of its line

LINE = Reason("operate-line", N_("{what} since {since:clock}: {span}"), who=Who.NOBODY)
LINE_RUNNING = Reason("operate-line-running", N_("Sessions running"), who=Who.NOBODY)
LINE_QUEUED = Reason("operate-line-queued", N_("Sessions queued"), who=Who.NOBODY)
LINE_GPUS = Reason("operate-line-gpus", N_("GPUs free"), who=Who.NOBODY)
LINE_OLDEST = Reason("operate-line-oldest", N_("Longest wait"), who=Who.NOBODY)
COUNTS = Reason("operate-line-counts", N_("{least:number} to {most:number}"), who=Who.NOBODY)
COUNT = Reason("operate-line-count", N_("{most:number} all the time"), who=Who.NOBODY)
WAITS = Reason("operate-line-waits", N_("{least:left} to {most:left}"), who=Who.NOBODY)
WAIT = Reason("operate-line-wait", N_("{most:left} all the time"), who=Who.NOBODY)

# the state of a session, and why it waits, to an operator

NOT_KNOWN = Reason("operate-not-known", N_("Not known"), who=Who.NOBODY)
SLURM_SAYS_NOTHING = Reason("operate-no-word", N_("Slurm says nothing of its job."), who=Who.OPERATOR)
HELD_BY_OWNER = Reason("operate-held-by-owner", N_("Its owner put it on hold."), who=Who.NOBODY)
HELD = Reason(
    "operate-held", N_("An operator put it on hold. Release it with: scontrol release {job}"), who=Who.OPERATOR
)

# the parts of the site, how each fares, and what to do

PART_HUB = Reason("part-hub", N_("Hub"), who=Who.NOBODY)
PART_SERVICE = Reason("part-service", N_("REST service"), who=Who.NOBODY)
PART_RECORD = Reason("part-record", N_("Record of sessions"), who=Who.NOBODY)
PART_GATEWAY = Reason("part-gateway", N_("Gateway"), who=Who.NOBODY)
PART_SLURM = Reason("part-slurm", N_("Slurm"), who=Who.NOBODY)
PART_CATALOGUE = Reason("part-catalogue", N_("Catalogue service"), who=Who.NOBODY)
PART_AGENTS = Reason("part-agents", N_("Node agents"), who=Who.NOBODY)
WORKS = Reason("part-works", N_("Working"), who=Who.NOBODY)
FAILS = Reason("part-fails", N_("Not working"), who=Who.OPERATOR)
NO_ANSWER = Reason("part-no-answer", N_("It doesn't answer."), who=Who.OPERATOR)
NODES_TOLD = Reason("part-nodes-told", N_("Nodes were last told who may read what at {at:clock}."), who=Who.OPERATOR)
NODES_NOT_TOLD = Reason("part-nodes-not-told", N_("Nodes were never told who may read what."), who=Who.OPERATOR)
AGENTS_ANSWER = Reason("part-agents-answer", P_("{n} agent answers", "All {n} agents answer"), who=Who.NOBODY)
AGENTS_QUIET = Reason(
    "part-agents-quiet", N_("{heard:number} of {all:number} agents answer. Silent: {nodes:list}"), who=Who.OPERATOR
)
MEND_SERVICE = Reason(
    "mend-service",
    N_("The hub starts it again by itself. Its lines are in: journalctl --unit fabric-hub"),
    who=Who.OPERATOR,
)
MEND_RECORD = Reason(
    "mend-record",
    N_("Check the database (hub.sessions_database) and free space in hub.state_dir. Sessions keep running."),
    who=Who.OPERATOR,
)
MEND_GATEWAY = Reason(
    "mend-gateway",
    N_("Run: systemctl restart fabric-gateway. Why it ended: journalctl --unit fabric-gateway"),
    who=Who.OPERATOR,
)
MEND_SLURM = Reason(
    "mend-slurm", N_("Check slurmctld: scontrol ping. Sessions keep running meanwhile."), who=Who.OPERATOR
)
MEND_CATALOGUE = Reason(
    "mend-catalogue",
    N_("Check catalogue.published, then: systemctl restart fabric-catalogue; journalctl --unit fabric-catalogue"),
    who=Who.OPERATOR,
)
MEND_AGENTS = Reason(
    "mend-agents",
    N_("On each of these nodes: systemctl restart fabric-node; journalctl --unit fabric-node"),
    who=Who.OPERATOR,
)

# an operator in somebody else's session

OPENED_BY = Reason("opened-by-operator", N_("Operator {operator} opened this session at {at:clock}."), who=Who.NOBODY)
OPENING_IS_OFF = Reason(
    "opening-is-off",
    N_("Operators can't open other people's sessions here."),
    N_("The site's file says so: hub.operators_open_sessions."),
    label="opening-is-off",
    who=Who.OPERATOR,
    status=403,
)
NOT_TO_BE_OPENED = Reason(
    "session-not-to-be-opened",
    N_("Session {session} of {user} can't be opened now."),
    N_("Only somebody else's session that is ready can be."),
    label="session",
    who=Who.OPERATOR,
    status=404,
)
