"""What is refused of a report of a problem."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason
from fabric_hub.messages.translation import N_

TOO_MANY_REPORTS = Reason(
    "too-many-reports",
    P_("You have sent {n} report in the last hour.", "You have sent {n} reports in the last hour."),
    N_("Wait a while, or write to support."),
    label="too-many",
    status=429,
)
REPORT_AGAIN = Reason(
    "report-again",
    N_("This report can no longer be sent as it was shown."),
    N_("Look at it once more and send it then."),
    label="malformed",
    status=409,
)
REPORT_WORDS = Reason(
    "report-words",
    N_("Describe the problem in 1 to {most} characters."),
    label="malformed",
)
NO_REPORT = Reason(
    "no-report",
    N_("There is no report {reference}."),
    N_("Check the reference. Reports are kept for {days} days."),
    label="report",
    status=404,
)
