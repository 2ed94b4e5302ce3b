"""When a project is open."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

from .whom import WHOM_ITS_OWNER, WHOM_OPERATORS

# Why a project is closed today, behind its name in a list.
STARTS_ON = Reason("starts-on", N_("starts on {day:day}"), who=Who.OWNER)
ENDED_ON = Reason("ended-on", N_("ended on {day:day}"), who=Who.OWNER)
PAUSED = Reason("project-is-paused", N_("is paused: {why}"), who=Who.OWNER)

PROJECT_PAUSED = Reason(
    "project-paused",
    N_("Project {project} is paused: {why}."),
    N_("Ask {whom} when it goes on."),
    who=Who.OWNER,
    label="project-closed",
    status=403,
)
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

# Somebody is in no project that is known, or some are not counted, while not all of them are known.
NOT_KNOWN = Reason(
    "projects-not-known",
    N_("Not all projects are known now: the catalogue service has not told which it keeps."),
    N_(
        "Nothing is lost: sessions keep running, and it is tried again. "
        "Operators: fabric-hub doctor says what is missing."
    ),
    who=Who.OPERATOR,
    label="projects-not-known",
    status=503,
)
# Who is in a project as its visitor only.
ONLY_VISITOR = Reason(
    "only-visitor",
    P_(
        "You are a visitor of project {projects:list}: visitors see what it shows them, and start nothing.",
        "You are a visitor of projects {projects:list}: visitors see what they show them, and start nothing.",
    ),
    N_("Ask {whom:list} to make you a member."),
    who=Who.OWNER,
    label="project",
    status=403,
)

# Whom members can ask.
ITS_OWNER, OPERATORS = WHOM_ITS_OWNER, WHOM_OPERATORS
