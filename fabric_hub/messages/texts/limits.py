"""Slurm's limits: whose they are, what they count, and what a job may not or waits for.

What a limit says altogether and what it says of somebody are two sentences, in this order; the second has ``who``.
"""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# whose limits

ACCOUNT = Reason("scope-account", N_("account {account}"), who=Who.NOBODY)
USER_IN_ACCOUNT = Reason("scope-user", N_("{user} in account {account}"), who=Who.NOBODY)
QOS = Reason("scope-qos", N_("QOS {qos}"), who=Who.NOBODY)

# amounts of what Slurm counts

CPUS = Reason("count-cpus", P_("{n:number} CPU", "{n:number} CPUs"), who=Who.NOBODY)
MEMORY = Reason("count-memory", P_("{n:number} MB of memory", "{n:number} MB of memory"), who=Who.NOBODY)
NODES = Reason("count-nodes", P_("{n:number} node", "{n:number} nodes"), who=Who.NOBODY)
GPUS = Reason("count-gpus", P_("{n:number} GPU", "{n:number} GPUs"), who=Who.NOBODY)
SHARES = Reason("count-shares", P_("{n:number} GPU share", "{n:number} GPU shares"), who=Who.NOBODY)
TYPED_GPUS = Reason("count-typed-gpus", P_("{n:number} {type} GPU", "{n:number} {type} GPUs"), who=Who.NOBODY)
OTHERS = Reason("count-others", P_("{n:number} {tres}", "{n:number} {tres}"), who=Who.NOBODY)
JOBS = Reason("count-jobs", P_("{n:number} job", "{n:number} jobs"), who=Who.NOBODY)

# TRANSLATORS: before "-hours": "2 GPU-share-hours"
KIND_SHARE = Reason("kind-share", N_("GPU-share"), who=Who.NOBODY)
# TRANSLATORS: before "-hours": "2 billing-hours"
KIND_BILLING = Reason("kind-billing", N_("billing"), who=Who.NOBODY)
# TRANSLATORS: before "-hours": "2 node-hours"
KIND_NODE = Reason("kind-node", N_("node"), who=Who.NOBODY)
# TRANSLATORS: before "-hours": "2 h200 GPU-hours"
KIND_TYPED = Reason("kind-typed-gpu", N_("{type} GPU"), who=Who.NOBODY)
HOURS = Reason("tres-hours", P_("{n:number} {kind}-hour", "{n:number} {kind}-hours"), who=Who.NOBODY)
MINUTES = Reason("tres-minutes", P_("{n:number} {kind}-minute", "{n:number} {kind}-minutes"), who=Who.NOBODY)
UNDER_A_MINUTE = Reason("tres-under-a-minute", N_("less than 1 {kind}-minute"), who=Who.NOBODY)
HOURS_USED = Reason(
    "tres-hours-used",
    P_("{used:number} of {n:number} {kind}-hour used", "{used:number} of {n:number} {kind}-hours used"),
    who=Who.NOBODY,
)
AMOUNT_USED = Reason("tres-amount-used", N_("{used} of {limit} used"), who=Who.NOBODY)

# partitions, and rights to a QOS

QOS_NOT_OF_ACCOUNT = Reason(
    "qos-not-of-account",
    N_("{user} may not use QOS {qos} in account {account}."),
    N_("Choose a profile with one of {known}, or ask the operators."),
    label="qos",
    status=403,
)
PARTITION_ACCOUNTS = Reason(
    "partition-accounts",
    P_(
        "Partition {partition} takes jobs of the account {accounts} only, not of {account}.",
        "Partition {partition} takes jobs of the accounts {accounts} only, not of {account}.",
    ),
    N_("Choose a profile of another partition, or another project."),
    label="partition",
    status=403,
)
PARTITION_NOT_ACCOUNT = Reason(
    "partition-not-account",
    N_("Partition {partition} takes no jobs of account {account}."),
    N_("Choose a profile of another partition."),
    label="partition",
    status=403,
)
PARTITION_NOT_QOS = Reason(
    "partition-not-qos",
    N_("Partition {partition} takes no jobs of QOS {qos}."),
    N_("Choose a profile of another partition."),
    label="partition",
    status=403,
)
PARTITION_TIME = Reason(
    "partition-time",
    N_("Partition {partition} allows a job at most {longest:duration}, not {asked:duration}."),
    N_("Ask for {longest:duration} or less."),
    label="partition",
    status=403,
)
PARTITION_CPUS = Reason(
    "partition-cpus",
    N_("Partition {partition} gives a job at most {most} of a node, not {asked:number}."),
    N_("Choose a smaller profile."),
    label="partition",
    status=403,
)
PARTITION_NO_NODE = Reason(
    "partition-no-node",
    N_("Partition {partition} gives a job no node."),
    N_("Choose a profile of another partition."),
    label="partition",
    status=403,
)

