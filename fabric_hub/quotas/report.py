"""The report that a project's owner gets: who used how much of what, in GPU-hours. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from ..model import Frozen
from .history import UsageRow


class Total(Frozen):
    name: str
    gpu_hours: float
    cpu_hours: float
    jobs: int


class Report(Frozen):
    """Use of a project from one day to another, both included. Jobs are counted once for every day that they ran.

    ``missing`` are days that are not summed up (yet).
    """

    project: str
    title: str
    account: str
    first: date
    last: date
    gpu_hours: float
    cpu_hours: float
    users: tuple[Total, ...]
    profiles: tuple[Total, ...]
    days: tuple[UsageRow, ...]
    missing: tuple[date, ...] = ()


def report(
    project: str, title: str, account: str, first: date, last: date, rows: Sequence[UsageRow], missing: Sequence[date]
) -> Report:
    """Sum up a project's rows."""
    return Report(
        project=project,
        title=title,
        account=account,
        first=first,
        last=last,
        gpu_hours=sum(row.gpu_hours for row in rows),
        cpu_hours=sum(row.cpu_hours for row in rows),
        users=_totals(rows, lambda row: row.user),
        profiles=_totals(rows, lambda row: row.profile),
        days=tuple(rows),
        missing=tuple(missing),
    )


def _totals(rows: Sequence[UsageRow], key: Callable[[UsageRow], str]) -> tuple[Total, ...]:
    found: dict[str, list[UsageRow]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    totals = [
        Total(
            name=name,
            gpu_hours=sum(row.gpu_hours for row in mine),
            cpu_hours=sum(row.cpu_hours for row in mine),
            jobs=sum(row.jobs for row in mine),
        )
        for name, mine in found.items()
    ]
    return tuple(sorted(totals, key=lambda total: (-total.gpu_hours, -total.cpu_hours, total.name)))


def as_csv(found: Report) -> str:
    """One line per day, user and profile; a cell that a spreadsheet would take for a formula cannot be in it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["day", "project", "account", "user", "profile", "gpu_hours", "cpu_hours", "jobs"])
    for row in found.days:
        hours = (f"{row.gpu_hours:.4f}", f"{row.cpu_hours:.4f}")
        writer.writerow([row.day, row.project, row.account, row.user, row.profile, *hours, row.jobs])
    return text.getvalue()


def as_text(found: Report) -> str:
    """The report as people read it in a terminal."""
    lines = [
        f"{found.title} ({found.project}, account {found.account}), {found.first} to {found.last}:",
        f"{found.gpu_hours:.1f} GPU-hours, {found.cpu_hours:.1f} CPU-hours",
    ]
    for heading, totals in (("User", found.users), ("Profile", found.profiles)):
        lines += ["", f"{heading:<24} {'GPU-hours':>10} {'CPU-hours':>10} {'Jobs':>6}"]
        lines += [f"{row.name:<24} {row.gpu_hours:>10.1f} {row.cpu_hours:>10.1f} {row.jobs:>6}" for row in totals]
    if found.missing:
        lines += ["", f"Not summed up yet: {', '.join(day.isoformat() for day in found.missing)}."]
    return "\n".join(lines)
