"""What the service tells Prometheus: ``GET /services/fabric/metrics``, for a token with the scope ``read:metrics``.

JupyterHub's own ``/hub/metrics`` has how long starts took and why they failed; here is what is used, what is left,
what is returned, and how old that is. All is read from memory and our own record when Prometheus asks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fabric_hub.budgets.schemas import Source
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health
from fabric_hub.sessions.held import Held, HeldSessions, Why
from fabric_hub.sessions.status import standings
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Phase, Snapshot

from .tasks.review import Review

# The reason of sessions without a record of which nothing is decided.
UNDECIDED = "undecided"


class AsksHealth(Protocol):
    async def health(self) -> Health: ...


@dataclass(frozen=True)
class Observed:
    """What is known at the moment of a scrape."""

    now: float
    sessions: tuple[Session, ...]
    returned: dict[str, tuple[int, float]]
    snapshot: Snapshot | None
    limits: Limits | None
    questions: dict[str, int] | None  # None: the gateway does not answer
    held: tuple[Held, ...] = ()


class ServiceMetrics(Collector):
    """One scrape; made anew for each."""

    def __init__(self, settings: Settings, seen: Observed, source: Source, review: Review) -> None:
        self._settings, self._seen, self._source, self._review = settings, seen, source, review

    def collect(self) -> Iterable[Metric]:
        """All families."""
        yield from self._sessions()
        yield from self._budgets()
        yield from self._idle()
        yield from self._ages()
        yield from self._warnings()
        yield from self._questions()

    def _sessions(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "fabric_sessions",
            "Live sessions, by their project's kind, profile and state: queued, running, ending.",
            labels=["project_kind", "profile", "state"],
        )
        found = standings(self._seen.sessions, self._seen.snapshot)
        counts: Counter[tuple[str, str, str]] = Counter()
        for session in self._seen.sessions:
            project = self._settings.project.get(session.project)
            job = found[session.id].job
            state = job.phase.value if job else (Phase.RUNNING if session.port else Phase.QUEUED).value
            counts[project.kind if project else "gone", session.profile, state] += 1
        for labels, count in sorted(counts.items()):
            family.add_metric(list(labels), count)
        left = GaugeMetricFamily(
            "fabric_sessions_held",
            "Sessions with jobs that this hub's record does not have: they wait for an operator, by reason; undecided: "
            "it has not been looked at, or could not be ended yet.",
            labels=["reason"],
        )
        for why in Why:
            left.add_metric([why.value], sum(one.why is why for one in self._seen.held))
        left.add_metric([UNDECIDED], undecided(self._seen, self._settings.hub.id))
        yield from (family, left)

    def _budgets(self) -> Iterator[Metric]:
        used = GaugeMetricFamily(
            "fabric_project_gpu_hours_used", "GPU-hours that a project has used.", labels=["project"]
        )
        limit = GaugeMetricFamily(
            "fabric_project_gpu_hours_limit", "A project's own limit in Slurm.", labels=["project"]
        )
        left = GaugeMetricFamily(
            "fabric_project_gpu_hours_left",
            "What the limit leaves that leaves the least: its own, an account's above it, or a QOS's.",
            labels=["project"],
        )
        running = GaugeMetricFamily("fabric_project_gpus_running", "GPUs in use now.", labels=["project"])
        for name in self._settings.project:
            balance = self._source.usage(name, "").project
            if balance is None:
                continue
            used.add_metric([name], balance.used)
            running.add_metric([name], balance.running)
            if balance.limit is not None:
                limit.add_metric([name], balance.limit)
            if balance.left is not None:
                left.add_metric([name], balance.left)
        yield from (used, limit, left, running)

    def _idle(self) -> Iterator[Metric]:
        stopped = CounterMetricFamily(
            "fabric_idle_sessions_stopped", "Sessions that were stopped for being idle.", labels=["project"]
        )
        hours = CounterMetricFamily(
            "fabric_idle_gpu_hours_returned", "GPU-hours that they returned to their project.", labels=["project"]
        )
        for project, (count, returned) in sorted(self._seen.returned.items()):
            stopped.add_metric([project], count)
            hours.add_metric([project], returned)
        yield from (stopped, hours)

    def _ages(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "fabric_data_age_seconds", "Age of what is known of Slurm: jobs, nodes, limits.", labels=["of"]
        )
        snapshot, limits = self._seen.snapshot, self._seen.limits
        for of, at in (
            ("jobs", snapshot.jobs_at if snapshot else None),
            ("nodes", snapshot.nodes_at if snapshot else None),
            ("limits", limits.at if limits else None),
        ):
            if at is not None:
                family.add_metric([of], max(0.0, self._seen.now - at))
        yield family

    def _warnings(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("fabric_quota_warnings", "Warnings in force, by level.", labels=["level"])
        counts = Counter(one.level for one in self._review.in_force)
        for level in ("info", "warning", "danger"):
            family.add_metric([level], counts[level])
        failures = CounterMetricFamily(
            "fabric_hook_failures", "Times that the site's hook failed, since the service began."
        )
        failures.add_metric([], self._review.hook_failures)
        yield from (family, failures)

    def _questions(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("fabric_gateway_up", "1 while the gateway answers the service, else 0.")
        up.add_metric([], float(self._seen.questions is not None))
        family = CounterMetricFamily(
            "fabric_slurm_questions",
            "Questions asked of Slurm since the gateway began, by program.",
            labels=["program"],
        )
        for program, count in sorted((self._seen.questions or {}).items()):
            family.add_metric([program], count)
        yield from (up, family)


def undecided(seen: Observed, hub_id: str) -> int:
    """How many jobs have this hub's names, a session that is not live on its record, and that is not held either."""
    known = {session.id for session in seen.sessions} | {one.session for one in seen.held}
    over = (Phase.ENDING, Phase.ENDED)
    jobs = seen.snapshot.jobs if seen.snapshot and seen.snapshot.jobs_at is not None else ()
    ours = {job.session[1] for job in jobs if job.phase not in over and job.session and job.session[0] == hub_id}
    return len(ours - known)


async def seen(
    store: SessionStore, snapshot: Snapshot | None, limits: Limits | None, gateway: AsksHealth | None
) -> Observed:
    """Look at everything once; a gateway that does not answer is no error."""
    questions: dict[str, int] | None = None
    if gateway is not None:
        try:
            questions = (await gateway.health()).questions
        except FabricError:
            questions = None
    held = HeldSessions(store.engine).all()
    return Observed(time.time(), tuple(store.live_all()), store.returned(), snapshot, limits, questions, held)
