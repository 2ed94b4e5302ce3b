"""What ``fabric-hub usage`` says."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NO_SUCH_PROJECT = Reason(
    "usage-no-project",
    N_("There is no project {project}."),
    N_("This site has {projects}."),
    who=Who.OPERATOR,
    label="project",
)
NO_PROJECT_AT_ALL = Reason(
    "usage-no-project-at-all",
    N_("There is no project {project}."),
    N_("This site has none."),
    who=Who.OPERATOR,
    label="project",
)
NOT_COMPLETE = Reason(
    "usage-not-complete",
    N_(
        "{missing} of {days} days are not summed up, {first} is the first: the report is not complete. --now sums them"
        " up, if Slurm's database still has their jobs."
    ),
    who=Who.OPERATOR,
)
IN_PLACE_OF = Reason(
    "usage-in-place-of", N_("--last-month stands in place of --from and --to."), who=Who.OPERATOR, label="usage"
)
FROM_AFTER_TO = Reason(
    "usage-from-after-to", N_("--from {first} is after --to {last}."), who=Who.OPERATOR, label="usage"
)
STATE_DIR_UNREADABLE = Reason(
    "usage-state-dir-unreadable",
    N_("The hub's directory {path} cannot be read: {why}."),
    N_("Has the hub been started?"),
    who=Who.OPERATOR,
    label="database",
)

# -- the report

OF_PROJECT = Reason(
    "usage-of-project", N_("{title} ({project}, account {account}), {first} to {last}:"), who=Who.NOBODY
)
OF_ALL = Reason("usage-of-all", N_("All projects, {first} to {last}:"), who=Who.NOBODY)
NOT_SUMMED_UP = Reason("usage-not-summed-up", N_("Not summed up yet: {days}."), who=Who.OPERATOR)
HOURS = Reason("usage-hours", N_("{gpu} GPU-hours, {cpu} CPU-hours"), who=Who.NOBODY)
