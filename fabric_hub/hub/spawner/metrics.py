"""What the hub's /hub/metrics says about sessions (Prometheus, beside JupyterHub's own metrics)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

START_SECONDS = Histogram(
    "fabric_session_start_seconds",
    "Seconds of each phase of starts that ended well: queue, node, data, server, ready and their total.",
    ["phase", "profile"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400, float("inf")),
)
FAILURES = Counter(
    "fabric_session_failures_total", "Sessions that were refused, did not start, or ended by themselves.", ["reason"]
)
SNAPSHOT_AGE = Gauge("fabric_snapshot_age_seconds", "Age of what the hub knows of Slurm's jobs; -1 when it knows none.")
SLURM_SILENT = Gauge("fabric_slurm_silent", "1 while Slurm does not answer, else 0.")

UNREACHED = Gauge(
    "fabric_sessions_unreached",
    "Sessions of an earlier hub that go on running and that the hub has not reached since it started.",
)


def record_start(profile: str, phases: dict[str, float]) -> None:
    """Count one start that ended well."""
    for phase, seconds in phases.items():
        START_SECONDS.labels(phase=phase, profile=profile).observe(seconds)


def record_failure(reason: str) -> None:
    """Count one refusal or failure by its reason."""
    FAILURES.labels(reason=reason).inc()
