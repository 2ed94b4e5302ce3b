"""The machines of the start page: what each profile's job finds now, on the page and in its light question for news.

Reads the hub's memory: what the watcher last told everybody. No query to Slurm is made for a page.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.launch import choice
from fabric_hub.launch.job_spec import profile_spec
from fabric_hub.launch.outlook import Outlook, outlook
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import launch as texts
from fabric_hub.projects.membership import projects_of
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.limits.usage import partition_of
from fabric_hub.slurm.model import JobSpec, Snapshot

PATH = "/start/machines"
_LONGEST_H = 8784.0
# What was found is kept for so many times as long as it took: a cluster of thousands of jobs takes the hub's one thread
# a twentieth of the time at the most, a small one is gone through with every snapshot.
_KEPT_TIMES = 20.0
_MOST_KEPT = 500


class _Found:
    """Outlooks of one snapshot for jobs of one size: everybody who looks at the page asks for the same few."""

    def __init__(self) -> None:
        self._of: Snapshot | None = None
        self._by_job: dict[tuple[JobSpec, str], Outlook] = {}
        self._until = 0.0  # monotonic

    def outlook(self, spec: JobSpec, snapshot: Snapshot, partition: str) -> Outlook:
        began = time.monotonic()
        if self._of is None or (snapshot is not self._of and began >= self._until):
            self._of, self._until = snapshot, began
            self._by_job.clear()
        key = spec, partition
        if key not in self._by_job:
            if len(self._by_job) >= _MOST_KEPT:
                self._by_job.clear()
            self._by_job[key] = outlook(spec, self._of, time.time(), partition)
            self._until = max(self._until, began) + _KEPT_TIMES * (time.monotonic() - began)
        return self._by_job[key]


_found = _Found()


def card_state(found: Outlook | None) -> dict[str, Any]:
    """What a card says of its machine: ``state`` (of the dot), ``word``, and ``at``, about when one is free. Pure.

    :param found: None: Slurm has not been heard.
    """
    at: float | None = None
    state, word = "ended", texts.NOT_KNOWN_NOW()
    if found is not None:
        at = found.at
        if found.free:
            state, word = "free", texts.FREE_OF(free=found.free, places=found.places)
        elif not found.places:
            state, word = "failed", texts.OUT_OF_SERVICE()
        elif found.for_s:
            told = texts.FREE_UNTIL_MAINTENANCE if found.maintenance else texts.FREE_UNTIL_RESERVED
            state, word = "busy", told(time=60 * (found.for_s // 60))
        else:
            state, word = "busy", texts.ALL_BUSY()
    return {"state": state, "word": word.say(), "at": None if at is None else round(at)}


def look(
    profiles: Mapping[str, Profile],
    snapshot: Snapshot | None,
    limits: Limits | None,
    req: Mapping[str, Any],
    *,
    hours: float | None = None,
) -> dict[str, dict[str, Any]]:
    """What the cards of profiles say, by profile; those without a job of Slurm's are not in it.

    :param req: the site's ``req_*`` settings for this user, as far as they are known.
    :param hours: how long a session is to be, where a profile lets it be so long; None: the profile's own time.
    """
    found = {}
    partition = partition_of(limits, "") if limits else None
    for name, profile in profiles.items():
        if profile.kind != "slurm":
            continue
        try:
            spec = profile_spec(profile, req, hours=min(hours or profile.default_hours, profile.max_hours))
        except FabricError:
            continue
        known: Outlook | None = None
        if snapshot is not None and snapshot.nodes and snapshot.unavailable_since is None:
            known = _found.outlook(spec, snapshot, partition.name if partition else "")
        found[name] = card_state(known)
    return found


def offered(settings: Settings, user: str) -> dict[str, Profile]:
    """The profiles of all of a user's projects."""
    mine = projects_of(settings, user).values()
    return {name: profile for project in mine for name, profile in choice.profiles_of(settings, project).items()}


def age(snapshot: Snapshot | None) -> Text | None:
    """How old is what the cards say; None where nothing is known."""
    return None if snapshot is None or snapshot.age_s is None else texts.UPDATED(seconds=snapshot.age_s)


class Machines(BaseHandler):  # type: ignore[misc]
    """``GET /hub/start/machines?hours=2``: the cards of the viewer's profiles, as :func:`look` has them."""

    @web.authenticated
    async def get(self) -> None:
        shared, user = runtime(), self.current_user
        try:
            hours = min(_LONGEST_H, max(0.1, float(self.get_query_argument("hours", "") or 0)))
        except ValueError:
            hours = 0.0
        snapshot = await shared.current_snapshot() if shared.settings.slurm else None
        profiles = offered(shared.settings, user.name)
        req = user.spawner.site_request()
        self.set_header("Cache-Control", "no-store")
        self.finish(
            {
                "machines": look(profiles, snapshot, shared.limits.value, req, hours=round(hours, 1) or None),
                "age": str(((said := age(snapshot)) and said.say()) or ""),
            }
        )
