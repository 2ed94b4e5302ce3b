"""How a cluster's workers fare, as the hub says it, and how a notebook shows that: reasons, cost, what went wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, cast
from urllib.parse import quote

from ..answers import ClusterStatus
from ..client import HubClient, HubError
from ..schema import ClusterOffer, Quote, WorkerJob
from .pools import Place, Pool

# The hub's own snapshot is a few seconds old; asking it more often would tell nothing new.
KEEP_S = 5.0
# What the hub answers when such workers cannot be had: not in this project, not on these nodes, not so many.
REFUSALS = frozenset({403, 409})


class Hub:
    """The service's word on one cluster's jobs.

    :param service: what :func:`..client.credentials` has taken of the notebook's environment; the token among it came
        to the daemon on its standard input.
    """

    def __init__(self, cluster: str, service: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._service = HubClient(service)
        self._asked = 0.0
        self._jobs: list[WorkerJob] | None = None
        self._lock = asyncio.Lock()
        self.problem = ""
        self.session_ends_at: float | None = None

    async def jobs(self, fresh_s: float = KEEP_S) -> list[WorkerJob] | None:
        """The cluster's jobs, not older than so many seconds; None while nothing can be known."""
        async with self._lock:
            if time.monotonic() - self._asked >= fresh_s:
                self._jobs = await self._ask()
                self._asked = time.monotonic()
            return self._jobs

    async def _ask(self) -> list[WorkerJob] | None:
        body, self.problem, _ = await asyncio.to_thread(self._service.ask, "/clusters")
        if body is None:
            return None
        offer = cast("ClusterOffer", body)
        self.session_ends_at = offer.get("session_ends_at")
        if offer.get("unavailable_since") is not None or offer.get("age_s") is None:
            self.problem = "Slurm does not answer the hub."
            return None
        return [job for job in offer["jobs"] if job["cluster"] == self._cluster]

    async def quote(self, profile: str, workers: int, have: int, submitted: int, per_job: int) -> str:
        """What so many workers of a profile cost and wait for, in words; "" while the hub does not say.

        :param have: so many of them run already.
        :param submitted: so many run, or wait for their job.
        :param per_job: up to so many share a job.
        :raises HubError: it refuses: they cannot be had.
        """
        path = f"/clusters/quote?profile={quote(profile, safe='')}&workers={workers}&have={have}"
        path += f"&submitted={submitted}&per_job={per_job}"
        answer = await asyncio.to_thread(self._service.ask, path)
        if answer.status in REFUSALS:
            raise HubError(answer.problem, answer.status)
        return cast("Quote", answer.body)["words"] if answer.body is not None else ""

    async def states(self) -> dict[Place, str] | None:
        """The phase of every task of the cluster's arrays, or None while nothing can be known."""
        jobs = await self.jobs()
        return None if jobs is None else phases(jobs)


def phases(jobs: Iterable[WorkerJob]) -> dict[Place, str]:
    """(array, task) -> "queued", "running", "ending" or "ended", from the service's list of jobs. Pure."""
    found: dict[Place, str] = {}
    for job in jobs:
        if job["array_id"] is None:  # none of a cluster's
            continue
        for task in tasks_of(job["tasks"]):
            place = Place(job["array_id"], task)
            # a task that was requeued has an older, ended record too
            if found.get(place) in (None, "ended"):
                found[place] = job["phase"]
    return found


def waiting(status: Mapping[str, Any] | ClusterStatus) -> list[str]:
    """One sentence for each kind of workers that are not there yet."""
    absent = [worker for worker in status.get("workers", ()) if not worker["address"]]
    reasons: dict[str, int] = {}
    for worker in absent:
        why = _why(worker, status.get("jobs") or (), status.get("session_ends_at"))
        reasons[why] = reasons.get(why, 0) + 1
    return [f"{count} waiting: {why}" if why else f"{count} starting" for why, count in reasons.items()]


def _why(worker: Mapping[str, Any], jobs: Iterable[WorkerJob], session_ends_at: float | None) -> str:
    records = _records(worker["job"], jobs)
    for known in records:
        if known["phase"] == "queued":
            starts = known["starts_at"]
            when = f" Slurm expects it at {_clock(starts)}." if starts else ""
            if starts and session_ends_at and starts >= session_ends_at:
                when += f" That is too late: this session ends at {_clock(session_ends_at)}, and the cluster with it."
            return f"{known['why']}{when}"
    if not worker.get("begun", True) and any(known["phase"] == "running" for known in records):
        return "Slurm makes the node ready (Prolog)."
    return ""


