"""What the gateway cannot do for a session, or Slurm does not take."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# what could not be done, before why

NOT_STARTED = Reason("job-not-started", N_("The session was not started."), who=Who.NOBODY)
JOB_NOT_KNOWN = Reason("job-not-known", N_("It is not known whether the session's job is there."), who=Who.NOBODY)
FATE_NOT_KNOWN = Reason("job-fate-not-known", N_("What became of job {job} is not known now."), who=Who.NOBODY)
NOT_CANCELLED = Reason("job-not-cancelled", N_("Job {job} was not cancelled."), who=Who.NOBODY)
TIME_NOT_CHANGED = Reason("job-time-not-changed", N_("The session's time was not changed."), who=Who.NOBODY)
ACCOUNTING_NOT_KNOWN = Reason("accounting-not-known", N_("Slurm's accounting is not known now."), who=Who.NOBODY)
ACCOUNTS_NOT_KNOWN = Reason("accounts-not-known", N_("Which accounts there are is not known now."), who=Who.NOBODY)
CLUSTER_SAYS = Reason("cluster-says", N_("The cluster says: {words}"), who=Who.NOBODY)

# sbatch's refusals

# TRANSLATORS: in place of a name: "in partition (the default)"
THE_DEFAULT = Reason("the-default", N_("(the default)"), who=Who.NOBODY)
# TRANSLATORS: in place of a name
NONE = Reason("none", N_("(none)"), who=Who.NOBODY)
DEFAULT_MEMORY = Reason("default-memory", N_("the default"), who=Who.NOBODY)
MIB = Reason("amount-mib", N_("{mib} MiB"), who=Who.NOBODY)
# TRANSLATORS: in a list: "4 CPUs, memory 9000 MiB, gpu:h200:2"
MEMORY = Reason("memory-asked", N_("memory {memory}"), who=Who.NOBODY)
# TRANSLATORS: "No node of partition gpu has that feature."
THAT_FEATURE = Reason("that-feature", N_("that feature"), who=Who.NOBODY)
# TRANSLATORS: "The time asked for is longer than partition gpu allows."
THE_TIME = Reason("the-time-asked-for", N_("The time asked for"), who=Who.NOBODY)

SUBMIT_LIMIT = Reason(
    "slurm-submit-limit",
    N_("You have as many jobs in Slurm as account {account} lets you have ({limit})."),
    N_("Stop a session or a job that you no longer need, then start again."),
    label="submit-limit",
    status=409,
)
NAMED_LIMIT = Reason(
    "slurm-named-limit",
    N_("The request is above a limit of your account or QOS ({limit})."),
    N_("Choose a smaller profile or a shorter time, or ask the operators which limit you have."),
    label="limit",
    status=409,
)
SOME_LIMIT = Reason(
    "slurm-some-limit",
    N_(
        "The request is above a limit of account {account} or of its QOS: "
        "its size, its time, or the number of jobs you may have."
    ),
    N_("Stop a session that you no longer need, or choose a smaller profile or a shorter time."),
    label="limit",
    status=409,
)  # fmt: skip
NO_ACCOUNT = Reason(
    "slurm-account",
    N_("Slurm does not let you use account {account} in partition {partition}."),
    N_("Pick another project, or ask the operators to add you to this account."),
    label="account",
    status=409,
)
NO_ACCESS = Reason(
    "slurm-access",
    N_("Slurm does not let you use partition {partition}."),
    N_("Choose another profile, or ask the operators."),
    label="access",
    status=409,
)
NO_PARTITION = Reason(
    "slurm-partition",
    N_("Partition {partition} does not exist on this cluster."),
    N_("The profile names a partition that is gone: tell the operators."),
    who=Who.OPERATOR,
    label="partition",
    status=409,
)
PARTITION_DOWN = Reason(
    "slurm-partition-down",
    N_("Partition {partition} takes no jobs at the moment."),
    N_("Try later, or choose another profile."),
    label="partition-down",
    status=409,
)
NO_QOS = Reason(
    "slurm-qos",
    N_("QOS {qos} does not exist, or account {account} may not use it."),
    N_("Choose another profile, or ask the operators."),
    label="qos",
    status=409,
)
TIME_LIMIT = Reason(
    "slurm-time-limit",
    N_("{time:duration} is longer than partition {partition} allows."),
    N_("Choose a shorter time."),
    label="time-limit",
    status=409,
)
NO_GRES = Reason(
    "slurm-gres",
    N_("The cluster has no such resource as {gres}."),
    N_("Choose a profile with another GPU type."),
    label="gres",
    status=409,
)
NO_FEATURE = Reason(
    "slurm-constraint",
    N_("No node of partition {partition} has {constraint}."),
    N_("Choose another profile, or ask the operators."),
    label="constraint",
    status=409,
)
NO_MEMORY = Reason(
    "slurm-memory",
    N_("No node of partition {partition} has the memory asked for ({memory})."),
    N_("Choose a profile with less memory."),
    label="memory",
    status=409,
)
TOO_LARGE = Reason(
    "slurm-too-large",
    N_("No node of partition {partition} has all that was asked for: {size}."),
    N_("Choose a smaller profile or another GPU type."),
    label="too-large",
    status=409,
)
NO_RESERVATION = Reason(
    "slurm-reservation",
    N_("Reservation {reservation} is not there, is over, or is not for account {account}."),
    N_("Start without the reservation, or ask the trainer or the operators."),
    label="reservation",
    status=409,
)
QUEUE_FULL = Reason(
    "slurm-queue-full",
    N_("Slurm's queue is full."),
    N_("Try again in a few minutes."),
    who=Who.NOBODY,
    label="queue-full",
    status=409,
)
NO_USER = Reason(
    "slurm-user",
    N_("Slurm does not know your account."),
    N_("Ask the operators to add you to Slurm."),
    who=Who.OPERATOR,
    label="user",
    status=409,
)
REFUSED = Reason(
    "slurm-refused",
    N_("Slurm refused the job; it said: {words}"),
    N_("Do what these words say, or show them to the operators."),
    label="refused",
    status=409,
)
REFUSED_SILENTLY = Reason(
    "slurm-refused-silently",
    N_("Slurm refused the job, without a word."),
    N_("Tell the operators."),
    who=Who.OPERATOR,
    label="refused",
    status=409,
)
CANCEL_REFUSED = Reason(
    "slurm-cancel-refused",
    N_("Slurm did not cancel job {job}; it said: {words}"),
    N_("Try again, or show these words to the operators."),
    label="cancel",
    status=409,
)

# a session's directory

HOME_SLOW = Reason(
    "home-slow",
    N_("The directory {directory} did not answer within {seconds:number} s."),
    N_("The file system of home directories may be overloaded: try again in a few minutes."),
    who=Who.OPERATOR,
    status=409,
)
HOME_UNUSABLE = Reason(
    "home-unusable", N_("The directory {directory} could not be used: {why}."), label="home", status=409
)  # fmt: skip
HOME_FULL = Reason(
    "home-full",
    N_("The session's directory {directory} cannot be used: there is no space left, or your quota is used up."),
    N_("Remove files that you no longer need."),
    status=409,
)
HOME_ABSENT = Reason(
    "home-absent",
    N_("The session's directory {directory} cannot be used: the home directory {home} does not exist."),
    N_("Ask the operators to create it."),
    who=Who.OPERATOR,
    label="home",
    status=409,
)
HOME_SOMEBODY_ELSES = Reason(
    "home-somebody-elses",
    N_(
        "The session's directory {directory} cannot be used: "
        "it, or a directory on the way, belongs to somebody else."
    ),
    N_("Rename or remove what is in its place."),
    label="home",
    status=409,
)  # fmt: skip
HOME_NOT_WRITABLE = Reason(
    "home-not-writable",
    N_("The session's directory {directory} cannot be used: {account} may not write there."),
    N_("Make {home} writable for yourself ({command}), or ask the operators."),
    label="home",
    status=409,
)
HOME_IN_THE_WAY = Reason(
    "home-in-the-way",
    N_("The session's directory {directory} cannot be used: something else is in its place."),
    N_("Rename or remove it."),
    label="home",
    status=409,
)
HOME_OTHER = Reason(
    "home-other",
    N_("The session's directory {directory} cannot be used: {why}."),
    N_("Ask the operators."),
    who=Who.OPERATOR,
    label="home",
    status=409,
)
HOME_WITHOUT_REASON = Reason(
    "home-without-reason",
    N_("The session's directory {directory} cannot be used: it failed without a reason."),
    N_("Ask the operators."),
    who=Who.OPERATOR,
    label="home",
    status=409,
)
HELPER_NOT_RUN = Reason(
    "gateway-helper-not-run",
    N_("The gateway cannot run {program} as {account}: {why}."),
    N_(
        "The operators must install the hub's Python where all users can read it, "
        "and start the gateway with CAP_SETUID and CAP_SETGID."
    ),
    who=Who.OPERATOR,
    label="gateway",
    status=503,
)  # fmt: skip
CLIENT_NOT_RUN = Reason(
    "gateway-client-not-run",
    N_("{program} cannot be run: {why}."),
    N_("The operators must check slurm.bin_dir and the gateway's capabilities."),
    who=Who.OPERATOR,
    label="gateway",
    status=503,
)
CLIENT_NOT_RUN_AS = Reason(
    "gateway-client-not-run-as",
    N_("{program} cannot be run as {account}: {why}."),
    N_("The operators must check slurm.bin_dir and the gateway's capabilities."),
    who=Who.OPERATOR,
    label="gateway",
    status=503,
)

# what the gateway does not take from a hub

STRANGE_VARIABLES = Reason(
    "gateway-variables",
    N_("The hub sends the variables {names}, which the gateway does not pass on."),
    N_("The operators can name them in gateway.environment_from_hub of the site's file."),
    who=Who.OPERATOR,
    label="environment",
    status=403,
)
STRANGE_FILES = Reason(
    "gateway-files",
    N_("The hub sends the files {names}; a session's are {known}."),
    N_("Run hub and gateway of the same installation."),
    who=Who.OPERATOR,
    label="files",
    status=403,
)
NO_CATALOGUE = Reason(
    "gateway-no-catalogue",
    N_("The hub asks for datasets, but the gateway's site file has no [catalogue] section."),
    N_("The operators must give hub and gateway the same site file."),
    who=Who.OPERATOR,
    label="dataset",
    status=403,
)
NOT_THEIR_ACCOUNT = Reason(
    "gateway-not-their-account",
    N_("The hub asks for a session of {user} in account {account}, which pays for no open project of theirs."),
    N_("The accounts of their open projects: {accounts}. Operators: hub and gateway read one site file."),
    who=Who.OPERATOR,
    label="project",
    status=403,
)
OTHER_CLUSTER = Reason(
    "gateway-other-cluster",
    N_("This gateway watches one cluster and cannot follow jobs on cluster {cluster}."),
    N_("Leave req_cluster out, or run a hub with its own gateway for that cluster."),
    who=Who.OPERATOR,
    label="cluster",
)
SCRIPT_TEXT = Reason(
    "gateway-script-text",
    N_("The gateway does not take {names} from the hub."),
    N_(
        "Set gateway.script_text_from_hub = true in the gateway's site file, "
        "or move the lines to gateway.prologue."
    ),
    who=Who.OPERATOR,
    label="script-text",
)  # fmt: skip
NO_OPTION = Reason(
    "gateway-no-option",
    N_(
        "The sbatch option {option} of the hub's configuration cannot be used: "
        "it does not begin with an option."
    ),
    N_("Correct req_options in the hub's configuration."),
    who=Who.OPERATOR,
    label="options",
)  # fmt: skip
OPTION_UNREADABLE = Reason(
    "gateway-option-unreadable",
    N_("The sbatch option {option} of the hub's configuration cannot be used: {why}."),
    N_("Correct req_options in the hub's configuration."),
    who=Who.OPERATOR,
    label="options",
)
NO_SLURM_SECTION = Reason(
    "gateway-no-slurm-section",
    N_("The site's file has no [slurm] section, so there is no gateway."),
    who=Who.OPERATOR,
    label="site-file",
)
WINDOW_TOO_LONG = Reason(
    "accounting-window",
    P_(
        "A window of accounting is at most {n:number} day long.",
        "A window of accounting is at most {n:number} days long.",
    ),
    N_("Ask day by day."),
    label="malformed",
    status=422,
)
LEDGER_UNUSABLE = Reason(
    "gateway-ledger-unusable",
    N_("The gateway cannot keep what it submits: {cause}."),
    N_("Nothing was submitted. Tell the operator: the gateway's disk may be full."),
    who=Who.OPERATOR,
    label="gateway",
    status=503,
)
NOT_OF_THIS_RECORD = Reason(
    "gateway-other-record",
    N_("Job {job} of session {session} was submitted by another record than the hub's: it is not ended."),
    N_("See `fabric-hub sessions list`."),
    who=Who.OPERATOR,
    label="other-record",
    status=409,
)
