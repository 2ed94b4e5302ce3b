"""Where the seconds of a start went. Pure."""

from __future__ import annotations

from .store import Session

PHASES = ("queue", "node", "data", "server", "ready")


def phases_of(session: Session, job_started_at: float | None, ready_at: float) -> dict[str, float]:
    """Seconds of each phase of a start that has ended well, and their ``total``.

    queue: from the hub's record of the session until Slurm started its job; node: until its
    launcher ran (Slurm keeps whole seconds, so these two are exact to one second); data:
    making datasets visible, as the launcher says; server: until it listened; ready: until
    the hub had opened it. A phase whose ends are not known is left out.
    """
    marks = session.phases or {}
    listening = session.announced_at
    launched = listening - marks["ready"] if listening is not None and "ready" in marks else None
    found: dict[str, float] = {}
    if job_started_at is not None:
        # a job that started within the second of its submission started "before" it
        started = max(job_started_at, session.created_at)
        found["queue"] = started - session.created_at
        if launched is not None:
            found["node"] = max(0.0, launched - started)
    data = marks.get("data", 0.0)
    if launched is not None and listening is not None:
        found["data"] = data
        found["server"] = max(0.0, listening - launched - data)
    if listening is not None:
        found["ready"] = max(0.0, ready_at - listening)
    found["total"] = ready_at - session.created_at
    return {name: round(seconds, 3) for name, seconds in found.items()}
