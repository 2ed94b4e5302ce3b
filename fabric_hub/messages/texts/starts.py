"""How a start fares, why it failed, and how a session came to its end."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- the steps of a start, as the waiting page says them

TAKES_NO_JOB = Reason(
    "slurm-takes-no-job",
    P_(
        "Slurm has not taken this session's job since {since:clock} (asked once): {why} "
        "It is asked again every few seconds until it answers or you cancel this start.",
        "Slurm has not taken this session's job since {since:clock} (asked {n} times): {why} "
        "It is asked again every few seconds until it answers or you cancel this start.",
    ),
    who=Who.OPERATOR,
)
OPENING = Reason("opening", N_("The server is up; opening it."), who=Who.NOBODY)
SILENT_JOB_KEPT = Reason(
    "slurm-silent-job-kept",
    N_("Slurm has not answered since {since:clock}. Nothing is lost: job {job} keeps its place."),
    who=Who.OPERATOR,
)
SILENT_START_KEPT = Reason(
    "slurm-silent-start-kept",
    N_("Slurm has not answered since {since:clock}. Nothing is lost: this start is kept until it does."),
    who=Who.OPERATOR,
)
SUBMITTING = Reason("submitting", N_("Submitting to Slurm, account {account}."), who=Who.NOBODY)
SUBMITTED = Reason("submitted", N_("Job {job} is submitted."), who=Who.NOBODY)
YOU_ARE_NEXT = Reason(
    "you-are-next", N_("You're next. Your session starts as soon as there is room in {partition}."), who=Who.NOBODY
)
JOBS_AHEAD = Reason("jobs-ahead", N_("Other jobs are ahead of yours in the queue."), who=Who.NOBODY)
SO_MANY_AHEAD = Reason(
    "so-many-jobs-ahead", P_("{n} job is ahead of you.", "{n} jobs are ahead of you."), who=Who.NOBODY
)
JOB_IN = Reason("job-in-partition", N_("Slurm job {job} · {partition}"), who=Who.NOBODY)
IN_QUEUE = Reason("in-queue", N_("Job {job} is in the queue."), who=Who.NOBODY)
EXPECTED = Reason("expected-start", N_("Expected start: {at:clock}."), who=Who.NOBODY)
PREPARING = Reason(
    "node-prepared",
    N_("Job {job} has {node}. Slurm makes the node ready (Prolog); the session has not begun."),
    who=Who.NOBODY,
)
STARTING = Reason("server-starting", N_("Starting JupyterLab on {node}."), who=Who.NOBODY)
JOB_ENDING = Reason("job-ending", N_("Job {job} is ending."), who=Who.NOBODY)
STARTING_HERE = Reason("starting-here", N_("The session's process starts on the hub's own machine."), who=Who.NOBODY)

# -- why a start failed, or a session is over

_AGAIN = N_("Start again when you like.")
JOB_GONE = Reason(
    "job-gone",
    N_("Slurm no longer knows the session's job."),
    N_("Start again; files that were saved are still there."),
    status=424,
)
IMAGE_MISSING = Reason(
    "image-missing-on-node",
    N_("Image {image} is not there on node {node}."),
    N_(
        "Choose another image, or tell the operators: fabric-hub images build {image}, in a directory that all nodes "
        "see."
    ),
    who=Who.OPERATOR,
    label="image",
    status=424,
)
IMAGE_NOT_BUILT = Reason(
    "image-not-built",
    N_("Image {image} is not built on this hub."),
    N_("Tell the operator: fabric-hub images build {image}."),
    who=Who.OPERATOR,
    label="image",
    status=424,
)
# TRANSLATORS: after "on node", where its name is not known
NODE_OF_JOB = Reason("node-of-job", N_("of the job"), who=Who.NOBODY)
NODE_TAKEN_OUT = Reason(
    "node-taken-out",
    N_(
        "Slurm could not make node {node} ready for the session and took it out of service: {why}. The session's "
        "program did not begin."
    ),
    N_("Start again: it runs on another node. Operators: the node's Prolog and slurmd's log say more."),
    who=Who.OPERATOR,
    label="node-not-ready",
    status=424,
)
NODE_NOT_READY = Reason(
    "node-not-ready",
    N_(
        "Slurm has been making node {node} ready for {seconds:number} seconds (Prolog), and the session's program did "
        "not begin."
    ),
    N_("Start again, or tell the operators: the node's Prolog and slurmd's log say more."),
    who=Who.OPERATOR,
    status=424,
)
# TRANSLATORS: after "making node", where its name is not known
THE_NODE = Reason("the-node", N_("the node"), who=Who.NOBODY)
NO_ANSWER = Reason(
    "no-answer",
    N_("The session's job ran for {seconds:number} seconds, but its server never answered."),
    N_("The log below says how far it came; try again, or tell the operator."),
    status=424,
)
PROLOGUE_FAILED = Reason(
    "prologue-failed",
    N_("What this site runs first in every session failed on node {node}, {where}."),
    N_(
        "Tell the operators: it is gateway.prologue of the site's file; the log has the command's own words. What may "
        "fail there ends in || true."
    ),
    who=Who.OPERATOR,
    label="prologue",
    status=424,
)
CANCELLED_BY = Reason(
    "cancelled-by-somebody",
    N_("The session was stopped. Its job was cancelled in Slurm by {by}, not on a page of the hub."),
    N_("Ask them why before you start again."),
    label="cancelled",
    status=424,
)
CANCELLED_BY_SELF = Reason(
    "cancelled-by-own-account",
    N_("The session was stopped. Its job was cancelled in Slurm by your own account {by}, not on a page of the hub."),
    _AGAIN,
    label="cancelled",
    status=424,
)
CANCELLED_BY_SLURM = Reason(
    "cancelled-by-slurm",
    N_(
        "The session was stopped. Its job was cancelled in Slurm by {by}, which is an administrator or Slurm itself, "
        "not on a page of the hub."
    ),
    N_("Ask the operators why, or start again."),
    who=Who.OPERATOR,
    label="cancelled",
    status=424,
)
# What to do next, where the words for a state do not say it themselves.
NEXT_CANCELLED = Reason(
    "next-cancelled", N_("Its job was cancelled in Slurm, not on a page of the hub. Start again when you like.")
)
NEXT_COMPLETED = Reason("next-completed", _AGAIN)
NEXT_FAILED = Reason("next-failed", N_("Fix the cause and start again."))
COULD_NOT_START = Reason(
    "session-could-not-start",
    N_("JupyterLab couldn't start (exit code {exit})."),
    N_("Check its log, fix the cause and try again."),
    label="failed",
    status=424,
)
PROCESS_ENDED = Reason("process-ended", N_("The session's process ended with status {status}."))
STOPPED = Reason("start-stopped", N_("The start was stopped."), label="stopped", status=409)
AFTER_RESTART = Reason(
    "unanswered-after-restart",
    N_(
        "When the hub was started again, this session's server did not answer it for a minute, so the session was "
        "ended. Files that were saved are still there."
    ),
    who=Who.OPERATOR,
)
HUB_FAULT = Reason(
    "hub-fault",
    N_("The hub made a mistake while starting this session."),
    N_("Contact support and mention the time: the hub's log has the details."),
    who=Who.OPERATOR,
    status=500,
)
NO_AUTHORITIES = Reason(
    "no-authorities",
    N_("The file of authorities that sessions trust, {path}, cannot be read: {why}."),
    N_("Tell the operators: it is hub.nodes_ca of the site's file."),
    who=Who.OPERATOR,
    label="nodes-ca",
    status=500,
)

# -- what is refused before a start

CANNOT_RUN = Reason(
    "profile-cannot-run",
    N_("Profile {profile} cannot run here: {why}"),
    N_("Choose another profile."),
    label="impossible",
    status=409,
)
NOT_FOR_USERS = Reason(
    "hub-machine-not-for-users",
    N_("Profile {profile} runs on the hub's own machine, which may not act for its users here."),
    N_("Choose a profile that runs on Slurm."),
    label="impossible",
    status=409,
)
RESCUE = Reason("rescue-offer", N_('You can still open your files in a rescue session: profile {profile} ("{title}").'))
PRESET_NAME = Reason(
    "preset-name", N_("A preset needs a name of at most {most} characters."), label="preset", status=400
)
PRESET_TOO_LARGE = Reason(
    "preset-too-large",
    N_("This choice is too large to be saved."),
    N_("Save it with fewer datasets."),
    label="preset",
    status=400,
)
PRESETS_MOST = Reason(
    "presets-most",
    N_("You can save at most {most} presets."),
    N_("Remove one first."),
    label="preset",
    status=409,
)
NEAREST_HOURS = Reason("nearest-hours", N_("In project {project}, {profile} fits for up to {time:duration}."))
NEAREST_PROFILE = Reason(
    "nearest-profile", N_("In project {project} you can have {profile} for up to {time:duration}.")
)
NOT_NOW_BUDGET = Reason("not-now-budget", N_("Not now: the budget is used up"), who=Who.OWNER)
NOT_NOW = Reason("not-now", N_("Not now: {why}"))
BUDGET_LASTS_SO_LONG = Reason("budget-lasts-so-long", N_("The budget lasts no longer."), who=Who.OWNER)
BAD_NAME = Reason(
    "bad-session-name",
    N_(
        "A session cannot be called {name}: a name has small letters, digits and single hyphens between them, at "
        "most {most} characters."
    ),
)
IN_PERSON = Reason(
    "agreement-in-person",
    N_("Only {user} can accept the agreement of dataset {dataset}, in person."),
    N_("They accept it on the hub's page Datasets, on the start page, or with their own token."),
    status=403,
)

# -- a server that is up and cannot be reached

# TRANSLATORS: where a server listens, with and without the name of its node
AT_NODE = Reason("at-node", N_("node {node}, {host} port {port}"), who=Who.NOBODY)
AT_HOST = Reason("at-host", N_("{host} port {port}"), who=Who.NOBODY)
REFUSED = Reason(
    "unreachable-refused",
    N_(
        "The session's server is up, but the hub cannot reach it on {at}: nothing accepts connections there ({detail})."
    ),
    N_(
        "Operators: the server may listen on another address of the node (FABRIC_BIND, or NodeAddr in slurm.conf), or "
        "a firewall between the hub's host and the node refuses the port."
    ),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
TIMED_OUT = Reason(
    "unreachable-timed-out",
    N_("The session's server is up, but the hub cannot reach it on {at}: it did not answer in time ({detail})."),
    N_(
        "Operators: a firewall between the hub's host and the node may drop the packets. The hub must reach the ports "
        "of sessions on every node."
    ),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
OTHER_TLS = Reason(
    "unreachable-tls",
    N_(
        "The session's server is up, but the hub cannot reach it on {at}: it answers, but not with the TLS of this hub "
        "({detail})."
    ),
    N_(
        "Operators: see that the clocks of hub and node agree, that the session's certificate names the address at "
        "which the hub reaches the node (NodeAddr in slurm.conf), and that nothing between them ends TLS."
    ),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
NO_SUCH_NAME = Reason(
    "unreachable-name",
    N_(
        "The session's server is up, but the hub cannot reach it on {at}: the hub's host cannot look up that name "
        "({detail})."
    ),
    N_("Operators: let the hub's host resolve the names of the nodes, or set NodeAddr in slurm.conf."),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
NO_WAY = Reason(
    "unreachable-no-way",
    N_("The session's server is up, but the hub cannot reach it on {at}: there is no working connection ({detail})."),
    N_("Operators: see the network, routes and firewall between the hub's host and the node."),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
ERROR_ANSWER = Reason(
    "unreachable-error",
    N_("The session's server is up, but the hub cannot reach it on {at}: it answers with an error ({detail})."),
    N_("The log below may say why; else show these words to the operators."),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
ANSWERS_NOW = Reason(
    "unreachable-for-a-while",
    N_(
        "The session's server is up, but the hub cannot reach it on {at}: it did not answer for a while, and does now "
        "({detail})."
    ),
    N_("Start again. Operators: the node, or the network to it, may be overloaded."),
    who=Who.OPERATOR,
    label="unreachable",
    status=424,
)
# TRANSLATORS: beside a session that runs, in the list of a person's sessions
NOT_REACHED_YET = Reason(
    "unreachable-goes-on",
    N_(
        "The hub has not reached this session since {since:clock}, when the hub started again. The session goes on "
        "running, and the hub keeps asking. It opens again by itself; you can also stop it."
    ),
    who=Who.OPERATOR,
)
