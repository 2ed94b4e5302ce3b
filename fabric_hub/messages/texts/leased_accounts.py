"""Unix accounts that are lent and given back: what keeps one from it, and what is said of them."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

TWICE_IN_POOLS = Reason(
    "pool-account-twice",
    N_("the account {account} is in the pools {pool} and {other}; an account is in one pool, once"),
    who=Who.OPERATOR,
)
POOL_OF_SERVICE = Reason(
    "pool-account-service",
    N_("the account {account} in the pool {pool} is the catalogue service's own, which nobody may be lent"),
    who=Who.OPERATOR,
)
NO_POOL = Reason(
    "lease-no-pool",
    N_("The site's file has no pool of accounts for the purpose {purpose}."),
    N_("Add one under [catalogue.pools.NAME]."),
    who=Who.OPERATOR,
    status=409,
)
NONE_FREE = Reason(
    "lease-none-free",
    N_("No account for the purpose {purpose} is free: {leased} are leased, {cleaning} are being cleaned and "
       "{quarantined} are set apart."),
    N_("See `fabric-hub accounts list`; give one back, release one that is set apart, or add accounts to the pool."),
    who=Who.OPERATOR,
    status=409,
)  # fmt: skip
NONE_USABLE = Reason(
    "lease-none-usable",
    N_("No free account for the purpose {purpose} can be lent: {why}"),
    who=Who.OPERATOR,
    status=409,
)
UNKNOWN_PROJECT = Reason(
    "lease-project-unknown",
    N_("There is no project {project}."),
    N_("Check its name."),
    status=404,
)
SERVICE_OF_KEPT = Reason(
    "lease-service-not-kept",
    N_("A service account is lent to a project that the catalogue service keeps; {project} stands in the site's file."),
    N_("Let the catalogue service keep it from now on: fabric-hub projects import {project}"),
    who=Who.OPERATOR,
    status=409,
)
SERVICE_NEEDS_PROJECT = Reason(
    "lease-service-project",
    N_("A service account is lent to a project, to no person and without an end: it is given back after the "
       "project's."),
    N_("Name the project, and neither a person nor a last day."),
    who=Who.OPERATOR,
    status=422,
)  # fmt: skip
HAS_SERVICE = Reason(
    "lease-service-there",
    N_("Project {project} has the service account {account} already."),
    who=Who.OPERATOR,
    status=409,
)
OVER_ALREADY = Reason("lease-over", N_("{until} is over already."), who=Who.OPERATOR, status=422)
NOT_FROM_HUB = Reason(
    "lease-not-from-hub",
    N_("An account for the purpose {purpose} is not lent at the hub: {because}"),
    N_("Give this command as root: {command}"),
    who=Who.OPERATOR,
    label="not-from-hub",
    status=403,
)
SERVICE_AT_COMMAND = Reason("lease-service-at-command", N_("service accounts are lent at the command line alone."))
NOT_IN_FROM_HUB = Reason("lease-word-missing", N_("catalogue.from_hub in the site's file lacks the word accounts."))
OF_CLOSED_PROJECT = Reason("lease-closed-project", N_("project {project} has non-public data, or is a client's."))
NEEDS_OPERATOR = Reason(
    "lease-needs-operator",
    N_("{user} is not an operator, who alone lends accounts."),
    N_("Ask the operators of this site."),
    who=Who.OPERATOR,
    status=403,
)
NOT_LEASED = Reason(
    "lease-not-leased",
    N_("The account {account} is not leased."),
    N_("See `fabric-hub accounts list`."),
    status=404,
)
NOT_YOURS = Reason(
    "lease-not-yours",
    N_("The account {account} is not lent to a project of {user}'s."),
    status=404,
)
SERVICE_KEPT = Reason(
    "lease-service-kept",
    N_("The account {account} is project {project}'s service account, which goes back {days} days after the "
       "project's last day."),
    N_("With `--force` it goes back now, and all that it owns in its home is removed."),
    who=Who.OPERATOR,
    status=409,
)  # fmt: skip
NOT_SET_APART = Reason(
    "lease-not-quarantined",
    N_("The account {account} is not set apart."),
    N_("See `fabric-hub accounts list`."),
    who=Who.OPERATOR,
    status=404,
)

NOT_TO_SET_APART = Reason(
    "lease-not-to-quarantine",
    N_("The account {account} is leased, set apart already, or was never lent."),
    N_("Give one that is leased back first: fabric-hub accounts return {account}"),
    who=Who.OPERATOR,
    status=409,
)

# Why an account of a pool cannot be lent.
UNKNOWN_ACCOUNT = Reason("pool-account-unknown", N_("this machine has no account {account}."), who=Who.OPERATOR)
SYSTEM_UID = Reason(
    "pool-account-system",
    N_("the account {account} has the uid {uid}, and an account below {least} (users.min_uid) is the system's."),
    who=Who.OPERATOR,
)
OTHER_SPELLING = Reason(
    "pool-account-spelling",
    N_("the account {account} is called {written} on this machine."),
    who=Who.OPERATOR,
)
SAME_UID = Reason(
    "pool-account-same-uid",
    N_("the accounts {account} and {other} have the same uid {uid}."),
    who=Who.OPERATOR,
)
OTHER_UID = Reason(
    "pool-account-other-uid",
    N_("the account {account} had the uid {before} and has {uid} now."),
    who=Who.OPERATOR,
)
OF_PERSON = Reason(
    "pool-account-person",
    N_("the account {account} is {user}'s, who logs in with it."),
    who=Who.OPERATOR,
)

# Why an account is not clean, or not yet.
GATEWAY_SILENT = Reason("lease-gateway-silent", N_("the gateway has not said that nothing more is submitted as it."))
HOME_NOT_SAID = Reason("lease-home-silent", N_("the gateway has not said that its home is empty."))
NO_NODES = Reason("lease-no-nodes", N_("no node's agent says how it fares."))
NODES_SILENT = Reason("lease-nodes-silent", N_("these nodes have not said that nothing is left of it: {nodes}."))
NODE_NOT_CLEAN = Reason("lease-node-not-clean", N_("on {node}: {why}."))
ASSOCIATION_OPEN = Reason(
    "lease-association-open",
    N_("it may still submit in Slurm's account {slurm_account}: {words}."),
    who=Who.OPERATOR,
)
JOBS_LEFT = Reason("lease-jobs-left", N_("jobs of its are still there: {jobs}."))
SLURM_UNKNOWN = Reason("lease-slurm-unknown", N_("Slurm does not say whether it has jobs: {why}."))
HOME_LEFT = Reason("lease-home-left", N_("its home cannot be emptied: {why}."))
NOT_OF_GATEWAY = Reason("lease-not-of-gateway", N_("the gateway does not act for it: {why}."), who=Who.OPERATOR)
LEFT_POOLS = Reason("lease-left-pools", N_("it is in no pool of the site's file any more."), who=Who.OPERATOR)

# At the command line.
LEASED = Reason("lease-made", N_("The account {account} (uid {uid}) is lent for the purpose {purpose}."))
RETURNED = Reason(
    "lease-returned", N_("The account {account} was given back; it is free when all that it left is removed.")
)
QUARANTINED = Reason("lease-set-apart", N_("The account {account} is set apart: nobody is lent it."))
RELEASED = Reason("lease-released", N_("The account {account} is free again."))
NO_ACCOUNTS = Reason("lease-none", N_("The site's file has no pools of accounts."))
BY_OPERATOR = Reason("lease-by-operator", N_("set apart by an operator: {why}"))

# What `fabric-hub doctor` says.
POOLS_RIGHT = Reason("pools-right", N_("The {n} accounts of the pools are there, each with a uid of its own."))
POOL_WRONG = Reason(
    "pools-account-wrong",
    N_("In the pool {pool} {why}"),
    N_("Make the account (useradd), or take it out of [catalogue.pools.{pool}]."),
    who=Who.OPERATOR,
)
POOL_QUARANTINED = Reason(
    "pools-account-quarantined",
    N_("The account {account} is set apart: {why}"),
    N_("Look at the machine, then: fabric-hub accounts release {account}"),
    who=Who.OPERATOR,
)
POOLS_CLEAN = Reason("pools-clean", N_("accounts that are set apart"))
POOLS_FILE_WRONG = Reason(
    "pools-file-wrong",
    N_("What the catalogue service says of leased accounts in {path} cannot be used: {why}."),
    N_("Look at the log of the catalogue service, and start it again."),
    who=Who.OPERATOR,
)