# each single job

JOB_TIME = Reason(
    "limit-job-time",
    N_("{scope:capital} allows a job at most {longest:duration}, not {asked:duration}."),
    N_("Ask for {longest:duration} or less."),
    status=403,
)
JOB_TRES = Reason(
    "limit-job-tres",
    N_("{scope:capital} allows a job at most {most}, not {asked:number}."),
    N_("Choose a smaller profile."),
    status=403,
)
JOB_HOURS = Reason(
    "limit-job-hours",
    N_("{scope:capital} allows a job at most {most}, not {asked}."),
    N_("Ask for {longest:duration} or less."),
    status=403,
)
JOB_HOURS_TOO_FEW = Reason(
    "limit-job-hours-too-few",
    N_("{scope:capital} allows a job at most {most}, not {asked}."),
    N_("Choose a smaller profile."),
    status=403,
)
JOB_LEAST = Reason(
    "limit-job-least",
    N_("{scope:capital} wants at least {least} for a job, not {asked:number}."),
    N_("Choose a larger profile."),
    status=403,
)

# use over time

BUDGET_USED_UP = Reason(
    "budget-used-up",
    N_("The budget of {scope} has run out: {used}."),
    N_("Ask {whom} for more."),
    who=Who.OWNER,
    label="budget",
    status=403,
)
BUDGET_TOO_SMALL = Reason(
    "budget-too-small",
    N_("{scope:capital} has {left} left ({used}), and this job asks for {asked}."),
    N_("Ask for {longest:duration} or less, or {whom} for more."),
    label="budget",
    status=403,
)
BUDGET_TOO_SMALL_AT_ALL = Reason(
    "budget-too-small-at-all",
    N_("{scope:capital} has {left} left ({used}), and this job asks for {asked}."),
    N_("Ask {whom} for more."),
    who=Who.OWNER,
    label="budget",
    status=403,
)
BUDGET_CUTS = Reason(
    "budget-cuts",
    N_(
        "{scope:capital} has {left} left ({used}): "
        "Slurm ends the job when they are used up, after {lasts:about}."
    ),
)  # fmt: skip
TO_COME_NEVER = Reason(
    "limit-to-come-never",
    N_("{scope:capital} allows running jobs {limit} to come, and this job asks for {asked}."),
    N_("Ask for less time, or choose a smaller profile."),
    status=403,
)
TO_COME_WAITS = Reason(
    "limit-to-come-waits",
    N_("{scope:capital} allows running jobs {limit} to come, and those that run have {used}."),
    who=Who.NOBODY,
)

# what is in use at the same time: altogether, and by somebody

