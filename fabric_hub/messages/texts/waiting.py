"""What the waiting page says beside the step that a start is at: headings, estimates, and what would start sooner."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# TRANSLATORS: headings of the waiting page, and the beginning of its tab's title
WAITING_FOR_GPU = Reason("waiting-for-gpu", P_("Waiting for a GPU", "Waiting for {n} GPUs"), who=Who.NOBODY)
WAITING_IN_QUEUE = Reason("waiting-in-queue", N_("Waiting in the queue"), who=Who.NOBODY)
WAITING_FOR_MAINTENANCE = Reason("waiting-for-maintenance", N_("Waiting until the maintenance is over"), who=Who.NOBODY)
WAITING_FOR_SLURM = Reason("waiting-for-slurm", N_("Waiting for Slurm"), who=Who.NOBODY)
HEAD_SUBMITTING = Reason("heading-submitting", N_("Submitting your session"), who=Who.NOBODY)
HEAD_SUBMITTED = Reason("heading-submitted", N_("Submitted to Slurm"), who=Who.NOBODY)
HEAD_PREPARING = Reason("heading-preparing", N_("Preparing {node}"), who=Who.NOBODY)
HEAD_STARTING = Reason("heading-starting", N_("Starting JupyterLab on {node}"), who=Who.NOBODY)
HEAD_STARTING_HERE = Reason("heading-starting-here", N_("Starting JupyterLab"), who=Who.NOBODY)
HEAD_OPENING = Reason("heading-opening", N_("Opening JupyterLab"), who=Who.NOBODY)
HEAD_ENDING = Reason("heading-ending", N_("Your session is ending"), who=Who.NOBODY)

# TRANSLATORS: what an expected start rests on, after "Expected 18:46 (in 42 min)"
BY_SLURM = Reason("estimate-by-slurm", N_("estimate by Slurm, improves when others end early"), who=Who.NOBODY)
BY_RESERVATION = Reason("estimate-by-reservation", N_("your reservation {reservation} begins then"), who=Who.NOBODY)
BY_MAINTENANCE = Reason("estimate-by-maintenance", N_("the maintenance {reservation} is over then"), who=Who.NOBODY)

# TRANSLATORS: two sessions of which one is to run; {name} is the other one
PAIRED = Reason(
    "waits-in-pair", N_("{name} waits, too. Whichever starts first stays, and the other is cancelled."), who=Who.NOBODY
)
PAIRED_PAGE = Reason("waits-in-pair-page", N_("Show {name}"), who=Who.NOBODY)
STARTED_FIRST = Reason("started-first", N_("It started first: {name} was cancelled."), who=Who.NOBODY)
SHORT_OTHER_STARTED = Reason("short-other-started", N_("Cancelled {at:clock} · {name} started first"), who=Who.NOBODY)

# TRANSLATORS: on the button that starts a second session, which waits beside this one
CAN_START = Reason("sooner-can-start", N_("{title} · can start now"))
HAS_ROOM = Reason("sooner-has-room", N_("{title} · has room now"))
FITS_BEFORE = Reason("sooner-fits-before", N_("{time:duration} only: fits before {until:soon}"))
FITS_BEFORE_MAINTENANCE = Reason(
    "sooner-fits-before-maintenance", N_("{time:duration} only: ends before the maintenance, {until:soon}")
)

TOO_MANY_STREAMS = Reason(
    "too-many-waiting-pages",
    N_("You have {n} waiting pages open, as many as are kept up to date. Close one, then reload this page."),
    status=429,
)
