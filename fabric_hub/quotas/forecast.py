"""How long a budget lasts, and when people are to be told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from ..model import Frozen
from .told import Balance, DayUse, Level, StorageUse

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


def forecast(balance: Balance, rate: float | None, now: float) -> Balance:
    """A balance with its rate, and when it runs out at that rate.

    What runs now ends with its time limit, so it says nothing of the days to come, and an hour with a GPU is no reason
    to warn anybody; unless these jobs may take all that is left before they end.
    """
    until = None
    if balance.left is not None:
        ends = [now + balance.left / rate * DAY_S] if rate else []
        if _takes_all(balance):
            ends.append(now + balance.left / balance.running * 3600)
        until = now if balance.left <= 0 else min(ends, default=None)
        if until is not None and until - now > FAR_S:
            until = None
    return balance.model_copy(update={"rate_per_day": rate, "lasts_until": until})


def _takes_all(balance: Balance) -> bool:
    return bool(balance.left and balance.running) and balance.to_come >= (balance.left or 0.0)


class Threshold(Frozen):
    """Something to be told once: which limit of which subject was passed, and in what words."""

    subject: str
    name: str
    level: Level
    text: str

    @property
    def id(self) -> str:
        return f"{self.subject}#{self.name}"


def budget_passed(
    subject: str, title: str, balance: Balance, now: float, days: Iterable[float] = (14, 7, 2)
) -> Threshold | None:
    """The narrowest threshold that a forecast has passed; None when there is nothing to say.

    :param title: whose budget, as the words say it: ``The budget of project physics``.
    """
    if balance.limit is None or balance.left is None:
        return None
    if balance.left <= 0:
        text = f"{title} is used up: {balance.used:.1f} of {balance.limit:.1f} GPU-hours. Ask its owner for more."
        return Threshold(subject=subject, name="used-up", level="danger", text=text)
    if balance.lasts_until is None:
        return None
    left = (balance.lasts_until - now) / DAY_S
    passed = [limit for limit in days if left <= limit]
    if not passed:
        return None
    narrowest = min(passed)
    when = datetime.fromtimestamp(balance.lasts_until).astimezone().strftime("%d %B")
    text = (
        f"{title} lasts until {when} at the present rate: {balance.left:.1f} of {balance.limit:.1f} GPU-hours "
        f"are left, {_pace(balance)}."
    )
    level: Level = "danger" if narrowest == min(days) else "warning"
    return Threshold(subject=subject, name=f"{narrowest:g}-days", level=level, text=text)


def _pace(balance: Balance) -> str:
    """What ends the budget, in words: the rate of the days before, or the jobs that run now."""
    if _takes_all(balance):
        what = "the job that runs now" if balance.running == 1 else f"jobs that run now on {balance.running:g} GPUs"
        return f"and {what} may take all of them"
    return f"{balance.rate_per_day or 0.0:.1f} a day are used"


def storage_passed(owner: str, use: StorageUse, percents: Iterable[float] = (80, 95)) -> Threshold | None:
    """The highest threshold that a file system's quota has passed, by size or by number of files."""
    shares = [
        (taken / limit * 100, what)
        for taken, limit, what in (
            (use.used, use.limit, "space"),
            (use.files_used or 0, use.files_limit, "number of files"),
        )
        if limit
    ]
    if not shares:
        return None
    share, what = max(shares)
    passed = [limit for limit in percents if share >= limit]
    if not passed:
        return None
    limit = max(passed)
    text = f"{use.title} ({use.path}) is {share:.0f}% full by {what}. Remove what is no longer needed, or ask for more."
    level: Level = "danger" if limit == max(percents) else "warning"
    return Threshold(subject=f"storage:{owner}:{use.path}", name=f"{limit:g}-percent", level=level, text=text)
