"""What would start sooner than a session that waits: other profiles, or fewer hours. Pure.

All of it is read from the snapshot that everybody reads. What is offered is a choice for the start form; it starts
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import waiting as texts
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, JobSpec, Snapshot
from fabric_hub.slurm.place import in_line, is_before, queue_of
from fabric_hub.slurm.reasons import kept_from

from .choice import profiles_of
from .job_spec import fit, gpus_of, profile_spec

MOST = 3  # more than these nobody compares
_HOUR_S = 3600.0
_STEP_H = 0.25
# Slurm looks for places every half minute, and a job takes a moment to be submitted.
_MARGIN_S = 300.0


class Sooner(NamedTuple):
    """A choice that would start sooner: what a button says of it, and the options that differ from the session's."""

    text: Text
    options: dict[str, str | float]


def sooner(
    settings: Settings,
    session: Session,
    job: Job,
    snapshot: Snapshot,
    *,
    spec: JobSpec | None = None,
    req: Mapping[str, Any] | None = None,
    refused: Collection[str] = (),
) -> tuple[Sooner, ...]:
    """What may start before a session whose job waits, the nearest to it first, at most :data:`MOST`.

    :param spec: the session's job, where it is known.
    :param req: the site's ``req_*`` settings for its user.
    :param refused: the profiles that a limit keeps from starting in its project.
    """
    if snapshot.nodes_at is None or snapshot.unavailable_since is not None:
        return ()
    found = [*_shorter(session, job, snapshot, spec), *_others(settings, session, snapshot, req or {}, refused)]
    return tuple(found[:MOST])


def hours_before(moment: float, now: float) -> float:
    """The hours of a session that is over before a moment (Unix seconds), in quarters of an hour; 0.0 for none."""
    return max(0.0, math.floor((moment - now - _MARGIN_S) / _HOUR_S / _STEP_H) * _STEP_H)


def _shorter(session: Session, job: Job, snapshot: Snapshot, spec: JobSpec | None) -> list[Sooner]:
    """The same for fewer hours: over before a maintenance, or before the next in line gets the nodes that are free."""
    kept = kept_from(job, snapshot)
    if kept is not None:
        if kept.starts_at <= snapshot.now:
            return []
        hours = hours_before(kept.starts_at, snapshot.now)
        said = texts.FITS_BEFORE_MAINTENANCE
        until = kept.starts_at
    else:
        starts = [
            other.started_at
            for other in queue_of(snapshot).expected
            if other.started_at and other.started_at > snapshot.now and is_before(other, job)
        ]
        if not starts or spec is None or not fit(spec, snapshot.nodes).now:
            return []
        hours, said, until = hours_before(min(starts), snapshot.now), texts.FITS_BEFORE, min(starts)
    if not _STEP_H <= hours < session.hours:
        return []
    return [Sooner(said(time=hours * _HOUR_S, until=until), {"hours": hours})]


def _others(
    settings: Settings, session: Session, snapshot: Snapshot, req: Mapping[str, Any], refused: Collection[str]
) -> list[Sooner]:
    """Other profiles of its project that find a place now, and take no more GPUs than the session does."""
    project = settings.project.get(session.project)
    if project is None:
        return []
    found: list[tuple[int, Sooner]] = []
    for name, profile in profiles_of(settings, project).items():
        skipped = (session.profile, settings.quotas.rescue_profile, *refused)
        if profile.kind != "slurm" or name in skipped:
            continue
        with suppress(FabricError):  # a setting that Slurm does not take: a start with it would be refused
            spec = profile_spec(profile, req, account=project.account)
            gpus = gpus_of(spec)
            if gpus > session.gpus or not fit(spec, snapshot.nodes).now:
                continue
            waits = any(
                other.session is None or other.session[1] != session.id
                for other in in_line(spec.partition or "", snapshot)
            )
            said = texts.HAS_ROOM if waits else texts.CAN_START
            hours = min(session.hours, profile.max_hours)
            found.append((-gpus, Sooner(said(title=profile.title or name), {"profile": name, "hours": hours})))
    return [choice for _, choice in sorted(found, key=lambda item: item[0])]
