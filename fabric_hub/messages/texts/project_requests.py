"""Requests for projects, and for more of one: who may ask and answer, and what became of it."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

NO_SUCH_REQUEST = Reason(
    "request-unknown",
    N_("There is no request {number}."),
    N_("Look at the list of requests."),
    status=404,
)
ANSWERED = Reason(
    "request-answered",
    N_("Request {number} is not open any more."),
    N_("Look at what became of it."),
    status=409,
)
TOO_MANY = Reason(
    "request-too-many",
    P_(
        "{user} has {n} open request, and may have no more than {most}.",
        "{user} has {n} open requests, and may have no more than {most}.",
    ),
    N_("Wait for an answer, or withdraw one."),
    status=409,
)
MORE_OPEN = Reason(
    "request-more-open",
    N_("A request for more of project {project} is open already."),
    N_("Wait for its answer, or have who asked withdraw it."),
    status=409,
)
NOT_ASKED_HERE = Reason(
    "request-not-here",
    N_("Nobody asks for projects on this hub's pages."),
    N_("Ask the operators."),
    who=Who.OPERATOR,
    status=403,
)
ELSEWHERE = Reason(
    "request-elsewhere",
    N_("Projects are asked for elsewhere at this site."),
    N_("Open {url}"),
    status=403,
)
NOT_OWNER = Reason(
    "request-not-owner",
    N_("Only owners ask for more of project {project}."),
    N_("Ask one of its owners: {owners}."),
    who=Who.OWNER,
    status=403,
)
NOTHING_ASKED = Reason(
    "request-nothing",
    N_("This request asks for nothing more than project {project} has."),
    N_("Give more GPU-hours than it has, or a later last day."),
    status=422,
)
DAY_OVER = Reason(
    "request-day-over",
    N_("{until:day} is over already."),
    N_("Choose a day that is still to come."),
    status=422,
)
NOT_OPERATOR = Reason(
    "request-not-operator",
    N_("{user} is not an operator."),
    N_("Only who stands in login.admins of the site's file answers requests."),
    who=Who.OPERATOR,
    status=403,
)
# `because` is a reason of project_changes; `command` is what does it.
NOT_FROM_HUB = Reason(
    "request-not-from-hub",
    N_("The hub may not approve request {number}: {because}."),
    N_("An operator does it on the catalogue service's machine: {command}"),
    who=Who.OPERATOR,
    status=403,
)
NO_WHY = Reason(
    "request-no-why",
    N_("Who asked is told why: write one line of at most {most} letters."),
    who=Who.OPERATOR,
    status=422,
)
NOTHING_GIVEN = Reason(
    "request-nothing-given",
    N_("This answer gives nothing."),
    N_("Give GPU-hours or a last day, or decline the request."),
    who=Who.OPERATOR,
    status=422,
)
NO_TEMPLATE = Reason(
    "request-no-template",
    N_("The site's file has no template {template}."),
    N_("Its templates: {templates}."),
    who=Who.OPERATOR,
    status=422,
)
NO_TEMPLATES = Reason(
    "request-no-templates",
    N_("The site's file has no templates of projects."),
    N_("Add one as [catalogue.templates.{template}], with a title."),
    who=Who.OPERATOR,
    status=422,
)

# what the forms want

NO_TITLE = Reason(
    "request-form-title", N_("The title is missing."), N_("Write one line of at most 200 letters."), status=422
)
NO_PURPOSE = Reason(
    "request-form-purpose",
    N_("The purpose is missing, or too long."),
    N_("Write at most {most} letters."),
    status=422,
)
NO_HOURS = Reason(
    "request-form-hours",
    N_('"{typed}" is no number of GPU-hours.'),
    N_("Write a number above 0, such as 250."),
    status=422,
)

# the state of a request

OPEN = Reason("request-open", N_("Waiting for an answer"), who=Who.OPERATOR)
GRANTED = Reason("request-granted", N_("Granted"), who=Who.NOBODY)
DECLINED = Reason("request-declined", N_("Declined"), who=Who.NOBODY)
WITHDRAWN = Reason("request-withdrawn", N_("Withdrawn"), who=Who.NOBODY)

# what was done

SENT = Reason("request-done-sent", N_("Your request was sent. Its state is shown here."), who=Who.NOBODY)
TAKEN_BACK = Reason("request-done-withdrawn", N_("Your request was withdrawn."), who=Who.NOBODY)
APPROVED = Reason("request-done-approved", N_("Approved. Project {project} has {user} as owner."), who=Who.NOBODY)
MORE_APPROVED = Reason("request-done-more", N_("Approved. Project {project} was changed."), who=Who.NOBODY)
REFUSED = Reason("request-done-declined", N_("Declined. {user} reads why."), who=Who.NOBODY)
