"""More time for a session that runs: what limits, site or Slurm do not allow."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

LESS_TIME = Reason("ask-for-less-time", N_("Ask for less time, or save your work and continue in a new session."))
MORE_TIME_PARTITION = Reason(
    "more-time-partition",
    N_("Partition {partition} allows a job at most {longest:duration}."),
    N_("Ask for less time, or save your work and continue in a new session."),
    label="partition",
    status=403,
)
MORE_TIME_BUDGET = Reason(
    "more-time-budget",
    N_(
        "{scope:capital} has {left} left ({used}): "
        "running jobs may take {to_come}, and this asks for {asked} more."
    ),
    N_("Ask for less time, or save your work and continue in a new session. Or ask {whom} for more."),
    label="budget",
    status=403,
)  # fmt: skip
MORE_TIME_TO_COME = Reason(
    "more-time-to-come",
    N_("{scope:capital} allows running jobs {limit} to come: they have {to_come}, and this asks for {asked} more."),
    N_("Ask for less time, or save your work and continue in a new session."),
    status=403,
)
MORE_TIME_NOT_IN_ACCOUNT = Reason(
    "more-time-not-in-account",
    N_("Slurm has no {user} in account {account} any more."),
    N_("Ask for less time, or save your work and continue in a new session."),
    who=Who.OPERATOR,
    label="extend",
    status=403,
)
MORE_TIME_LIMITS_UNKNOWN = Reason(
    "more-time-limits-unknown",
    N_("The session's time was not changed: Slurm's limits are not known at present."),
    who=Who.NOBODY,
    label="slurm-unavailable",
    status=503,
)

# what the site, the session or Slurm itself does not allow

SESSIONS_NOT_EXTENDED = Reason(
    "more-time-never",
    N_("Sessions can't be extended here."),
    N_("Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
LONGEST_SESSION = Reason(
    "more-time-longest",
    N_("No session of this site may be longer than {longest:duration}."),
    N_("Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
JOB_DOES_NOT_RUN = Reason("more-time-no-job", N_("The session's job does not run."), label="extend", status=409)
OTHER_ACCOUNT = Reason(
    "more-time-other-account",
    N_("Job {job} is in account {found}; its session was started in {wanted}."),
    N_("Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
OTHER_PARTITION = Reason(
    "more-time-other-partition",
    N_("Job {job} is in partition {found}; its session was started in {wanted}."),
    N_("Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
ITS_RESERVATION_ENDS = Reason(
    "more-time-its-reservation",
    N_("Its reservation {reservation} ends at {ends:clock}."),
    N_("Ask for less time. Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
NODE_IS_RESERVED = Reason(
    "more-time-node-reserved",
    N_("Node {node} is reserved from {begins:clock} on (reservation {reservation})."),
    N_("Ask for less time. Save your work, and continue in a new session."),
    label="extend",
    status=403,
)
NO_RIGHT_TO_EXTEND = Reason(
    "more-time-no-right",
    N_("Slurm does not let a running job have more time here."),
    N_(
        "Save your work, and continue in a new session. "
        "Operators: slurm.extend needs an account that is Operator in Slurm."
    ),
    label="extend",
    status=403,
)  # fmt: skip
EXTEND_REFUSED = Reason(
    "more-time-refused",
    N_("Slurm gives job {job} no more time; it said: {words}"),
    N_("Save your work, and continue in a new session."),
    label="extend",
    status=409,
)
CONTINUE_INSTEAD = Reason("continue-instead", N_("Save your work, and continue in a new session."))
