"""What people are told by the outbox: headings, what a mail says beside the notice, and dates that change."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# in the subject of a mail and above a notice on a page

HEADING_PROJECT_END = Reason("notice-heading-project-end", N_("End of project {name}"), who=Who.NOBODY)
HEADING_BUDGET = Reason("notice-heading-budget", N_("Budget of project {name}"), who=Who.NOBODY)
HEADING_STORAGE = Reason("notice-heading-storage", N_("Storage is nearly full"), who=Who.NOBODY)
HEADING_STOP = Reason("notice-heading-stop", N_("An operator ends a session"), who=Who.NOBODY)
HEADING_DATASET = Reason("notice-heading-dataset", N_("Your request for dataset {name}"), who=Who.NOBODY)
FOOTER = Reason(
    "notice-footer",
    N_("{site} sent this mail. What you were told, and a switch that turns mail off: {page}"),
    who=Who.NOBODY,
)

# dates that change

END_MOVED = Reason("notice-end-moved", N_("Project {project} now ends on {day:day}."), who=Who.NOBODY)
END_GONE = Reason("notice-end-gone", N_("Project {project} has no end any more."), who=Who.NOBODY)
END_NOT_YOURS = Reason(
    "notice-end-not-yours",
    N_("You are no longer in project {project}: its end leaves your calendar."),
    who=Who.NOBODY,
)

# sessions that an operator ends

STOPS = Reason(
    "notice-stop", N_("An operator ends your session {session} at {at:clock}: {why} Save your work."), who=Who.OPERATOR
)
STOPPED = Reason("notice-stopped", N_("An operator ended your session {session}: {why}"), who=Who.OPERATOR)
GOES_ON = Reason("notice-stop-withdrawn", N_("Your session {session} goes on: no operator ends it."), who=Who.NOBODY)

# requests for datasets

ASKED = Reason(
    "notice-dataset-asked",
    N_("You asked for dataset {dataset} for project {project}. You are told here when it is answered."),
    who=Who.NOBODY,
)
GRANTED = Reason(
    "notice-dataset-granted", N_("Project {project} may use dataset {dataset}, as you asked."), who=Who.NOBODY
)
GRANTED_UNTIL = Reason(
    "notice-dataset-granted-until",
    N_("Project {project} may use dataset {dataset} until {day:day}, as you asked."),
    who=Who.NOBODY,
)
DECLINED = Reason(
    "notice-dataset-declined",
    N_("Your request for dataset {dataset} for project {project} was declined."),
    N_("You can ask again on the dataset's page."),
    who=Who.PERSON,
)
DECLINED_WHY = Reason(
    "notice-dataset-declined-why",
    N_("Your request for dataset {dataset} for project {project} was declined: {why}"),
    N_("You can ask again on the dataset's page."),
    who=Who.PERSON,
)
