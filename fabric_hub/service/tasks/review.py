"""Looks at all budgets and file systems all the time: what is in force, and what the site's hook is told of."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from fabric_hub.budgets.ends import end_passed
from fabric_hub.budgets.forecast import Threshold, budget_passed, forecast, rate_per_day, storage_passed
from fabric_hub.budgets.schemas import Balance, ParentLimit, Source, StorageUse, Warned
from fabric_hub.budgets.warnings import WarningBook, storage_of, subjects_of
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.messages.texts.projects import ITS_OWNER, OPERATORS
from fabric_hub.projects.membership import people as members_of
from fabric_hub.projects.membership import project_of, said_to, warned_to
from fabric_hub.sessions.store import SessionStore

from . import hook

log = logging.getLogger(__name__)

EVERY_S = 20.0
# Who has no session is looked at so often, one member of a project after another, spread over this time.
MEMBERS_EVERY_S = 6 * 3600.0
# When a file system that was asked has answered, or will not.
ANSWERED_S = 60.0


def passed(settings: Settings, source: Source, users: Iterable[tuple[str, str]], now: float) -> list[Threshold]:
    """Every threshold that is passed now.

    :param users: (project, user) of all live sessions: their own budgets and storage are looked at.
    """
    today = datetime.fromtimestamp(now).astimezone().date()
    quotas = settings.quotas
    found: list[Threshold | None] = []
    for name, project in settings.project.items():
        found.append(end_passed(name, project, today))
        balance = with_forecast(source, name, source.usage(name, "").project, today, now)
        if balance is not None:
            title, subject = texts.OF_PROJECT(project=name), f"project:{name}"
            found.append(budget_passed(subject, title, balance, now, quotas.warn_days, whom=ITS_OWNER()))
            for bound in balance.above:
                title = _title_of(name, bound)
                found.append(budget_passed(subject, title, bound, now, quotas.warn_days, whom=OPERATORS()))
    return [threshold for threshold in found if threshold is not None] + of_users(settings, source, users, now)


def of_users(settings: Settings, source: Source, users: Iterable[tuple[str, str]], now: float) -> list[Threshold]:
    """The thresholds that users have passed in their own budgets and storage, and their projects in theirs.

    :param users: (project, user).
    """
    today = datetime.fromtimestamp(now).astimezone().date()
    quotas, found = settings.quotas, []
    pairs = sorted(set(users))
    for project, user in pairs:
        own = source.usage(project, user).user
        if own is not None and own.limit is not None:
            own = forecast(own, rate_per_day(source.trend(project, user), today), now)
            title = texts.OF_USER(project=project)
            found.append(budget_passed(f"user:{project}/{user}", title, own, now, quotas.warn_days, whom=ITS_OWNER()))
    shared: dict[tuple[str, str, str], StorageUse] = {}
    for user in sorted({user for _, user in pairs}):
        for use in source.storage(user):
            key = use.project, use.path, use.title
            if not use.project:
                found.append(storage_passed(user, use, quotas.warn_storage_percent))
            elif not use.problem and (key not in shared or (use.at or 0.0) > (shared[key].at or 0.0)):
                shared[key] = use  # its members were told it at different times
    found += [storage_passed("", use, quotas.warn_storage_percent) for use in shared.values()]
    return [threshold for threshold in found if threshold is not None]


def turn(members: Sequence[str], before: float, now: float, every_s: float = MEMBERS_EVERY_S) -> list[str]:
    """The members whose turn came between two moments, when each has one in ``every_s``, at even distances. Pure."""
    first, last = (int(at * len(members) / every_s) for at in (before, now))
    return [members[number % len(members)] for number in range(first + 1, min(last, first + len(members)) + 1)]


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


def _title_of(project: str, bound: ParentLimit) -> Text:
    """Whose budget a limit above is, and what of a project it limits: all, or some of its profiles."""
    if not bound.profiles:
        return texts.ABOVE_PROJECT(limit=bound.name, project=project)
    return texts.ABOVE_PROFILES(limit=bound.name, project=project, profiles=bound.profiles, n=len(bound.profiles))


class Review:
    """Runs in the service; pages and sessions read what is in force from memory."""

    def __init__(self, settings: Settings, store: SessionStore, source: Source) -> None:
        self._settings, self._store, self._source = settings, store, source
        self._book = WarningBook(store.engine)
        self._found: list[Threshold] = []
        self._looked_at = time.time()
        self._asked: dict[str, float] = {}  # members whose turn came, and when their storage was asked for
        self._of_members: dict[str, list[Threshold]] = {}  # what was found then, until their next turn
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
        here = await asyncio.to_thread(passed, self._settings, self._source, pairs, now)
        away = await asyncio.to_thread(self._members, {user for _, user in pairs}, now)
        known = {one.subject for one in here}
        self._found = here + list({one.id: one for one in away if one.subject not in known}.values())
        self.in_force = await asyncio.to_thread(self._book.note, self._found, now)

    def _members(self, here: set[str], now: float) -> list[Threshold]:
        """What was found of members who have no session, when their turn was."""
        projects: dict[str, list[str]] = defaultdict(list)
        for name, project in self._settings.project.items():
            for user in set(members_of(project)) - here:
                projects[user].append(name)
        for user in [user for user, at in self._asked.items() if now - at > ANSWERED_S]:
            del self._asked[user]
            pairs = [(name, user) for name in projects.get(user, ())]  # who has a session now is looked at as such
            self._of_members[user] = of_users(self._settings, self._source, pairs, now)
        for user in turn(sorted(projects), self._looked_at, now):
            self._source.storage(user)  # asks for it
            self._asked[user] = now
        self._looked_at = now
        return [one for user, found in self._of_members.items() if user in projects for one in found]

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
            "text": str(said_to(told[0], project, threshold.text) if told else threshold.text),
            "since": since,
            "people": told,
        }

    def of(self, user: str, projects: Iterable[str]) -> tuple[Warned, ...]:
        """What is in force for a user and these projects of theirs."""
        mine = subjects_of(user, projects)
        storage = storage_of(user, mine)
        return tuple(
            one.model_copy(update={"text": warned_to(user, self._settings, one.subject, one.text)})
            for one in self.in_force
            if one.subject in mine or one.subject.startswith(storage)
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
        project = settings.project.get(rest.partition(":")[0])
        return list(project.members.owner) if project else []
    if kind == "user":
        return [rest.partition("/")[2]]
    return [rest.partition(":")[0]]
