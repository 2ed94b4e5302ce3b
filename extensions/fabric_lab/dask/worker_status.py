"""How a cluster's workers fare, as the hub says it, and how a notebook shows that: reasons, cost, what went wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import quote

from ..answers import ClusterStatus, LateWorkers
from ..client import HubClient, HubError
from ..common.formats import amount, fixed, number, upcoming
from ..common.translation import _, ngettext, sentences
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
        answer = await asyncio.to_thread(self._service.ask, "/clusters")
        self.problem = answer.problem
        if answer.body is None:
            return None
        offer = cast("ClusterOffer", answer.body)
        self.session_ends_at = offer.get("session_ends_at")
        if offer.get("unavailable_since") is not None or offer.get("age_s") is None:
            self.problem = _("Slurm does not answer the hub.")
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


class Problem(NamedTuple):
    """What went wrong with a worker.

    ``kind``: "stays" (its results have no other place), "refused" (it could not be submitted), "ended" (its job has,
    before the worker was there), "unbegun" (its job has, before its program began). ``said`` is Slurm's word on it, the
    hub's, or the end of the job's log.
    """

    kind: Literal["stays", "refused", "ended", "unbegun"]
    job: Place | None = None
    said: str = ""

    def sentence(self, workers: Sequence[str]) -> str:
        """It in words.

        :param workers: the names of all whose problem this is, at least one.
        """
        count, name, job = len(workers), workers[0], self.job
        if self.kind == "refused":
            return ngettext(
                "Worker {name} could not be submitted: {said}", "{n} workers could not be submitted: {said}", count
            ).format(name=name, n=number(count), said=self.said)
        if self.kind == "stays":
            text = ngettext(
                "Worker {name} stays while its results are wanted: no other worker has room for them.",
                "{n} workers stay while their results are wanted: no other worker has room for them.",
                count,
            )
        elif self.kind == "ended":
            text = ngettext(
                "Worker {name} (job {job}) ended before it was there.",
                "{n} workers (job {job}) ended before they were there.",
                count,
            )
        else:
            text = ngettext(
                "Worker {name} (job {job}) ended before its program began.",
                "{n} workers (job {job}) ended before their program began.",
                count,
            )
        return sentences(text.format(name=name, n=number(count), job=job), self.said)


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


def worker_state(
    connected: bool, failed: bool, *, seen: bool, submitted: bool, phase: str | None
) -> Literal["running", "starting", "queued", "lost"]:
    """How a worker that shall be fares. Pure.

    :param failed: it could not be submitted, or its job ended before it was there.
    :param seen: it was connected before.
    :param submitted: it has a job.
    :param phase: what Slurm says of that job; None while nothing is known.
    """
    if connected:
        return "running"
    if failed:
        return "lost"
    if phase == "queued" or not submitted:  # a job that Slurm has put back in its queue waits as a new one does
        return "queued"
    return "lost" if seen or phase == "ended" else "starting"


def waiting(status: Mapping[str, Any] | ClusterStatus, *, beside_counts: bool = False) -> list[str]:
    """One sentence for each kind of workers that are not there.

    :param beside_counts: how many start and how many are queued is said beside it: only what says more.
    """
    kinds: dict[tuple[str, str, str], int] = {}
    for worker in status.get("workers", ()):
        if not worker["address"]:
            kind = _waits(worker, status.get("jobs") or (), status.get("session_ends_at"))
            kinds[kind] = kinds.get(kind, 0) + 1
    return [
        sentences(template.format(count=number(count), time=at), why)
        for (template, at, why), count in kinds.items()
        if at or why or not beside_counts
    ]


def _waits(worker: Mapping[str, Any], jobs: Iterable[WorkerJob], session_ends_at: float | None) -> tuple[str, str, str]:
    """How one worker waits, how long, and why: a sentence with {count} and {time}, the time, and more sentences."""
    records = _records(worker["job"], jobs)
    for known in records:
        if known["phase"] == "queued":
            starts = known["starts_at"]
            if not starts:
                return _("{count} queued."), "", known["why"]
            at = upcoming(starts, time.time())
            if _too_late(starts, session_ends_at):
                return _("{count} queued until {time}, after this session ends."), at, ""
            return _("{count} queued until {time}."), at, known["why"]
    if worker.get("state") == "lost":
        return _("{count} lost."), "", _("The cluster starts others in their place.")
    if not worker.get("begun", True) and any(known["phase"] == "running" for known in records):
        return _("{count} starting."), "", _("Slurm makes the node ready (Prolog).")
    return _("{count} queued.") if worker.get("state") == "queued" else _("{count} starting."), "", ""


def _too_late(starts: float | None, session_ends_at: float | None) -> bool:
    return bool(starts) and session_ends_at is not None and cast("float", starts) >= session_ends_at


def late(status: Mapping[str, Any] | ClusterStatus) -> list[LateWorkers]:
    """By pool, the workers that Slurm expects to start when the session is over."""
    ends_at, jobs = status.get("session_ends_at"), status.get("jobs") or ()
    of_pool: dict[str, list[bool]] = {}
    for worker in status.get("workers", ()):
        queued = [known for known in _records(worker["job"], jobs) if known["phase"] == "queued"]
        too_late = not worker["address"] and any(_too_late(known["starts_at"], ends_at) for known in queued)
        of_pool.setdefault(worker["pool"], []).append(too_late)
    return [
        LateWorkers(pool=pool, count=sum(flags), keep=len(flags) - sum(flags))
        for pool, flags in of_pool.items()
        if any(flags)
    ]


def _records(place: str | None, jobs: Iterable[WorkerJob]) -> list[WorkerJob]:
    """What the hub says of a worker's task ("12_0"); a task that was put back in the queue has an older record, too."""
    if place is None:
        return []
    job, task = place.split("_")
    return [known for known in jobs if str(known["array_id"]) == job and int(task) in tasks_of(known["tasks"])]


