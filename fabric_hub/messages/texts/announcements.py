"""What operators announce on the hub's pages and in JupyterLab: how an announcement is refused."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

NO_WORDS = Reason(
    "announcement-empty",
    N_("An announcement needs a text, in one language at least."),
    who=Who.OPERATOR,
    label="announcement",
)
TOO_LONG = Reason(
    "announcement-too-long",
    P_("The announcement is longer than {n} character.", "The announcement is longer than {n} characters."),
    who=Who.OPERATOR,
    label="announcement",
)
NOT_PLAIN = Reason(
    "announcement-not-plain",
    N_("The announcement has characters that cannot be shown."),
    N_("Write plain text."),
    who=Who.OPERATOR,
    label="announcement",
)
NO_LEVEL = Reason(
    "announcement-level",
    N_("The level of an announcement is one of these: {known:either}."),
    who=Who.OPERATOR,
    label="announcement",
)
NO_MOMENT = Reason(
    "announcement-moment",
    N_("{told} is no date and time."),
    N_("Write it as 2026-12-01T08:00."),
    who=Who.OPERATOR,
    label="announcement",
)
ENDS_TOO_SOON = Reason(
    "announcement-over",
    N_("The announcement would end before it begins, or is over already."),
    N_("Choose a later end."),
    who=Who.OPERATOR,
    label="announcement",
)
ENDS_TOO_LATE = Reason(
    "announcement-too-late",
    P_("An announcement stands for {n} day at most.", "An announcement stands for {n} days at most."),
    N_("Choose an earlier end."),
    who=Who.OPERATOR,
    label="announcement",
)
TOO_MANY = Reason(
    "announcements-too-many",
    P_("There is {n} announcement already.", "There are {n} announcements already."),
    N_("Delete one first."),
    who=Who.OPERATOR,
    label="announcement",
    status=409,
)
NONE_SUCH = Reason(
    "announcement-gone",
    N_("There is no such announcement."),
    N_("Reload the page."),
    label="announcement",
    status=404,
)

# on the operators' list

SHOWN = Reason("announcement-shown", N_("Shown now"), who=Who.NOBODY)
PLANNED = Reason("announcement-planned", N_("Planned"), who=Who.NOBODY)
OVER = Reason("announcement-ended", N_("Over"), who=Who.NOBODY)
