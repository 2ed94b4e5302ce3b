"""What Slurm hides from the gateway, and from where that can be changed."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

HIDES_JOBS = Reason("hides-jobs", N_("the sessions' jobs"), who=Who.NOBODY)
HIDES_NODES = Reason("hides-nodes", N_("the nodes"), who=Who.NOBODY)
HIDES_RESERVATIONS = Reason("hides-reservations", N_("reservations"), who=Who.NOBODY)
HIDES_PARTITIONS = Reason("hides-partitions", N_("partitions"), who=Who.NOBODY)
HIDES_ACCOUNTS = Reason("hides-accounts", N_("accounts and their limits"), who=Who.NOBODY)
HIDES_USERS = Reason("hides-users", N_("users and their limits"), who=Who.NOBODY)
HIDES_USAGE = Reason("hides-usage", N_("what accounts have used"), who=Who.NOBODY)
HIDES_CLOUD = Reason("hides-cloud", N_("powered-down nodes of a cloud"), who=Who.NOBODY)
REFUSED_TO_GATEWAY = Reason(
    "slurm-refused-to-gateway",
    N_(
        "Slurm does not let the gateway's account {account} see what {program} asks for (PrivateData in slurm.conf). "
        "The operators can give it the right of an Operator; fabric-hub doctor says how."
    ),
    who=Who.OPERATOR,
)
HIDDEN_BY_CONFIGURATION = Reason(
    "slurm-hidden-by-configuration",
    N_(
        "Slurm hides {what} from the hub: slurm.conf has PrivateData={kind}, and the gateway's account {account} "
        "is no Operator in Slurm. The operators can give it that right; fabric-hub doctor says how."
    ),
    who=Who.OPERATOR,
)
HIDDEN_SOMEHOW = Reason(
    "slurm-hidden-somehow",
    N_(
        "Slurm's answers to the hub lack {what}, though they are there. The operators should look at PrivateData in "
        "slurm.conf and slurmdbd.conf, and at the rights of the gateway's account {account}: fabric-hub doctor"
    ),
    who=Who.OPERATOR,
)
