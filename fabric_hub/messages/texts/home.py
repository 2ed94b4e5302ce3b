"""The page Sessions: how a person's sessions fare, and what is lost with one that they stop."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# the state of a session, in one word or two

RUNNING = Reason("home-running", N_("Running"), who=Who.NOBODY)
QUEUED = Reason("home-queued", N_("Queued"), who=Who.NOBODY)
STARTING = Reason("home-starting", N_("Starting"), who=Who.NOBODY)
STOPPING = Reason("home-stopping", N_("Stopping"), who=Who.NOBODY)
RECONNECTING = Reason("home-reconnecting", N_("Reconnecting (up to a minute)"), who=Who.NOBODY)

# what it has cost, and what its GPUs do

GPU_HOURS_SO_FAR = Reason(
    "home-gpu-hours", P_("{amount:hours} GPU-hour so far", "{amount:hours} GPU-hours so far"), who=Who.NOBODY
)
CPU_HOURS_SO_FAR = Reason(
    "home-cpu-hours", P_("{amount:hours} CPU-hour so far", "{amount:hours} CPU-hours so far"), who=Who.NOBODY
)
# TRANSLATORS: what the session itself reported, which nobody checks
GPU_USE = Reason("home-gpu-use", N_("GPU {share:percent}, the session reports"), who=Who.NOBODY)

# what is lost with a session that somebody stops

CELLS_RUN = Reason("home-cells-run", P_("A cell is running.", "{n} cells are running."))
OTHERS_RUN = Reason("home-others-run", N_("A terminal or a Dask cluster is at work."))
UNSAVED = Reason("home-unsaved", P_("1 file has unsaved changes.", "{n} files have unsaved changes."))
RUNS_UNKNOWN = Reason("home-runs-unknown", N_("It isn't known whether anything is running."))
UNSAVED_UNKNOWN = Reason("home-unsaved-unknown", N_("It isn't known whether all files are saved."))
ALL_UNKNOWN = Reason(
    "home-all-unknown", N_("It isn't known whether anything is running or unsaved: the session hasn't said so lately.")
)
PLACE_LOST = Reason("home-place-lost", N_("It loses its place in the queue."))

# how one ended

SHORT_STOPPED = Reason("short-stopped", N_("Ended {at:clock} · stopped"), who=Who.NOBODY)
SHORT_FAILED = Reason("short-failed", N_("Ended {at:clock} · did not start"), who=Who.NOBODY)

# budgets

HOURS_LEFT = Reason("home-hours-left", N_("{left:hours} of {limit:hours} GPU-hours left"), who=Who.NOBODY)
HOURS_LEFT_OF = Reason("home-hours-left-of", N_("{left:hours} GPU-hours left, of {whose}"), who=Who.NOBODY)
NO_LIMIT = Reason("home-no-limit", N_("No limit on GPU-hours"), who=Who.NOBODY)
LASTS = Reason("home-lasts", N_("lasts to {at:day}"), who=Who.NOBODY)
USED_UP = Reason("home-used-up", N_("used up"), who=Who.OWNER)
TREND = Reason(
    "home-trend",
    N_("GPU-hours per day in 28 days: {total:hours} in all, {most:hours} at most, on {day:day}"),
    who=Who.NOBODY,
)
TREND_NONE = Reason("home-trend-none", N_("Nothing used in 28 days"), who=Who.NOBODY)

# a name

NO_ENDED_SESSION = Reason(
    "no-ended-session",
    N_("You have no ended session {session}."),
    N_("Reload the page."),
    label="session",
    status=404,
)
NOT_CONTINUED = Reason(
    "not-continued",
    N_("You have no running session {session}, or it is being continued."),
    N_("Reload the page."),
    label="session",
    status=404,
)
LOGIN_AGAIN = Reason("login-again", N_("You are logged out."), N_("Log in again."), label="login", status=403)
