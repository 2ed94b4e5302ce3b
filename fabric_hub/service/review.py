"""Looks at all budgets and file systems all the time: what is in force, and what the site's hook is told of."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime
from typing import Any

from ..errors import FabricError
from ..projects.owners import project_of, said_to, warned_to
from ..quotas import hook
from ..quotas.forecast import Threshold, budget_passed, forecast, rate_per_day, storage_passed
from ..quotas.told import Balance, Bound, Source, Warned
from ..quotas.warnings import WarningBook, subjects_of
from ..sessions.store import SessionStore
from ..settings import Settings

log = logging.getLogger("fabric_hub.review")

EVERY_S = 20.0


def passed(settings: Settings, source: Source, users: Iterable[tuple[str, str]], now: float) -> list[Threshold]:
    """Every threshold that is passed now.

    :param users: (project, user) of all live sessions: their own budgets and storage are looked at.
    """
    today = datetime.fromtimestamp(now).astimezone().date()
    quotas, found = settings.quotas, []
    for name in settings.project:
        balance = with_forecast(source, name, source.usage(name, "").project, today, now)
        if balance is not None:
            title, subject = f"The budget of project {name}", f"project:{name}"
            found.append(budget_passed(subject, title, balance, now, quotas.warn_days))
            for bound in balance.above:
                title = f"The budget of {bound.name}, which limits {_limited(name, bound)},"
                found.append(budget_passed(subject, title, bound, now, quotas.warn_days, "the operators"))
    pairs = sorted(set(users))
    for project, user in pairs:
        own = source.usage(project, user).user
        if own is not None and own.limit is not None:
            own = forecast(own, rate_per_day(source.trend(project, user), today), now)
            title = f"Your budget in project {project}"
            found.append(budget_passed(f"user:{project}/{user}", title, own, now, quotas.warn_days))
    for user in sorted({user for _, user in pairs}):
        found += [storage_passed(user, use, quotas.warn_storage_percent) for use in source.storage(user)]
    return [threshold for threshold in found if threshold is not None]


def with_forecast(
    source: Source, project: str, balance: Balance | None, today: date, now: float, user: str | None = None
) -> Balance | None:
    """A balance with its rate and how long it lasts.

    :param user: whose balance it is; None: the project's. A project's rate is that of its account with all below it.
    """
    if balance is None:
        return None
    days = source.trend(project, user) if user is not None else source.charged(balance.of)
    return forecast(balance, rate_per_day(days, today), now, lambda name: rate_per_day(source.charged(name), today))


def _limited(project: str, bound: Bound) -> str:
    """What a limit above counts for, in words: the project, or some of its profiles."""
    if not bound.profiles:
        return f"project {project}"
    names = ", ".join(bound.profiles)
    return f"profile{'s' if len(bound.profiles) > 1 else ''} {names} of project {project}"


class Review:
    """Runs in the service; pages and sessions read what is in force from memory."""

    def __init__(self, settings: Settings, store: SessionStore, source: Source) -> None:
        self._settings, self._store, self._source = settings, store, source
        self._book = WarningBook(store.engine)
        self._found: list[Threshold] = []
        self.in_force: tuple[Warned, ...] = ()
        self.hook_failures = 0

    async def run(self) -> None:
        """Until cancelled. A hook that takes its time holds up nothing but the hook."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(_again_and_again(self.look))
            if self._settings.quotas.hook:
                loops.create_task(_again_and_again(self.tell))

    async def look(self, now: float) -> None:
        """Look once."""
        sessions = await asyncio.to_thread(self._store.live_all)
        pairs = [(one.project, one.user) for one in sessions]
        self._found = await asyncio.to_thread(passed, self._settings, self._source, pairs, now)
        self.in_force = await asyncio.to_thread(self._book.note, self._found, now)

    async def tell(self, now: float) -> None:
        """Tell the hook what it was not told yet."""
        for untold in await asyncio.to_thread(self._book.untold, self._found, now):
            well = await hook.tell(self._settings.quotas, self._message(untold.threshold, untold.since))
            self.hook_failures += not well
            await asyncio.to_thread(self._book.told, untold.threshold, now, well=well)

    def _message(self, threshold: Threshold, since: float) -> dict[str, Any]:
        told = people(self._settings, threshold.subject)
        project = project_of(self._settings, threshold.subject)
        return {
            "hub": self._settings.hub.id,
            "url": self._settings.hub.public_url or self._settings.hub.bind_url,
            "id": threshold.id,
            "subject": threshold.subject,
            "level": threshold.level,
            # one text for all of them, who are either its owners or one user
            "text": said_to(told[0], project, threshold.text) if told else threshold.text,
            "since": since,
            "people": told,
        }

    def of(self, user: str, projects: Iterable[str]) -> tuple[Warned, ...]:
        """What is in force for a user and these projects of theirs."""
        mine = subjects_of(user, projects)
        return tuple(
            warned_to(user, self._settings, one)
            for one in self.in_force
            if one.subject in mine or one.subject.startswith(f"storage:{user}:")
        )


async def _again_and_again(work: Callable[[float], Awaitable[None]]) -> None:
    while True:
        try:
            await work(time.time())
        except FabricError as error:
            log.warning("Budgets are looked at later: %s", error)
        await asyncio.sleep(EVERY_S)


def people(settings: Settings, subject: str) -> list[str]:
    """The hub users whom a warning concerns: the owners of a project, or the user. Pure."""
    kind, _, rest = subject.partition(":")
    if kind == "project":
        project = settings.project.get(rest)
        return list(project.members.owner) if project else []
    if kind == "user":
        return [rest.partition("/")[2]]
    return [rest.partition(":")[0]]
