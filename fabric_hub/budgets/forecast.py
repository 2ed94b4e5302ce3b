"""How long a budget lasts, and when people are to be told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import budgets as texts
from fabric_hub.types import Frozen

from .schemas import Balance, DayUse, Level, ParentLimit, StorageUse

DAY_S = 86400.0
# The rate is that of the week, which follows a project that speeds up or pauses; a week
# without use falls back on the four weeks, so that a holiday does not make a budget eternal.
SHORT_DAYS, LONG_DAYS = 7, 28
# A budget that lasts longer than this is not worth a date.
FAR_S = 10 * 365 * DAY_S


def rate_per_day(days: Sequence[DayUse], today: date) -> float | None:
    """GPU-hours per day at the present rate; None when nothing is known.

    :param days: whole days' use, counted from the first day that had any; a day that is missing had none.
    :param today: not a whole day yet, and left out.
    """
    known = {day.day: day.gpu_hours for day in days if day.day < today}
    if not known:
        return None
    busy = [day for day, hours in known.items() if hours > 0]
    if not busy:
        return 0.0
    age = (today - min(busy)).days
    for span in (SHORT_DAYS, LONG_DAYS):
        over = min(span, age)
        since = today - timedelta(days=over)
        used = sum(hours for day, hours in known.items() if day >= since)
        if used > 0:
            return used / over
    return 0.0


def forecast(
    balance: Balance, rate: float | None, now: float, above: Callable[[str], float | None] = lambda _holder: None
) -> Balance:
    """A balance with its rate, and when it runs out at that rate; the same of each limit above it.

    What runs now ends with its time limit, so it says nothing of the days to come, and an hour with a GPU is no reason
    to warn anybody; unless these jobs may take all that is left before they end.

    :param rate: GPU-hours per day of everybody who counts towards the balance's own limit.
    :param above: the same of a limit above, by its name.
    """
    bounds = tuple(_with_rate(bound, above(bound.name), now) for bound in balance.above)
    own = balance.model_copy(update={"rate_per_day": rate})
    ends = [until_of(own, now), *(one.lasts_until for one in bounds if not one.profiles or _limits(one, balance))]
    until = now if balance.left is not None and balance.left <= 0 else min(filter(None, ends), default=None)
    return own.model_copy(update={"lasts_until": until, "above": bounds})


def _with_rate(bound: ParentLimit, rate: float | None, now: float) -> ParentLimit:
    bound = bound.model_copy(update={"rate_per_day": rate})
    return bound.model_copy(update={"lasts_until": until_of(bound, now)})


def _limits(bound: ParentLimit, balance: Balance) -> bool:
    return bound.name == balance.limited_by


def until_of(budget: Balance | ParentLimit, now: float) -> float | None:
    """When nothing is left of a budget's own limit at its rate (Unix seconds); None: no limit, no use, or far away."""
    left = own_left(budget)
    if left is None:
        return None
    if left <= 0:
        return now
    ends = [now + left / budget.rate_per_day * DAY_S] if budget.rate_per_day else []
    if _takes_all(budget):
        ends.append(now + left / budget.running * 3600)
    until = min(ends, default=None)
    return None if until is None or until - now > FAR_S else until


def own_left(budget: Balance | ParentLimit) -> float | None:
    """What a budget's own limit leaves; None without one."""
    return None if budget.limit is None else max(0.0, budget.limit - budget.used)


def _takes_all(budget: Balance | ParentLimit) -> bool:
    left = own_left(budget)
    return bool(left and budget.running) and budget.to_come >= (left or 0.0)


class Threshold(Frozen):
    """Something to be told once: which limit of which subject was passed, and in what words."""

    subject: str
    name: str
    level: Level
    text: Text

    @property
    def id(self) -> str:
        return f"{self.subject}#{self.name}"


def budget_passed(
    subject: str,
    title: Text,
    budget: Balance | ParentLimit,
    now: float,
    days: Iterable[float] = (14, 7, 2),
    *,
    whom: Text,
) -> Threshold | None:
    """The narrowest threshold that a forecast of a budget's own limit has passed; None when there is nothing to say.

    A limit above has thresholds of its own: it is told of whatever was said of the project's own limit.

    :param title: whose budget: ``the budget of project physics``.
    :param whom: who can give more, as seen by somebody who cannot: ``its owner``.
    """
    left = own_left(budget)
    if budget.limit is None or left is None:
        return None
    whose = budget.name if isinstance(budget, ParentLimit) else ""
    if left <= 0:
        text = texts.BUDGET_USED_UP(title=title, used=budget.used, limit=budget.limit, whom=whom)
        return Threshold(subject=subject, name=used_up(whose), level="danger", text=text)
    until = until_of(budget, now)
    if until is None:
        return None
    passed = [limit for limit in days if (until - now) / DAY_S <= limit]
    if not passed:
        return None
    narrowest = min(passed)
    params = {"title": title, "until": until, "left": left, "limit": budget.limit}
    if _takes_all(budget):
        text = texts.BUDGET_IN_USE(n=budget.running, **params)
    else:
        text = texts.BUDGET_LASTS(rate=budget.rate_per_day or 0.0, **params)
    level: Level = "danger" if narrowest == min(days) else "warning"
    return Threshold(subject=subject, name=_named(f"{narrowest:g}-days", whose), level=level, text=text)


def used_up(whose: str = "") -> str:
    """The name of the threshold of a budget that is used up.

    :param whose: the limit above that it is (``account faculty``); "" for the subject's own.
    """
    return _named("used-up", whose)


def _named(threshold: str, whose: str) -> str:
    return f"{threshold}-{whose.replace(' ', '-')}" if whose else threshold


def storage_passed(owner: str, use: StorageUse, percents: Iterable[float] = (80, 95)) -> Threshold | None:
    """The highest threshold that a file system's quota has passed, by size or by number of files.

    A file system may have several, of a user and of a project: path, scope and title tell them apart.
    """
    shares = [
        (taken / limit * 100, what)
        for taken, limit, what in (
            (use.used, use.limit, texts.SPACE()),
            (use.files_used or 0, use.files_limit, texts.FILES()),
        )
        if limit
    ]
    if not shares:
        return None
    share, what = max(shares, key=lambda one: one[0])
    passed = [limit for limit in percents if share >= limit]
    if not passed:
        return None
    limit = max(passed)
    where: Text | str = use.path
    subject = f"storage:{owner}:{use.path}:{use.scope}:{use.title}"
    if use.project:  # told once for all who see it
        where = texts.PATH_OF_PROJECT(path=use.path, project=use.project)
        subject = f"project:{use.project}:{use.path}:{use.title}"
    elif use.scope == "project":
        where = texts.PATH_OF_A_PROJECT(path=use.path)
    text = texts.STORAGE_FULL(title=use.title, where=where, share=share / 100, what=what)
    level: Level = "danger" if limit == max(percents) else "warning"
    return Threshold(subject=subject, name=f"{limit:g}-percent", level=level, text=text)
