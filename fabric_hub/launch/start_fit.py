"""For how long each profile may be started in a project, what that costs, and the nearest choice that fits. Pure.

It is the start's own check (:mod:`fabric_hub.slurm.limits.check`) of the start's own job, asked before somebody
chooses: what the start page offers is not refused a moment later for a limit, and what it refuses would be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import starts as texts
from fabric_hub.slurm.limits.billing import rates
from fabric_hub.slurm.limits.chain import LimitDecision
from fabric_hub.slurm.limits.longest import longest
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import Snapshot

from .choice import profiles_of
from .job_spec import profile_spec

# The shortest session that the form can ask for, and what its hours are counted in.
SHORTEST_MINUTES = 6


class StartFit(NamedTuple):
    """``minutes`` that a session may have, 0 for none; ``refused``: what does not let it have the profile's longest.

    ``per_hour`` is what an hour of it costs, by TRES: see :func:`~fabric_hub.slurm.limits.billing.rates`.
    """

    minutes: int
    refused: LimitDecision | None
    per_hour: Mapping[str, int]

    @property
    def hours(self) -> float:
        """The same in hours, as the form's field takes them: whole tenths."""
        return self.minutes // SHORTEST_MINUTES / 10


def start_fits(
    settings: Settings,
    account: str,
    project: str,
    limits: Limits | None,
    snapshot: Snapshot | None,
    req: Mapping[str, Any],
    now: float,
) -> dict[str, StartFit]:
    """What fits in a project, by profile in the project's order. Profiles without a job, or with a setting that Slurm
    does not take, are not in it; a project that has gone has none.

    :param account: the Unix account that sessions run as.
    :param req: the site's ``req_*`` settings for this user, as far as they are known.
    :param now: Unix seconds.
    """
    found: dict[str, StartFit] = {}
    paying = settings.project.get(project)
    if paying is None:  # the catalogue service keeps it no longer
        return found
    for name, profile in profiles_of(settings, paying).items():
        if profile.kind != "slurm":
            continue
        most = max(SHORTEST_MINUTES, round(profile.max_hours * 60))
        try:
            spec = profile_spec(profile, req, account=paying.account, hours=profile.max_hours)
        except FabricError:
            continue
        ask = JobRequest.of(spec, account)
        minutes, refused = longest(limits, snapshot, ask, now, least=SHORTEST_MINUTES, most=most)
        found[name] = StartFit(minutes, refused, rates(limits, ask))
    return found


def nearest(settings: Settings, project: str, profile: str, hours: float, fits: Mapping[str, StartFit]) -> Text:
    """What fits in place of a choice that does not: fewer hours, or another profile of the project; empty for nothing.

    :param fits: of this project, in its order: of profiles that fit for as long the first is told.
    """
    here, rescue = settings.project.get(project), settings.quotas.rescue_profile
    title = (here.title if here else "") or project
    own = fits.get(profile)
    if own is not None and own.minutes and own.minutes < hours * 60:
        called = settings.profile[profile].title or profile
        return texts.NEAREST_HOURS(project=title, profile=called, time=60 * own.minutes)
    others = {name: fit for name, fit in fits.items() if name not in (profile, rescue) and fit.minutes}
    if not others:
        return NOTHING
    best = max(others, key=lambda name: min(others[name].minutes, hours * 60))
    called = settings.profile[best].title or best
    return texts.NEAREST_PROFILE(project=title, profile=called, time=60 * others[best].minutes)
