"""How many more workers may run at the same time, by Slurm's own limits. Pure.

The limits are those of :mod:`.check`, and in the same order; here it is counted how often something fits below them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts
from fabric_hub.messages.texts import limits as texts

from .amounts import count, hours_of, jobs_of
from .chain import LimitScope
from .check import at_once, counts, told_of
from .request import JobRequest


class Headroom(WithTexts):
    """How many of the workers that are asked for may run now, and which limit keeps the others waiting (empty: none).

    ``submit`` of them may be submitted at all, by limit ``refused_by``: Slurm refuses more than that.
    """

    now: int
    held_by: Said = NOTHING
    submit: int
    refused_by: Said = NOTHING


def room(scopes: Sequence[LimitScope], worker: JobRequest, wanted: int, per_job: int = 1) -> Headroom:
    """Room for more workers below everybody's limits.

    :param scopes: see :func:`~fabric_hub.slurm.limits.chain.limit_chain`.
    :param worker: what one worker takes.
    :param wanted: how many more.
    :param per_job: how many of them share a job.
    """
    now, held_by, submit, refused_by = wanted, NOTHING, wanted, NOTHING
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


_Fits = Iterator[tuple[str, int, Text, bool]]


def _resources(scope: LimitScope, worker: JobRequest) -> _Fits:
    for bounds, who in at_once(scope, worker):
        for tres, bound in bounds.items():
            each = worker.tres.get(tres, 0)
            if bound.limit is not None and each:
                limit = count(bound.limit, tres)
                words = told_of(texts.AT_ONCE_ROOM, who, scope=scope.name, limit=limit, n=bound.used)
                yield f"{who} {tres}", (bound.limit - bound.used) // each, words, False

    for tres, bound in scope.limits.grp_tres_run_mins.items():
        each = worker.tres.get(tres, 0) * worker.minutes
        if bound.limit is not None and each:
            limit, used = hours_of(bound.limit, tres), hours_of(bound.used, tres)
            words = texts.TO_COME_WAITS(scope=scope.name, limit=limit, used=used)
            yield f"to come {tres}", (bound.limit - bound.used) // each, words, False


def _jobs(scope: LimitScope, worker: JobRequest, per_job: int) -> _Fits:
    for who, running, submitted in counts(scope, worker):
        if running.limit is not None:
            limit = jobs_of(running.limit)
            words = told_of(texts.JOBS_ROOM, who, scope=scope.name, limit=limit, n=running.used)
            yield f"jobs {who}", (running.limit - running.used) * per_job, words, False
        if submitted.limit is not None:
            limit = jobs_of(submitted.limit)
            words = told_of(texts.SUBMITTED_ROOM, who, scope=scope.name, limit=limit, n=submitted.used)
            yield f"submit {who}", (submitted.limit - submitted.used) * per_job, words, True