AT_ONCE_NEVER = (
    Reason(
        "limit-at-once-never",
        N_("{scope:capital} allows at most {limit} altogether, and this job asks for {asked:number}."),
        N_("Choose a smaller profile."),
        status=403,
    ),
    Reason(
        "limit-at-once-never-for",
        N_("{scope:capital} allows at most {limit} for {who}, and this job asks for {asked:number}."),
        N_("Choose a smaller profile."),
        status=403,
    ),
)
AT_ONCE_ALL = (
    Reason(
        "limit-at-once-all",
        P_(
            "The {limit} that {scope} allows altogether is in use.",
            "All {limit} that {scope} allows altogether are in use.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "limit-at-once-all-for",
        P_(
            "The {limit} that {scope} allows for {who} is in use by {who}.",
            "All {limit} that {scope} allows for {who} are in use by {who}.",
        ),
        who=Who.NOBODY,
    ),
)
AT_ONCE_PART = (
    Reason(
        "limit-at-once-part",
        P_(
            "{n:number} of the {limit} that {scope} allows altogether is in use.",
            "{n:number} of the {limit} that {scope} allows altogether are in use.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "limit-at-once-part-for",
        P_(
            "{n:number} of the {limit} that {scope} allows for {who} is in use by {who}.",
            "{n:number} of the {limit} that {scope} allows for {who} are in use by {who}.",
        ),
        who=Who.NOBODY,
    ),
)
AT_ONCE_ROOM = (
    Reason(
        "headroom-at-once",
        P_(
            "{scope:capital} allows {limit} altogether, and {n:number} is in use.",
            "{scope:capital} allows {limit} altogether, and {n:number} are in use.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "headroom-at-once-for",
        P_(
            "{scope:capital} allows {limit} for {who}, and {n:number} is in use by {who}.",
            "{scope:capital} allows {limit} for {who}, and {n:number} are in use by {who}.",
        ),
        who=Who.NOBODY,
    ),
)

# how many jobs there are: altogether, and of somebody

NO_RUNNING_JOB = (
    Reason(
        "limit-no-running-job",
        N_("{scope:capital} allows no running job altogether."),
        N_("Choose another profile."),
        status=403,
    ),
    Reason(
        "limit-no-running-job-for",
        N_("{scope:capital} allows no running job for {who}."),
        N_("Choose another profile."),
        status=403,
    ),
)
JOBS_ALL = (
    Reason(
        "limit-jobs-all",
        P_(
            "The {limit} that {scope} allows altogether is running.",
            "All {limit} that {scope} allows altogether are running.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "limit-jobs-all-for",
        P_(
            "The {limit} that {scope} allows for {who} is running.",
            "All {limit} that {scope} allows for {who} are running.",
        ),
        who=Who.NOBODY,
    ),
)
JOBS_PART = (
    Reason(
        "limit-jobs-part",
        P_(
            "{n:number} of the {limit} that {scope} allows altogether is running.",
            "{n:number} of the {limit} that {scope} allows altogether are running.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "limit-jobs-part-for",
        P_(
            "{n:number} of the {limit} that {scope} allows for {who} is running.",
            "{n:number} of the {limit} that {scope} allows for {who} are running.",
        ),
        who=Who.NOBODY,
    ),
)
JOBS_ROOM = (
    Reason(
        "headroom-jobs",
        P_(
            "{scope:capital} allows {limit} altogether, and {n:number} is running.",
            "{scope:capital} allows {limit} altogether, and {n:number} are running.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "headroom-jobs-for",
        P_(
            "{scope:capital} allows {limit} for {who}, and {n:number} is running.",
            "{scope:capital} allows {limit} for {who}, and {n:number} are running.",
        ),
        who=Who.NOBODY,
    ),
)
NO_JOB = (
    Reason(
        "limit-no-job",
        P_(
            "{scope:capital} allows at most {limit} altogether, running or waiting, and there is {n:number}.",
            "{scope:capital} allows at most {limit} altogether, running or waiting, and there are {n:number}.",
        ),
        N_("Choose another profile."),
        status=403,
    ),
    Reason(
        "limit-no-job-for",
        P_(
            "{scope:capital} allows at most {limit} for {who}, running or waiting, and there is {n:number}.",
            "{scope:capital} allows at most {limit} for {who}, running or waiting, and there are {n:number}.",
        ),
        N_("Choose another profile."),
        status=403,
    ),
)
SUBMITTED_ALL = (
    Reason(
        "limit-submitted",
        P_(
            "{scope:capital} allows at most {limit} altogether, running or waiting, and there is {n:number}.",
            "{scope:capital} allows at most {limit} altogether, running or waiting, and there are {n:number}.",
        ),
        N_("End one of them first."),
        status=403,
    ),
    Reason(
        "limit-submitted-for",
        P_(
            "{scope:capital} allows at most {limit} for {who}, running or waiting, and there is {n:number}.",
            "{scope:capital} allows at most {limit} for {who}, running or waiting, and there are {n:number}.",
        ),
        N_("End one of them first."),
        status=403,
    ),
)
SUBMITTED_ROOM = (
    Reason(
        "headroom-submitted",
        P_(
            "{scope:capital} allows {limit} altogether, running or waiting, and there is {n:number}.",
            "{scope:capital} allows {limit} altogether, running or waiting, and there are {n:number}.",
        ),
        who=Who.NOBODY,
    ),
    Reason(
        "headroom-submitted-for",
        P_(
            "{scope:capital} allows {limit} for {who}, running or waiting, and there is {n:number}.",
            "{scope:capital} allows {limit} for {who}, running or waiting, and there are {n:number}.",
        ),
        who=Who.NOBODY,
    ),
)
