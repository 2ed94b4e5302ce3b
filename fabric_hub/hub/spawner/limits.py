"""Slurm's limits before a start: refused in Slurm's numbers, with a rescue session offered where one may run.

Reads memory only: the limits and the snapshot that this hub follows.
"""

from __future__ import annotations

import logging
import os
import pwd
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fabric_hub.budgets.forecast import used_up
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.session_dir import FULL
from fabric_hub.launch.choice import Choice
from fabric_hub.launch.job_spec import job_spec
from fabric_hub.launch.offer import OfferedProject
from fabric_hub.launch.start_fit import StartFit, nearest, start_fits
from fabric_hub.messages.text import NOTHING, Text, sentences, text_of
from fabric_hub.messages.texts import starts as texts
from fabric_hub.messages.texts.limits import ACCOUNT
from fabric_hub.projects.membership import said_to
from fabric_hub.slurm.limits.chain import LimitDecision
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import JobSpec, Snapshot
from fabric_hub.unix.accounts import unix_name

from .runtime import HubRuntime

log = logging.getLogger(__name__)


class OfferError(FabricError):
    """A start that is refused. ``rescue`` is the profile that may run in the project all the same, or ""."""

    def __init__(self, error: FabricError, project: str, rescue: str) -> None:
        super().__init__(error.said, reason=error.reason, hint=error.advice, status=error.status)
        self.project = project
        self.rescue = rescue


class OverLimitError(OfferError):
    """A start that Slurm's limits do not allow.

    ``same_warning`` is the warning of the project's budget (its id) that says no more than this, or "".
    """

    def __init__(self, found: LimitDecision, project: str, rescue: str, hint: Text, *, account: str = "") -> None:
        error = found.error(hint)
        super().__init__(error, project, rescue)
        above = "" if found.budget_of == ACCOUNT(account=account) else str(found.budget_of)
        self.same_warning = f"project:{project}#{used_up(above)}" if error.reason == "budget" else ""


async def refuse_over_limit(
    shared: HubRuntime, user: str, server_name: str, choice: Choice, spec: JobSpec | None, req: Mapping[str, Any]
) -> Text:
    """Refuse what no limit of Slurm lets run to its end; of what may start, what it waits for, if anything.

    A session that is on record as live is not asked again: it has its place, and a hub that starts anew adopts it.

    :param spec: the job of this start; None: it has none.
    :param req: the site's ``req_*`` settings for this user, for the rescue session that is offered instead.
    :raises OverLimitError: which limit of which association, QOS or partition, what is used, and the nearest choice
        that fits.
    """
    settings = shared.settings
    if spec is None or settings.slurm is None or shared.store.live(user, server_name):
        return NOTHING
    found = await _decision(shared, user, spec)
    if not found.refused:
        if found.waits:
            log.info("%s of %s in %s: %s", choice.profile, user, choice.project, found.waits)
        return found.waits
    rescue, hint = await _rescue(shared, user, choice, req)
    asked = said_to(user, settings.project.get(choice.project), found.hint)
    now, account = time.time(), _account(settings, user)
    fits = start_fits(settings, account, choice.project, shared.limits.value, shared.follower.value, req, now)
    told = found.model_copy(
        update={"hint": sentences(asked, nearest(settings, choice.project, choice.profile, choice.hours, fits))}
    )
    raise OverLimitError(told, choice.project, rescue, hint, account=choice.account)


async def with_rescue(
    shared: HubRuntime, user: str, choice: Choice, req: Mapping[str, Any], error: FabricError
) -> FabricError:
    """The failure of a start; for want of room in the home directory, with the rescue session that finds room."""
    if error.reason != FULL or not shared.settings.users.rescue_dir:
        return error
    rescue, hint = await _rescue(shared, user, choice, req)
    if not rescue:
        return error
    both = sentences(text_of(error.advice), hint)
    told = FabricError(error.said, reason=error.reason, hint=both, status=error.status)
    return OfferError(told, choice.project, rescue)


async def _rescue(shared: HubRuntime, user: str, choice: Choice, req: Mapping[str, Any]) -> tuple[str, Text]:
    """The profile of a rescue session that may run in place of a choice, and its offer in words; "" for none."""
    settings = shared.settings
    rescue = settings.quotas.rescue_profile
    if not rescue or rescue == choice.profile:
        return "", NOTHING
    profile = settings.profile[rescue]
    instead = choice.model_copy(update={"profile": rescue, "kind": profile.kind, "hours": profile.default_hours})
    try:
        spec = job_spec(settings, instead, req)
    except FabricError:  # it would be refused for what the site's settings say
        return "", NOTHING
    if (await _decision(shared, user, spec)).refused:
        return "", NOTHING
    return rescue, texts.RESCUE(profile=rescue, title=profile.title or rescue)


def fits_now(
    settings: Settings,
    user: str,
    projects: Sequence[OfferedProject],
    limits: Limits | None,
    snapshot: Snapshot | None,
    req: Mapping[str, Any],
) -> dict[str, dict[str, StartFit]]:
    """What a user may start now, and for how long, by open project and profile; nothing where there is no Slurm. Pure
    but for the clock.

    :param req: the site's ``req_*`` settings for this user, as far as they are known before a start.
    """
    if settings.slurm is None:
        return {}
    account, now = _account(settings, user), time.time()
    return {
        offered.name: start_fits(settings, account, offered.name, limits, snapshot, req, now)
        for offered in projects
        if not offered.closed
    }


def refused_in(
    settings: Settings,
    user: str,
    name: str,
    limits: Limits | None,
    snapshot: Snapshot | None,
    req: Mapping[str, Any],
) -> dict[str, Text]:
    """Why each profile would be refused in a user's project now, by profile; others are not in it. Pure but for the
    clock."""
    if settings.slurm is None or name not in settings.project:
        return {}
    fits = start_fits(settings, _account(settings, user), name, limits, snapshot, req, time.time())
    return {
        profile: fit.refused.message for profile, fit in fits.items() if fit.refused is not None and not fit.minutes
    }


def _account(settings: Settings, user: str) -> str:
    users = settings.users
    return pwd.getpwuid(os.geteuid()).pw_name if users.shared_account else unix_name(users, user)


async def _decision(shared: HubRuntime, user: str, spec: JobSpec) -> LimitDecision:
    job = JobRequest.of(spec, _account(shared.settings, user))
    return decide(await shared.current_limits(), shared.follower.value, job, time.time(), whole=True)
