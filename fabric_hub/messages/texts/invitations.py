"""Invitations to a project: what keeps one from being made or accepted, and what became of it."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# -- made and withdrawn

OVER_ALREADY = Reason(
    "invitation-over-already",
    N_("The last day of the invitation would be {until:day}, which is over."),
    N_("Choose today or a later day."),
    status=422,
)
TOO_MANY_OPEN = Reason(
    "invitation-too-many",
    N_("Project {project} has {most} open invitations, and no more can be made."),
    N_("Withdraw those that nobody needs, or make one for several people."),
    who=Who.OWNER,
    status=409,
)
SAME_CODE = Reason(
    "invitation-same-code", N_("There is an invitation with this code already."), N_("Make another one."), status=409
)
NO_SUCH_INVITATION = Reason(
    "invitation-not-there",
    N_("Project {project} has no invitation {invitation}."),
    N_("Look at the list of its invitations."),
    label="invitation-unknown",
    status=404,
)
NOT_WAITING = Reason(
    "invitation-not-waiting",
    N_("{user} does not wait for project {project}."),
    N_("Look at its page again: somebody may have decided."),
    label="invitation-unknown",
    status=404,
)

# -- presented

UNKNOWN = Reason(
    "invitation-unknown",
    N_("This invitation is not known here."),
    N_("Open the whole link that you were sent, or ask whoever sent it for a new one."),
    status=404,
)
WITHDRAWN = Reason(
    "invitation-withdrawn",
    N_("This invitation was withdrawn."),
    N_("Ask whoever sent it for a new one."),
    label="invitation-closed",
    status=410,
)
EXPIRED = Reason(
    "invitation-expired",
    N_("This invitation could be accepted until {until:day}."),
    N_("Ask whoever sent it for a new one."),
    label="invitation-closed",
    status=410,
)
USED_UP = Reason(
    "invitation-used-up",
    N_("This invitation was accepted as often as it allows."),
    N_("Ask whoever sent it for one of your own."),
    label="invitation-closed",
    status=410,
)
TURNED_AWAY = Reason(
    "invitation-turned-away",
    N_("You accepted this invitation, and an owner of the project did not let you in."),
    N_("Ask whoever sent it to you."),
    label="invitation-closed",
    status=403,
)
REMOVED = Reason(
    "invitation-removed",
    N_("You were taken out of this project since the invitation was made."),
    N_("Ask an owner of the project for a new one."),
    label="invitation-closed",
    status=403,
)
MAIL_MISSING = Reason(
    "invitation-mail-missing",
    N_("This invitation is for people with a mail address at {domain}, and no address came with your login."),
    N_("Log in at the institution that gave you that address, or ask whoever sent the invitation for another one."),
    label="invitation-mail",
    status=403,
)
MAIL_OTHER = Reason(
    "invitation-mail-other",
    N_("This invitation is for people with a mail address at {domain}, and yours is at {yours}."),
    N_("Log in at the institution that gave you that address, or ask whoever sent the invitation for another one."),
    label="invitation-mail",
    status=403,
)
INVITER_MAY_NOT = Reason(
    "invitation-inviter-may-not",
    N_("Whoever made this invitation may not invite people to the project any more."),
    N_("Ask an owner of the project for a new one."),
    label="invitation-closed",
    status=403,
)
TOO_OFTEN = Reason(
    "invitation-too-often",
    N_("You have tried invitations too often."),
    N_("Wait a few minutes, and open the link again."),
    label="too-often",
    status=429,
)
NONE_HERE = Reason(
    "invitation-none-here",
    N_("This browser has no invitation."),
    N_("Open the link that you were sent, in this browser, and log in within an hour."),
    status=404,
)

# -- what was done

MADE = Reason(
    "invitation-made",
    N_("The invitation is made. Send this link to whom you invite: it is shown only now."),
    who=Who.NOBODY,
)
WITHDRAWN_NOW = Reason("invitation-withdrawn-now", N_("The invitation was withdrawn."), who=Who.NOBODY)
TURNED_AWAY_NOW = Reason("invitation-turned-away-now", N_("{user} was not let in."), who=Who.NOBODY)
NO_LIST = Reason(
    "invitation-no-list",
    N_("The invitations cannot be shown now: the catalogue service does not answer."),
    N_("Reload the page in a moment."),
    who=Who.OPERATOR,
    status=503,
)
NO_USES = Reason(
    "invitation-form-no-uses", N_('"{typed}" is no number of people.'), N_("Write a number from 1 to 1000.")
)
NO_UNTIL = Reason(
    "invitation-form-no-until", N_("An invitation needs a last day."), N_("Write it like 2027-01-31."), status=422
)
NO_DOMAIN = Reason(
    "invitation-form-no-domain",
    N_('"{typed}" is no domain of mail addresses.'),
    N_("Write what stands after the @, like example.org, or leave it empty."),
)

# -- where somebody's role comes from

BY_INVITATION = Reason("source-invitation", N_("By an invitation of {by}"), who=Who.NOBODY)
BY_SOMEBODY = Reason("source-added", N_("Added by {by}"), who=Who.NOBODY)
BY_COMMAND = Reason("source-command", N_("At the command line, by {by}"), who=Who.NOBODY)
BY_COMMAND_INVITATION = Reason(
    "source-command-invitation", N_("By an invitation that {by} made at the command line"), who=Who.NOBODY
)
