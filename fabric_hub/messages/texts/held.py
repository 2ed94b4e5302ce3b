"""Sessions that run and that the hub does not know to be its own: what is said of them, and what operators may do."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# to the person whose session it is
RUNS = Reason(
    "held-runs",
    N_("A session of yours runs that this hub has no record of: job {job} on node {node}."),
    who=Who.OPERATOR,
)
WAITS = Reason(
    "held-waits", N_("A session of yours waits that this hub has no record of: job {job}."), who=Who.OPERATOR
)
UNSURE = Reason(
    "held-unsure",
    N_("A session of yours cannot be opened now, and nothing has ended it: job {job}."),
    who=Who.OPERATOR,
)
UNTIL = Reason("held-until", N_("It ends by itself at {ends:clock}."), who=Who.NOBODY)
CAN_RETURN = Reason("held-can-return", N_("Ask the operators: they can let you open it again."), who=Who.OPERATOR)
CANNOT_RETURN = Reason(
    "held-cannot-return", N_("It cannot be opened again; what it computes goes on until it ends."), who=Who.NOBODY
)
END_YOURSELF = Reason("held-end-yourself", N_("You can end it from a login node: scancel {job}"))

# to operators
HELD = Reason(
    "held-sessions",
    P_(
        "{n} session runs that this hub does not know to be its own; it is left alone.",
        "{n} sessions run that this hub does not know to be its own; they are left alone.",
    ),
    N_("Decide what becomes of them: fabric-hub sessions list"),
    who=Who.OPERATOR,
)
OTHER_RECORD = Reason(
    "held-other-record",
    N_("It was submitted by a record that this hub does not have: a lost one, a newer one, or another hub's."),
    who=Who.OPERATOR,
)
LISTED = Reason("held-listed", N_("{session}  {user}  job {job}  {project}  {profile}"), who=Who.OPERATOR)
LISTED_ON = Reason(
    "held-listed-on", N_("{session}  {user}  job {job} on {node}  {project}  {profile}"), who=Who.OPERATOR
)
NO_WITNESS = Reason("held-no-witness", N_("It is from before the gateway kept what it submits."), who=Who.OPERATOR)
MANY = Reason("held-many", N_("The hub would end it, and more than a few at once."), who=Who.OPERATOR)
NONE = Reason("held-none", N_("Every session that runs is on the hub's record."), who=Who.NOBODY)

# why one cannot be opened again
NOT_KEPT = Reason(
    "held-not-kept",
    N_("The gateway has not kept what is needed to open it again: it can only be ended, or left to its end."),
    who=Who.OPERATOR,
)
NO_PORT = Reason(
    "held-no-port",
    N_("The gateway was not told where its server listens: it can only be ended, or left to its end."),
    who=Who.OPERATOR,
)
IS_OVER = Reason("held-over", N_("Its job is over."), who=Who.NOBODY)
ON_RECORD = Reason(
    "held-on-record",
    N_("It is on the hub's record, and JupyterHub refuses it: it can only be ended, or left to its end."),
    who=Who.OPERATOR,
)

# what the command did, or would do
WOULD_ADOPT = Reason("held-would-adopt", N_("Session {session} of {user} would be taken up again."), who=Who.OPERATOR)
ADOPTED = Reason("held-adopted", N_("Session {session} of {user} is on record; the hub takes it up."), who=Who.NOBODY)
NOT_ADOPTED = Reason("held-not-adopted", N_("Session {session} of {user} is not taken up."), who=Who.OPERATOR)
WOULD_END = Reason("held-would-end", N_("Session {session} of {user} would be ended."), who=Who.OPERATOR)
ENDED = Reason("held-has-ended", N_("Session {session} of {user} is ended."), who=Who.NOBODY)
NOT_ENDED = Reason("held-not-ended", N_("Session {session} of {user} is not ended."), who=Who.OPERATOR)
DRY = Reason("held-dry", N_("Nothing was done. Add --yes to do it."), who=Who.OPERATOR)
UNKNOWN_SESSIONS = Reason(
    "held-unknown-session",
    N_("No session of that name is left alone: {names}."),
    N_("See `fabric-hub sessions list`."),
    who=Who.OPERATOR,
    label="usage",
)
NAME_SOME = Reason("held-name-some", N_("Name the sessions, or say --all."), who=Who.OPERATOR, label="usage")
ENDED_BY_OPERATOR = Reason("held-ended", N_("An operator ended this session, of which the hub was not sure."))
