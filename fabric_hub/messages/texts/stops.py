"""Sessions that an operator ends: what their people read, before and afterwards, and how an order is refused."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# to the person whose session it is; {why} is in the operator's own words
ENDS_BY_OPERATOR = Reason(
    "ends-by-operator", N_("An operator ends this session at {at:clock}: {why}"), who=Who.OPERATOR
)
ENDED_BY_OPERATOR = Reason("ended-by-operator", N_("An operator ended this session: {why}"), who=Who.OPERATOR)
# TRANSLATORS: in a list of sessions, as short as can be
SHORT_BY_OPERATOR = Reason("short-by-operator", N_("Ended {at:clock} · ended by an operator: {why}"), who=Who.OPERATOR)
NOT_EXTENDED = Reason(
    "stop-not-extended",
    N_("An operator ends this session: it gets no more time."),
    N_("Save your work; you can start again on the hub's page."),
    who=Who.OPERATOR,
    label="extend",
    status=403,
)

# to the same person, who is no longer in the session's project
ENDS_BY_LEAVING = Reason(
    "ends-by-leaving",
    N_("You are no longer in project {project}: this session ends at {at:clock}, and open notebooks are being saved."),
    who=Who.OWNER,
)
ENDED_BY_LEAVING = Reason(
    "ended-by-leaving",
    N_("You are no longer in project {project}, so this session ended. Your files stay in your home directory."),
    who=Who.OWNER,
)
# TRANSLATORS: in a list of sessions, as short as can be
SHORT_BY_LEAVING = Reason(
    "short-by-leaving", N_("Ended {at:clock} · you are no longer in project {project}"), who=Who.OWNER
)
LEFT_NOT_EXTENDED = Reason(
    "left-not-extended",
    N_("You are no longer in project {project}: this session gets no more time."),
    N_("Save your work; its owners know why."),
    who=Who.OWNER,
    label="extend",
    status=403,
)

# to operators: what was done
ORDERED = Reason("stop-ordered", N_("Session {name} of {user} ends at {at:clock}."), who=Who.NOBODY)
WITHDRAWN = Reason("stop-withdrawn", N_("Session {name} of {user} goes on."), who=Who.NOBODY)
LISTED = Reason(
    "stop-listed", N_("{ordered:clock}  {operator}: session {session} ends at {due:clock}: {why}"), who=Who.NOBODY
)
LISTED_WITHDRAWN = Reason("stop-listed-withdrawn", N_("Withdrawn at {at:clock} by {operator}."), who=Who.NOBODY)
LISTED_NONE = Reason("stops-none", N_("No session was to be ended by an operator."), who=Who.NOBODY)

# why an order is refused
NO_REASON = Reason(
    "stop-no-reason",
    N_("A stop needs a reason, which the session's person reads."),
    N_("Write one line of plain text."),
    who=Who.OPERATOR,
    label="reason",
    status=400,
)
REASON_TOO_LONG = Reason(
    "stop-reason-too-long",
    P_("The reason is longer than {n} character.", "The reason is longer than {n} characters."),
    N_("Write one line of plain text."),
    who=Who.OPERATOR,
    label="reason",
    status=400,
)
REASON_NOT_PLAIN = Reason(
    "stop-reason-not-plain",
    N_("The reason has characters that cannot be shown."),
    N_("Write one line of plain text."),
    who=Who.OPERATOR,
    label="reason",
    status=400,
)
NO_SUCH_NOTICE = Reason(
    "stop-no-such-notice",
    N_("A stop's notice is one of these: {known:either} minutes."),
    who=Who.OPERATOR,
    label="notice",
    status=400,
)
NOTICE_UNREADABLE = Reason(
    "stop-notice-unreadable",
    N_("A notice of {told} is none."),
    N_("Write minutes, as 15m, up to {most:duration}."),
    who=Who.OPERATOR,
    label="usage",
    status=400,
)
NO_LIVE_SESSION = Reason(
    "stop-no-session",
    N_("No session {session} is running or waiting."),
    N_("It may have ended. Reload the page."),
    who=Who.OPERATOR,
    label="session",
    status=404,
)
NO_STOP = Reason(
    "stop-none",
    N_("No operator ends session {session}."),
    N_("It may have ended, or somebody withdrew the stop."),
    who=Who.OPERATOR,
    label="session",
    status=404,
)
