"""What the service refuses by itself: who calls, what a site does not have, and what the hub says to it."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- who calls

NO_TOKEN = Reason(
    "no-token",
    N_("This needs a valid token of the hub."),
    N_("Send it as: Authorization: token TOKEN."),
    label="token",
    status=401,
)
OTHER_SCOPE = Reason(
    "token-of-other-scope",
    N_("This token is not for this service."),
    N_("It needs the scope {scope}."),
    label="scope",
    status=403,
)
SESSIONS_ONLY = Reason(
    "sessions-only",
    N_("This is for a session's own token only."),
    N_("Call it from inside a session."),
    label="scope",
    status=403,
)
PERSONS_ONLY = Reason(
    "persons-only",
    N_("This is for a person's own token; a session's token knows its own project only."),
    N_("A session asks for /session/quota."),
    label="scope",
    status=403,
)
IN_PERSON_ONLY = Reason(
    "in-person-only",
    N_("This is for a person's own token, with all that they may do; a session's token may not."),
    N_("Make a token on the hub's page API tokens, or use the hub's page Datasets."),
    label="scope",
    status=403,
)
PROMETHEUS_ONLY = Reason(
    "prometheus-only",
    N_("This is for Prometheus."),
    N_("It needs a token with the scope {scope}."),
    who=Who.OPERATOR,
    label="scope",
    status=403,
)
SESSION_OVER = Reason("session-over", N_("This session is over."), status=410)
OTHER_PORT = Reason(
    "session-announced",
    N_("Session {session} has already announced another port."),
    who=Who.NOBODY,
    label="announced",
    status=409,
)

# -- what a site does not have

NO_DATASETS = Reason(
    "hub-without-datasets", N_("This hub offers no datasets."), label="no-datasets", who=Who.OPERATOR, status=404
)
NO_QUOTAS = Reason("no-quotas", N_("This hub does not keep track of usage."), who=Who.OPERATOR, status=404)
NO_PROJECT = Reason(
    "no-such-project",
    N_("You are in no project {project}."),
    N_("GET /projects lists those that you are in."),
    status=404,
)
NO_SUCCESSOR = Reason("no-successor", N_("This session has no successor."), status=404)

# -- a request that is none

MALFORMED = Reason("malformed", N_("The request is malformed."), status=422)
MALFORMED_AT = Reason("malformed-at", N_("The request is malformed at {fields}."), label="malformed", status=422)
NOT_FOUND = Reason("no-such-path", N_("Not Found."), label="not-found", status=404)
NO_SUCH_VERB = Reason("no-such-verb", N_("Method Not Allowed."), label="method-not-allowed", status=405)
NO_PAGE = Reason("no-such-page", N_("There is no such page."), label="not-found", status=404)
TOO_LARGE = Reason("too-large", N_("The request is larger than {kib} KiB."), status=413)
NO_METRICS = Reason("no-metrics", N_("This service has no metrics."), who=Who.OPERATOR, status=404)
SERVICE_SILENT = Reason(
    "service-silent",
    N_("The hub's service does not answer."),
    N_("Try again soon."),
    who=Who.NOBODY,
    label="service",
    status=503,
)

# -- workers of Dask clusters, and datasets of a session

QUESTIONS_WAIT = Reason(
    "questions-wait",
    P_(
        "{n} question of this session waits for an answer already.",
        "{n} questions of this session wait for an answer already.",
    ),
    N_("Ask again in a second."),
    label="busy",
    status=429,
)
TOO_MANY_WORKERS = Reason(
    "too-many-workers",
    N_("{workers} workers are too many for one cluster."),
    N_("It may have {most}."),
    label="too-many",
    status=409,
)
TOO_MANY_DATASETS = Reason(
    "too-many-datasets",
    N_("Session {session} has {most} datasets, the most that one may have."),
    N_("Drop one first."),
    label="too-many",
    status=409,
)

# -- a session that goes on in another one

HUB_SILENT = Reason(
    "hub-silent",
    N_("The hub does not answer."),
    N_("Try again in a moment."),
    who=Who.NOBODY,
    label="hub",
    status=503,
)
HUB_REFUSED = Reason("hub-refused", N_("The hub refused it (HTTP {status})."), who=Who.NOBODY)
CONTINUE_ELSE = Reason("continue", N_("Save your work; you can start again on the hub's page."))
SUCCESSOR_BEGINS = Reason("successor-begins", N_("Session {name} is being started."), who=Who.NOBODY)
SUCCESSOR_STARTS = Reason("successor-starts", N_("Session {name} is starting."), who=Who.NOBODY)
SUCCESSOR_READY = Reason("successor-ready", N_("Session {name} is ready."), who=Who.NOBODY)
SUCCESSOR_WAITS = Reason("successor-waits", N_("Session {name} waits in the queue."), who=Who.NOBODY)
SUCCESSOR_NOT_READY = Reason(
    "successor-not-ready",
    N_("Session {name} is not ready yet, so this one goes on."),
    N_("Ask again when it is."),
    label="not-ready",
    status=409,
)
CONTINUED_IN = Reason("continued-in", N_("You continued in session {name}."), who=Who.NOBODY)
NOT_CARRIED = Reason("memory-not-carried", N_("Variables are not kept: run your cells again."), who=Who.NOBODY)
NOT_CARRIED_FILES = Reason(
    "memory-not-carried-files",
    P_(
        "Variables are not kept; {n} file is opened again.",
        "Variables are not kept; {n} files are opened again.",
    ),
    who=Who.NOBODY,
)
