"""What is known of Slurm and of a job: why it waits, how it runs, how it ended."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# nouns within the sentences

ITS_NODE = Reason("its-node", N_("its node"), who=Who.NOBODY)
PARTITION = Reason("partition-named", N_("partition {partition}"), who=Who.NOBODY)
THE_PARTITION = Reason("the-partition", N_("the partition"), who=Who.NOBODY)
UNKNOWN = Reason("unknown", N_("(unknown)"), who=Who.NOBODY)
NO_LIMIT = Reason("no-time-limit", N_("no limit"), who=Who.NOBODY)
THE_QOS = Reason("the-qos", N_("the QOS {qos}"), who=Who.NOBODY)
CPUS = Reason("counted-cpus", N_("CPUs"), who=Who.NOBODY)
GPUS = Reason("counted-gpus", N_("GPUs"), who=Who.NOBODY)
MEMORY = Reason("counted-memory", N_("memory"), who=Who.NOBODY)
NODES = Reason("counted-nodes", N_("nodes"), who=Who.NOBODY)
JOBS = Reason("counted-jobs", N_("jobs"), who=Who.NOBODY)
RUNNING_TIME = Reason("counted-time", N_("running time"), who=Who.NOBODY)
BILLING = Reason("counted-billing", N_("billing units"), who=Who.NOBODY)
BURST_BUFFER = Reason("counted-burst-buffer", N_("burst buffer"), who=Who.NOBODY)
ENERGY = Reason("counted-energy", N_("energy"), who=Who.NOBODY)
RESOURCES = Reason("counted-resources", N_("resources"), who=Who.NOBODY)
LICENCES = Reason("counted-licences", N_("licences"), who=Who.NOBODY)
KIND_NODE = Reason("counted-node-hours", N_("node"), who=Who.NOBODY)
KIND_JOB = Reason("counted-job-hours", N_("job"), who=Who.NOBODY)
KIND_BILLING = Reason("counted-billing-hours", N_("billing unit"), who=Who.NOBODY)

# a job that waits

WAITS_UNSEEN = Reason("job-unseen", N_("Submitted. Slurm has not scheduled it yet."), who=Who.NOBODY)
WAITS_PRIORITY = Reason("job-priority", N_("Other jobs are ahead of it."), who=Who.NOBODY)
WAITS_RESOURCES = Reason(
    "job-resources", N_("It's next. It starts as soon as enough of {partition} is free."), who=Who.NOBODY
)
WAITS_DEPENDENCY = Reason("job-dependency", N_("It waits for another job to end first."), who=Who.NOBODY)
WAITS_DEPENDENCY_NEVER = Reason(
    "job-dependency-never", N_("It waits for another job that failed, so it will never start. Stop it.")
)
WAITS_BEGIN_TIME = Reason("job-begin-time", N_("It was asked to start later."), who=Who.NOBODY)
HELD_BY_USER = Reason("job-held-by-user", N_("You put this job on hold. Release it with: scontrol release {job}"))
HELD_BY_OPERATORS = Reason("job-held-by-operators", N_("The operators put it on hold. Ask them why."), who=Who.OPERATOR)
HELD_BY_SLURM = Reason(
    "job-held-by-slurm", N_("Slurm put it on hold after it was restarted too often. Stop it and start again.")
)
NODE_DID_NOT_START_IT = Reason("job-node-did-not-start-it", N_("The node could not start it. Stop it and start again."))
WAITS_RESERVATION = Reason("job-reservation", N_("It waits for its reservation to begin."), who=Who.NOBODY)
WAITS_RESERVATION_UNTIL = Reason(
    "job-reservation-until",
    N_("It waits for its reservation {reservation}, which begins at {begins:clock}."),
    who=Who.NOBODY,
)
RESERVATION_GONE = Reason(
    "job-reservation-gone", N_("Its reservation is gone, so it will not start. Stop it and start again without one.")
)
ABOVE_PARTITION_TIME = Reason(
    "job-partition-time",
    N_("It asks for more time than {partition} allows, so it will not start. Stop it and choose a shorter time."),
)
ABOVE_PARTITION_NODES = Reason(
    "job-partition-nodes",
    N_("It asks for more nodes than {partition} allows, so it will not start. Stop it and choose a smaller profile."),
)
ABOVE_PARTITION = Reason(
    "job-partition-config",
    N_("It asks for more than {partition} allows, so it will not start. Stop it and choose a smaller profile."),
)
PARTITION_STOPPED = Reason(
    "job-partition-stopped",
    N_("The operators have stopped {partition} for now. It starts when they open it again."),
    who=Who.OPERATOR,
)
NO_NODE_HAS_ALL = Reason(
    "job-no-node-has-all",
    N_("No node has all that it asks for, so it will not start. Stop it and choose another profile."),
)
ACCOUNT_NOT_ALLOWED = Reason(
    "job-account-not-allowed",
    N_("Account {account} may not use {partition}. Stop it and pick another project or profile."),
)
GROUP_NOT_ALLOWED = Reason(
    "job-group-not-allowed", N_("Your groups may not use {partition}. Stop it and choose another profile.")
)
HELD_AFTER_REQUEUE = Reason(
    "job-held-after-requeue", N_("It was put back in the queue on hold. Stop it and start again.")
)
QOS_NOT_ALLOWED = Reason(
    "job-qos-not-allowed", N_("The QOS {qos} may not be used here. Stop it and choose another profile.")
)
ACCOUNT_GONE = Reason("job-account-gone", N_("Account {account} no longer exists. Stop it and pick another project."))
QOS_GONE = Reason("job-qos-gone", N_("The QOS {qos} no longer exists. Stop it and choose another profile."))
ACCOUNT_LIMIT = Reason(
    "job-account-limit", N_("A limit of account {account} is reached. It starts when other jobs end."), who=Who.NOBODY
)
QOS_JOBS = Reason(
    "job-qos-jobs", N_("The QOS {qos} has as many jobs as it may have. It starts when one ends."), who=Who.NOBODY
)
QOS_USAGE = Reason(
    "job-qos-usage", N_("The QOS {qos} may not be used while the account's use is this high."), who=Who.NOBODY
)
WAITS_LICENCE = Reason("job-licence", N_("It waits for a software licence to come free."), who=Who.NOBODY)
NODE_MADE_READY = Reason("job-node-made-ready", N_("The node is being made ready for it."), who=Who.NOBODY)
NODE_CLEANED = Reason(
    "job-node-cleaned", N_("The node is being cleaned up after an earlier run of it."), who=Who.NOBODY
)
NODE_DOWN = Reason(
    "job-node-down", N_("A node that it needs is down. It starts on another, or when the node is back."), who=Who.NOBODY
)
NODES_NOT_AVAILABLE = Reason(
    "job-nodes-not-available",
    N_(
        "The nodes that it needs are down, reserved, or kept free for maintenance. "
        "A shorter time may fit before the maintenance."
    ),
)
MAINTENANCE_UNTIL = Reason(
    "job-maintenance-until",
    N_("Its nodes are in maintenance ({reservation}) until {ends:soon}. It starts after that."),
    who=Who.NOBODY,
)
MAINTENANCE_FROM = Reason(
    "job-maintenance-from",
    N_(
        "Until {begins:soon} up to {fits:duration} is possible. Then maintenance ({reservation}) begins, and this "
        "start waits until that is over."
    ),
)
NODES_MISSING_NOW = Reason(
    "job-constraints-now",
    N_("No node that has all it asks for can be used now. It starts when one can."),
    who=Who.NOBODY,
)
BURST_BUFFER_WAITS = Reason("job-burst-buffer", N_("It waits for room in the burst buffer."), who=Who.NOBODY)
BURST_BUFFER_FILLS = Reason(
    "job-burst-buffer-fills", N_("Its files are being copied to the burst buffer."), who=Who.NOBODY
)
BURST_BUFFER_FAILED = Reason(
    "job-burst-buffer-failed", N_("The burst buffer could not be set up for it. Stop it and start again.")
)
DEADLINE_MISSED = Reason(
    "job-deadline-missed", N_("It cannot end before its deadline, so it will not start. Stop it and start again.")
)
FEDERATION_LOCK = Reason(
    "job-federation-lock", N_("The clusters of the federation are agreeing on where it runs."), who=Who.NOBODY
)
INACTIVE = Reason(
    "job-inactive", N_("It was idle for longer than Slurm allows (InactiveLimit). Stop it and start again.")
)
POWERED_UP_NODES = Reason(
    "job-powered-up-nodes",
    N_("As many nodes are powered up as the site allows. It starts when one comes free."),
    who=Who.NOBODY,
)
MPI_PORTS = Reason(
    "job-mpi-ports", N_("The ports for MPI on its nodes are in use. It starts when they are free."), who=Who.NOBODY
)
IMEX_CHANNELS = Reason(
    "job-imex-channels", N_("All NVIDIA IMEX channels are in use. It starts when one comes free."), who=Who.NOBODY
)
OUT_OF_MEMORY = Reason(
    "job-out-of-memory", N_("It used more memory than it asked for. Choose a profile with more memory.")
)
POWER = Reason("job-power", N_("It waits until there is enough electric power for it."), who=Who.NOBODY)
RESERVATION_INVALID = Reason(
    "job-reservation-invalid",
    N_("It may not use its reservation, so it will not start. Stop it and start again without one."),
)
DEFERRED = Reason(
    "job-deferred", N_("Slurm does not start jobs the moment they come. It starts in the next round."), who=Who.NOBODY
)
QOS_LIMIT = Reason(
    "job-qos-limit", N_("A limit of the QOS {qos} is reached. It starts when other jobs end."), who=Who.NOBODY
)
NO_VALID_REASON = Reason("job-no-valid-reason", N_("Slurm gives no reason why it waits."), who=Who.NOBODY)
BLOCK_FAILED = Reason("job-block-failed", N_("The nodes could not be set up for it. Stop it and start again."))
NODES_DOWN_OR_PROMISED = Reason(
    "job-nodes-down-or-promised",
    N_("The nodes that it needs are down, or kept for jobs with a higher priority."),
    who=Who.NOBODY,
)
FRONT_END_DOWN = Reason("job-front-end-down", N_("The cluster's front end is down."), who=Who.OPERATOR)
SLURM_FAILED = Reason("job-slurm-failed", N_("Slurm had an internal failure. Stop it and start again."))
ARRAY_LIMIT = Reason(
    "job-array-limit", N_("Its job array runs as many tasks at a time as it was asked to."), who=Who.NOBODY
)
ABOVE_MEMORY = Reason(
    "job-above-memory",
    N_("It asks for more memory than is allowed, so it will not start. Stop it and choose a smaller profile."),
)
EXIT_CODE = Reason("job-exit-code", N_("It ended with an error."))
SIGNAL = Reason("job-signal", N_("It was ended by a signal."))
TIME_LIMIT = Reason("job-time-limit", N_("It reached its time limit."))

# a job that waits for a limit: {scope} is an account or a QOS, {what} is what it counts

UNKNOWN_REASON = Reason("job-unknown-reason", N_("Slurm's reason is {reason}."), who=Who.NOBODY)
BELOW_LEAST = Reason(
    "job-below-least",
    N_("It asks for fewer {what} than {scope} wants at the least. Stop it and choose a larger profile."),
)
HOURS_USED_UP = Reason(
    "job-hours-used-up",
    N_(
        "The {kind} hours of {scope} are used up. "
        "It starts when the operators give the project more; its owner can ask them."
    ),
    who=Who.OWNER,
)
ABOVE_JOB_MINUTES = Reason(
    "job-above-minutes",
    N_("It asks for more {what} for longer than {scope} allows one job. Stop it and choose less or shorter."),
)
MINUTES_IN_USE = Reason(
    "job-minutes-in-use",
    N_("The time that running jobs still have uses up the {what} limit of {scope}. It starts when one of them ends."),
    who=Who.NOBODY,
)
ALL_IN_USE = Reason(
    "job-all-in-use",
    N_("All {what} that {scope} may use at a time are in use. It starts when one of its jobs ends."),
    who=Who.NOBODY,
)
ABOVE_ACCOUNTS = Reason(
    "job-above-accounts",
    N_(
        "It would be more {what} at a time than allowed for {scope} altogether. "
        "It starts when another of the jobs ends."
    ),
    who=Who.NOBODY,
)
ABOVE_USERS = Reason(
    "job-above-users",
    N_(
        "It would be more {what} at a time than allowed for you under {scope}. It starts when another of the jobs ends."
    ),
    who=Who.NOBODY,
)
ABOVE_JOB = Reason(
    "job-above",
    N_("It asks for more {what} than {scope} allows one job. Stop it and choose a smaller profile or a shorter time."),
)

# a session that has ended

ENDED = Reason("session-ended", N_("The session ended by itself."), who=Who.NOBODY)
ENDED_TIME_LIMIT = Reason(
    "session-time-limit",
    N_("Time limit reached ({limit:short}). Choose a longer time if you need it."),
)
# The same where there is little room, as in a list of sessions.
# TRANSLATORS: in a list of sessions, as short as can be
SHORT_TIME_LIMIT = Reason("short-time-limit", N_("Ended {at:clock} · time limit reached ({limit:short})"))
SHORT_OUT_OF_MEMORY = Reason(
    "short-out-of-memory", N_("Ended {at:clock} · out of memory: choose a profile with more memory")
)
SHORT_PREEMPTED = Reason("short-preempted", N_("Ended {at:clock} · preempted by a higher-priority job"))
SHORT_NODE = Reason("short-node-failed", N_("Ended {at:clock} · node {node} broke down"))
ENDED_AT = Reason("ended-at", N_("Ended {at:clock}"), who=Who.NOBODY)
ENDED_OUT_OF_MEMORY = Reason(
    "session-out-of-memory", N_("The session used more memory than it asked for. Choose a profile with more memory.")
)
ENDED_NODE = Reason(
    "session-node-failed", N_("The node {node} broke down. Start again; files that were saved are still there.")
)
ENDED_PREEMPTED = Reason("session-preempted", N_("Preempted by a higher-priority job. Start again."))
ENDED_STOPPED = Reason("session-stopped", N_("The session was stopped."), who=Who.NOBODY)
ENDED_BOOT = Reason("session-node-boot", N_("The node {node} could not be started. Start again."))
ENDED_DEADLINE = Reason("session-deadline", N_("The session could not end before its deadline."))
ENDED_LAUNCH = Reason(
    "session-launch", N_("The node {node} could not start the session. Start again, or tell the operators.")
)
ENDED_RECONFIG = Reason("session-node-reconfig", N_("The node {node} could not be reconfigured. Start again."))
ENDED_REVOKED = Reason("session-revoked", N_("The job went to another cluster."), who=Who.NOBODY)
FAILED = Reason("session-failed", N_("JupyterLab stopped with an error. Check the session's log."))
FAILED_EXIT = Reason("session-failed-exit", N_("JupyterLab stopped (exit code {exit}). Check the session's log."))
FAILED_SIGNAL = Reason("session-failed-signal", N_("JupyterLab stopped (signal {signal}). Check the session's log."))
REFUSED_AFTER_ALL = Reason("session-refused", N_("Slurm refused the job: no node has all that it asks for."))
ENDED_BY_SIGNAL_OR_NODE = Reason(
    "session-signal-or-node", N_("The session was ended by a signal, or {node} could not start it. Check its log.")
)
ENDED_BY_THIS_SIGNAL_OR_NODE = Reason(
    "session-this-signal-or-node",
    N_("The session was ended by a signal (signal {signal}), or {node} could not start it. Check its log."),
)
ENDED_WITH_RESERVATION = Reason(
    "session-reservation-over",
    N_(
        "The session ended with its reservation, before its time limit ({limit:short}). "
        "Start again; files that were saved are still there."
    ),
)
ENDED_WITH_BUDGET = Reason(
    "session-budget",
    N_(
        "Slurm ended the session before its time limit ({limit:short}): most likely a budget of {account} is "
        "used up. Start again; files that were saved are still there."
    ),
)

# a job that has begun

RUNNING = Reason("job-running", N_("Running on {node}."), who=Who.NOBODY)
SUSPENDED = Reason(
    "job-suspended", N_("Suspended by Slurm: it goes on when a higher-priority job is done."), who=Who.NOBODY
)
STOPPED = Reason("job-stopped", N_("Stopped by a signal: it goes on when it is told to."), who=Who.NOBODY)
COMPLETING = Reason("job-completing", N_("It has ended; {node} is being cleaned up."), who=Who.NOBODY)
CONFIGURING = Reason("job-configuring", N_("Its node is being started; this can take some minutes."), who=Who.NOBODY)
STAGE_OUT = Reason("job-stage-out", N_("It has ended; its files are being copied."), who=Who.NOBODY)
SIGNALING = Reason("job-signaling", N_("A signal is being sent to it."), who=Who.NOBODY)
RESIZING = Reason("job-resizing", N_("It is changing its size."), who=Who.NOBODY)
UNKNOWN_STATE = Reason("job-unknown-state", N_("Slurm calls its state {state}."), who=Who.NOBODY)

# Slurm itself

SLURM_SILENT = Reason("slurm-silent", N_("Slurm has not answered since {since:clock}."), who=Who.OPERATOR)
SLURM_HIDES_SESSIONS = Reason(
    "slurm-hides-sessions",
    N_("Since {since:clock} Slurm does not show the hub all of its sessions."),
    who=Who.OPERATOR,
)
SLURM_NOT_YET = Reason("slurm-not-yet", N_("Slurm has not answered yet."), who=Who.NOBODY)
NOTHING_LOST = Reason(
    "slurm-nothing-lost",
    N_("Nothing is lost: sessions keep running, and this page tries again."),
    who=Who.NOBODY,
)
TOO_SLOW = Reason(
    "slurm-too-slow",
    N_("Slurm is too slow: {program} did not answer within {seconds:number} s."),
    who=Who.OPERATOR,
)
MUNGE_SILENT = Reason(
    "slurm-munge-silent",
    N_("munge does not answer on the hub's host, so Slurm cannot check who asks."),
    who=Who.OPERATOR,
)
DATABASE_SILENT = Reason(
    "slurm-database-silent", N_("Slurm's database service (slurmdbd) does not answer."), who=Who.OPERATOR
)
CONTROLLER_SILENT = Reason(
    "slurm-controller-silent", N_("Slurm's controller (slurmctld) does not answer."), who=Who.OPERATOR
)
CONFIGURATION_UNREADABLE = Reason(
    "slurm-configuration-unreadable",
    N_("Slurm's configuration (slurm.conf) cannot be read on the hub's host."),
    who=Who.OPERATOR,
)
CLIENT_UNUSABLE = Reason("slurm-client-unusable", N_("{program} cannot be used: {why}."), who=Who.OPERATOR)
CLIENT_FAILED = Reason("slurm-client-failed", N_("{program} failed: {words}"), who=Who.OPERATOR)
CLIENT_FAILED_SILENTLY = Reason(
    "slurm-client-failed-silently", N_("{program} failed without a word."), who=Who.OPERATOR
)
ANSWER_UNREADABLE = Reason(
    "slurm-answer-unreadable", N_("{program}'s answer cannot be read: {detail}."), who=Who.OPERATOR
)
NOBODYS_ACCOUNT = Reason(
    "slurm-nobodys-account",
    N_("Account {account} is no user's here, and cannot be asked about its jobs."),
    who=Who.OPERATOR,
)
SOURCES_DISAGREE = Reason(
    "slurm-sources-disagree",
    N_("slurmctld has no job {job}, and the database says that it is {state}."),
    who=Who.NOBODY,
)
OWNER_CALLED_OTHERWISE = Reason(
    "slurm-owner-called-otherwise",
    N_("squeue calls the owner of job {job} {owner}, not {account}."),
    who=Who.OPERATOR,
)