def explained(problems: Mapping[str, Problem], jobs: Iterable[WorkerJob]) -> dict[str, Problem]:
    """The problems of workers, with what befell their nodes where that is known by now."""
    known = [*jobs]
    found = {}
    for name, problem in problems.items():
        if problem.kind == "unbegun":
            ended = (one["why"] for one in _records(str(problem.job), known) if one["phase"] == "ended")
            problem = problem._replace(said=next(ended, ""))
        found[name] = problem
    return found


def told(problems: Mapping[str, Problem]) -> dict[str, str]:
    """Problems by worker in words, those that are the same in one sentence, under the first worker's name."""
    same: dict[Problem, list[str]] = {}
    for name, problem in problems.items():
        same.setdefault(problem, []).append(name)
    return {names[0]: problem.sentence(names) for problem, names in same.items()}


def tasks_of(notation: str) -> list[int]:
    """Slurm's "0-2,5" as numbers."""
    tasks: list[int] = []
    for part in notation.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            tasks += range(int(first), int(last if last.isdigit() else first) + 1)
    return tasks


def cost(status: Mapping[str, Any] | ClusterStatus) -> str:
    """ "4 GPU-hours per hour · 0.80 so far"; CPU-hours where no GPU was used. "" while nothing is known."""
    used = status.get("used")
    if not used:
        return ""
    if used["gpu_hours"] or used["gpus"]:
        return _so_far(used["gpus"], "GPU", used["gpu_hours"])
    return _so_far(used["cpus"], "CPU", used["cpu_hours"])


def _so_far(per_hour: float, kind: str, used: float) -> str:
    return _("{hours} per hour · {used} so far").format(hours=amount(per_hour, kind), used=fixed(used, 2))


def in_all(pools: Iterable[tuple[Pool, int]]) -> str:
    """What workers of several pools take per hour together; "" where they are all of one, whose own cost says it.

    :param pools: each with how many workers it shall have. Those with a GPU are counted by that alone.
    """
    there = [(pool, count) for pool, count in pools if count]
    gpus = sum(pool.gpus * count for pool, count in there)
    cpus = sum(pool.cpus * count for pool, count in there if not pool.gpus)
    if len(there) < 2:
        return ""
    if gpus and cpus:
        return _("All workers of the cluster then cost {gpu_hours} and {cpu_hours} per hour.").format(
            gpu_hours=amount(gpus, "GPU"), cpu_hours=amount(cpus, "CPU")
        )
    return _("All workers of the cluster then cost {hours} per hour.").format(
        hours=amount(gpus, "GPU") if gpus else amount(cpus, "CPU")
    )


def lines(status: Mapping[str, Any] | ClusterStatus) -> list[tuple[str, str]]:
    """(name, text) of what a person wants to know."""
    found = [(_("Waiting"), sentence) for sentence in waiting(status)]
    if text := cost(status):
        found.append((_("Use"), text))
    found += [(_("Problem"), text) for text in status.get("problems", {}).values()]
    if status.get("said"):
        found.append((_("The cluster says"), status["said"]))
    if status.get("hub"):
        found.append((_("Hub"), status["hub"]))
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
    mode = _("Scaling mode: Manual")
    if adaptive:
        maximum = adaptive["maximum"]
        mode = (
            _("Scaling mode: Adaptive ({pool}: {minimum} to any number)")
            if maximum is None
            else _("Scaling mode: Adaptive ({pool}: {minimum} to {maximum})")
        ).format(pool=adaptive["pool"], minimum=adaptive["minimum"], maximum=maximum)
    count = _("Workers: {count}").format(count=here if here == wanted else f"{here} / {wanted}")
    return (
        f'<table><tr><td style="text-align: left;">{escape(mode)}</td></tr>'
        f'<tr><td style="text-align: left;">{escape(count)}</td></tr>{rows(status)}</table>'
    )
