"""How many more workers may run at the same time, by Slurm's own limits. Pure.

The limits are those of :mod:`.check`, and in the same order; here it is counted how often something fits below them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric_hub.messages.formats import are
from fabric_hub.types import Frozen

from .amounts import capital, count, hours_of, jobs_of
from .chain import LimitScope
from .check import at_once, counts
from .request import JobRequest


class Headroom(Frozen):
    """How many of the workers that are asked for may run now, and which limit keeps the others waiting ("" for none).

    ``submit`` of them may be submitted at all, by limit ``refused_by``: Slurm refuses more than that.
    """

    now: int
    held_by: str = ""
    submit: int
    refused_by: str = ""


def room(scopes: Sequence[LimitScope], worker: JobRequest, wanted: int, per_job: int = 1) -> Headroom:
    """Room for more workers below everybody's limits.

    :param scopes: see :func:`~fabric_hub.slurm.limits.chain.limit_chain`.
    :param worker: what one worker takes.
    :param wanted: how many more.
    :param per_job: how many of them share a job.
    """
    now, held_by, submit, refused_by = wanted, "", wanted, ""
    taken: set[str] = set()  # what a QOS has limited is not asked of associations
    for scope in scopes:
        before = set(taken)
        for key, fits, words, final in (*_resources(scope, worker), *_jobs(scope, worker, per_job)):
            if key in before:
                continue
            if scope.kind == "qos":
                taken.add(key)
            if final and fits < submit:
                submit, refused_by = max(0, fits), words
            elif not final and fits < now:
                now, held_by = max(0, fits), words
    return Headroom(now=now, held_by=held_by, submit=submit, refused_by=refused_by)


_Fits = Iterator[tuple[str, int, str, bool]]


def _resources(scope: LimitScope, worker: JobRequest) -> _Fits:
    for bounds, whom, taken in at_once(scope, worker):
        for tres, bound in bounds.items():
            each = worker.tres.get(tres, 0)
            if bound.limit is not None and each:
                allowed = f"{capital(scope.name)} allows {count(bound.limit, tres)} {whom}"
                words = f"{allowed}, and {bound.used} {are(bound.used)} {taken}."
                yield f"{whom} {tres}", (bound.limit - bound.used) // each, words, False

    for tres, bound in scope.limits.grp_tres_run_mins.items():
        each = worker.tres.get(tres, 0) * worker.minutes
        if bound.limit is not None and each:
            allowed = f"{capital(scope.name)} allows running jobs {hours_of(bound.limit, tres)} to come"
            words = f"{allowed}, and those that run have {hours_of(bound.used, tres)}."
            yield f"to come {tres}", (bound.limit - bound.used) // each, words, False


def _jobs(scope: LimitScope, worker: JobRequest, per_job: int) -> _Fits:
    for whom, running, submitted in counts(scope, worker):
        if running.limit is not None:
            words = (
                f"{capital(scope.name)} allows {jobs_of(running.limit)} {whom}, and "
                f"{running.used} {are(running.used)} running."
            )
            yield f"jobs {whom}", (running.limit - running.used) * per_job, words, False
        if submitted.limit is not None:
            words = (
                f"{capital(scope.name)} allows {jobs_of(submitted.limit)} {whom}, running or waiting, and there"
                f" {are(submitted.used)} {submitted.used}."
            )
            yield f"submit {whom}", (submitted.limit - submitted.used) * per_job, words, True