def _records(place: str | None, jobs: Iterable[WorkerJob]) -> list[WorkerJob]:
    """What the hub says of a worker's task ("12_0"); a task that was put back in the queue has an older record, too."""
    if place is None:
        return []
    job, _, task = place.partition("_")
    return [known for known in jobs if str(known["array_id"]) == job and int(task) in tasks_of(known["tasks"])]


def explained(problems: Mapping[str, str], unbegun: Mapping[str, object], jobs: Iterable[WorkerJob]) -> dict[str, str]:
    """The problems of workers, with what befell their nodes where that is known by now.

    :param unbegun: the places of those whose job ended before its program began.
    """
    known = [*jobs]
    whys = {name: next((one["why"] for one in _records(str(place), known) if one["phase"] == "ended"), "")
            for name, place in unbegun.items()}  # fmt: skip
    return {name: f"{text} {whys.get(name, '')}".strip() for name, text in problems.items()}


def _clock(moment: float) -> str:
    """The time of day here, in a zone that is named; with the date when that is another day."""
    then = time.localtime(moment)
    return time.strftime("%H:%M %Z" if then[:3] == time.localtime()[:3] else "%H:%M %Z on %d %B", then)


def grouped(problems: Mapping[str, str]) -> dict[str, str]:
    """Problems by worker, those that are the same in one sentence, under the first worker's name."""
    same: dict[str, list[str]] = {}
    for name, text in problems.items():
        same.setdefault(text.removeprefix(f"Worker {name} "), []).append(name)
    return {
        names[0]: problems[names[0]] if len(names) == 1 else f"{len(names)} workers {rest}"
        for rest, names in same.items()
    }


def tasks_of(notation: str) -> list[int]:
    """Slurm's "0-2,5" as numbers."""
    tasks: list[int] = []
    for part in notation.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            tasks += range(int(first), int(last if last.isdigit() else first) + 1)
    return tasks


def cost(status: Mapping[str, Any] | ClusterStatus) -> str:
    """ "0.8 GPU-hours so far, 4 per hour now"; CPU-hours where no GPU was used. "" while nothing is known."""
    used = status.get("used")
    if not used:
        return ""
    if used["gpu_hours"] or used["gpus"]:
        return f"{used['gpu_hours']:.2f} GPU-hours so far, {used['gpus']} per hour now"
    return f"{used['cpu_hours']:.2f} CPU-hours so far, {used['cpus']:g} per hour now"


def in_all(pools: Iterable[tuple[Pool, int]]) -> str:
    """What workers of several pools take per hour together; "" where they are all of one, whose own cost says it.

    :param pools: each with how many workers it shall have. Those with a GPU are counted by that alone.
    """
    there = [(pool, count) for pool, count in pools if count]
    gpus = sum(pool.gpus * count for pool, count in there)
    cpus = sum(pool.cpus * count for pool, count in there if not pool.gpus)
    hours = [
        f"{count:g} {kind}-hour{'' if count == 1 else 's'}" for count, kind in ((gpus, "GPU"), (cpus, "CPU")) if count
    ]
    return f"All workers of the cluster then cost {' and '.join(hours)} per hour." if len(there) > 1 else ""


def lines(status: Mapping[str, Any] | ClusterStatus) -> list[tuple[str, str]]:
    """(name, text) of what a person wants to know."""
    found = [("Waiting", sentence) for sentence in waiting(status)]
    if text := cost(status):
        found.append(("Use", text))
    found += [("Problem", text) for text in status.get("problems", {}).values()]
    if status.get("said"):
        found.append(("The cluster says", status["said"]))
    if status.get("hub"):
        found.append(("Hub", status["hub"]))
    return found


def rows(status: Mapping[str, Any] | ClusterStatus) -> str:
    """The same as rows of the cluster's table in HTML."""
    return "".join(
        f'<tr><td style="text-align: left;" colspan="2"><strong>{escape(name)}:</strong> {escape(text)}</td></tr>'
        for name, text in lines(status)
    )


def scaling(status: Mapping[str, Any] | ClusterStatus, here: int) -> str:
    """The widget's table of how the cluster is scaled, in HTML."""
    wanted = len(status.get("workers", ()))
    adaptive = status.get("adaptive")
    mode = "Manual"
    if adaptive:
        most = adaptive["maximum"] if adaptive["maximum"] is not None else "any number"
        mode = f"Adaptive ({adaptive['pool']}: {adaptive['minimum']} to {most})"
    count = str(here) if here == wanted else f"{here} / {wanted}"
    return (
        f'<table><tr><td style="text-align: left;">Scaling mode: {escape(mode)}</td></tr>'
        f'<tr><td style="text-align: left;">Workers: {count}</td></tr>{rows(status)}</table>'
    )
