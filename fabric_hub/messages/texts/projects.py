"""Who is in a project, when it is open, and whom its members can ask."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# Whom to ask, as the parameter ``whom``; to an owner it is the operators: see projects.membership.said_to.
# TRANSLATORS: after "Ask", of a project that was named before
ITS_OWNER = Reason("its-owner", N_("its owner"), who=Who.OWNER)
# TRANSLATORS: after "Ask"
OPERATORS = Reason("operators", N_("the operators"), who=Who.OPERATOR)

# Why a project is closed today, behind its name in a list.
STARTS_ON = Reason("starts-on", N_("starts on {day:day}"), who=Who.OWNER)
ENDED_ON = Reason("ended-on", N_("ended on {day:day}"), who=Who.OWNER)

PROJECT_STARTS_ON = Reason(
    "project-starts-on",
    N_("Project {project} starts on {day:day}."),
    N_("Ask {whom} to start it earlier."),
    who=Who.OWNER,
    label="project-closed",
    status=403,
)
PROJECT_ENDED_ON = Reason(
    "project-ended-on",
    N_("Project {project} ended on {day:day}."),
    N_("Ask {whom} to extend it."),
    who=Who.OWNER,
    label="project-closed",
    status=403,
)
