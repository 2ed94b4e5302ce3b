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

# GPUs

GPUS_FREE = Reason("operate-gpus-free", N_("{free:number} of {total:number} {type} free"), who=Who.NOBODY)
ANY_GPU = Reason("operate-any-gpu", N_("GPUs"), who=Who.NOBODY)
NODES_OUT = Reason(
    "operate-nodes-out", P_("{n} node is out of service", "{n} nodes are out of service"), who=Who.OPERATOR
)

# the state of a session, and why it waits, to an operator

NOT_KNOWN = Reason("operate-not-known", N_("Not known"), who=Who.NOBODY)
SLURM_SAYS_NOTHING = Reason("operate-no-word", N_("Slurm says nothing of its job."), who=Who.OPERATOR)
HELD_BY_OWNER = Reason("operate-held-by-owner", N_("Its owner put it on hold."), who=Who.NOBODY)
HELD = Reason(
    "operate-held", N_("An operator put it on hold. Release it with: scontrol release {job}"), who=Who.OPERATOR
)
