"""When a session ends, what is left of budgets and storage, and sessions that nobody uses."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- when a session ends

ENDS_BY_LIMIT = Reason("ends-by-limit", N_("This session ends at {at:clock} (time limit)."), who=Who.NOBODY)
ENDS_BY_RESERVATION = Reason(
    "ends-by-reservation", N_("This session ends at {at:clock} (end of its reservation)."), who=Who.NOBODY
)
ENDS_AFTER_RESERVATION = Reason(
    "ends-after-reservation",
    N_("This session ends at {at:clock}: Slurm lets it go on for {over:short} after its reservation."),
    who=Who.NOBODY,
)
ENDS_BY_PROJECT = Reason(
    "ends-by-project",
    N_("This session ends at {at:clock}: its project ends then, too; nothing new starts in it."),
    who=Who.OWNER,
)
ENDS_AT_LATEST = Reason(
    "ends-at-latest",
    N_("This session ends at {at:clock} at the latest; the end of its reservation is not known yet."),
    who=Who.NOBODY,
)

# -- why it cannot be longer

_CONTINUE = N_("Save your work, and continue in a new session.")
NO_END = Reason(
    "extend-no-end", N_("Its job does not run, or has no time limit."), _CONTINUE, label="extend", status=403
)
END_NOT_KNOWN = Reason(
    "extend-end-not-known", N_("This session's end is not known."), _CONTINUE, label="extend", status=403
)
NOT_OFFERED = Reason(
    "extend-not-offered", N_("Sessions can't be extended here."), _CONTINUE, label="extend", status=403
)
NO_TIME_LIMIT = Reason("extend-no-time-limit", N_("Its job has no time limit."), _CONTINUE, label="extend", status=403)
PROFILE_GONE = Reason(
    "extend-profile-gone",
    N_("The profile of this session is no longer offered."),
    _CONTINUE,
    label="extend",
    status=403,
)
PROFILE_ALLOWS = Reason(
    "extend-profile-allows",
    N_("This session cannot be longer: its profile allows at most {most:duration}."),
    _CONTINUE,
    label="extend",
    status=403,
)
PROJECT_ENDS = Reason(
    "extend-project-ends",
    N_("This session cannot be longer: its project ends at {at:clock}."),
    _CONTINUE,
    who=Who.OWNER,
    label="extend",
    status=403,
)
RESERVATION_ENDS = Reason(
    "extend-reservation-ends",
    N_("This session cannot be longer: its reservation ends at {at:clock}."),
    _CONTINUE,
    label="extend",
    status=403,
)
TOO_MANY_MINUTES = Reason(
    "extend-too-many-minutes",
    P_(
        "This session can have at most {n} minute more, not {minutes}.",
        "This session can have at most {n} minutes more, not {minutes}.",
    ),
    N_("Ask for less, or continue in a new session."),
    label="extend",
    status=403,
)
NO_SLURM = Reason("extend-no-slurm", N_("There is no Slurm here to ask for more time."), label="extend", status=403)
EXTENDED = Reason("extended", N_("This session now ends at {at:clock}."), who=Who.NOBODY)

# -- how long a budget lasts

OF_PROJECT = Reason("budget-of-project", N_("the budget of project {project}"), who=Who.NOBODY)
OF_USER = Reason("budget-of-user", N_("your budget in project {project}"), who=Who.NOBODY)
ABOVE_PROJECT = Reason(
    "budget-above-project", N_("the budget of {limit}, which limits project {project},"), who=Who.NOBODY
)
ABOVE_PROFILES = Reason(
    "budget-above-profiles",
    P_(
        "the budget of {limit}, which limits profile {profiles} of project {project},",
        "the budget of {limit}, which limits profiles {profiles} of project {project},",
    ),
    who=Who.NOBODY,
)
BUDGET_USED_UP = Reason(
    "budget-is-used-up",
    N_("{title:capital} has run out: {used:hours} of {limit:hours} GPU-hours are used. Ask {whom} for more."),
    who=Who.OWNER,
)
BUDGET_LASTS = Reason(
    "budget-lasts",
    N_(
        "{title:capital} lasts until {until:day} at the present rate: {left:hours} of {limit:hours} GPU-hours are "
        "left, {rate:hours} a day are used."
    ),
    who=Who.OWNER,
)
BUDGET_IN_USE = Reason(
    "budget-in-use",
    P_(
        "{title:capital} lasts until {until:day} at the present rate: {left:hours} of {limit:hours} GPU-hours are "
        "left, and the job that runs now may take all of them.",
        "{title:capital} lasts until {until:day} at the present rate: {left:hours} of {limit:hours} GPU-hours are "
        "left, and jobs that run now on {n:number} GPUs may take all of them.",
    ),
    who=Who.OWNER,
)
LIMITS_NOT_KNOWN = Reason("limits-not-known", N_("Slurm's limits are not known yet."), who=Who.NOBODY)

# -- storage

SPACE = Reason("storage-space", N_("space"), who=Who.NOBODY)
FILES = Reason("storage-files", N_("number of files"), who=Who.NOBODY)
PATH_OF_PROJECT = Reason("storage-of-project", N_("{path}, the quota of project {project}"), who=Who.NOBODY)
PATH_OF_A_PROJECT = Reason("storage-of-a-project", N_("{path}, a project's quota"), who=Who.NOBODY)
STORAGE_FULL = Reason(
    "storage-full",
    N_("{title} ({where}) is {share:percent} full by {what}. Remove what is no longer needed, or ask for more."),
)

# -- idle sessions

BUSY = Reason("idle-busy", N_("Not idle: something runs in it."), who=Who.NOBODY)
GPU_NOT_READ = Reason("idle-gpu-not-read", N_("Not idle: the use of its GPUs cannot be read."), who=Who.NOBODY)
GPU_IN_USE = Reason("idle-gpu-in-use", N_("Not idle: a GPU is {use:percent} in use."), who=Who.NOBODY)
# TRANSLATORS: " since 17:35" comes after it
QUIET = Reason("idle-quiet", N_("No cell runs"))
# TRANSLATORS: " since 17:35" comes after it
QUIET_GPUS = Reason("idle-quiet-gpus", N_("No cell runs and no GPU is above {percent:number}%"))
IDLE = Reason(
    "idle",
    N_(
        "No cell runs since {since:clock}. This session is stopped at {at:clock} if that stays so. "
        "Run something to keep it."
    ),
)
IDLE_GPUS = Reason(
    "idle-gpus",
    N_(
        "No cell runs and no GPU is above {percent:number}% since {since:clock}. This session is stopped at "
        "{at:clock} if that stays so. Run something to keep it."
    ),
)
IDLE_STOPPED = Reason(
    "idle-stopped",
    P_("It was idle for {n} minute, so it was stopped.", "It was idle for {n} minutes, so it was stopped."),
)
IDLE_RETURNED = Reason(
    "idle-returned", N_("That returned {hours:hours} GPU-hours to project {project}."), who=Who.NOBODY
)
START_AGAIN = Reason("idle-start-again", N_("Start again when you like; files that were saved are still there."))
