"""The report that a project's owner gets, and an operator of all projects: who used how much of what. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from fabric_hub.messages.formats import one_decimal
from fabric_hub.messages.texts import usage as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.types import Frozen

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


class SiteReport(Frozen):
    """Use of all projects of a site's file from one day to another, both included."""

    first: date
    last: date
    gpu_hours: float
    cpu_hours: float
    projects: tuple[Report, ...]
    missing: tuple[date, ...] = ()


def site_report(first: date, last: date, projects: Sequence[Report], missing: Sequence[date]) -> SiteReport:
    """Sum up the reports of projects."""
    return SiteReport(
        first=first,
        last=last,
        gpu_hours=sum(one.gpu_hours for one in projects),
        cpu_hours=sum(one.cpu_hours for one in projects),
        projects=tuple(projects),
        missing=tuple(missing),
    )


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


def as_csv(rows: Iterable[UsageRow]) -> str:
    """One line per day, project, user and profile; no cell of it can be one that a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["day", "project", "account", "user", "profile", "gpu_hours", "cpu_hours", "jobs"])
    for row in rows:
        hours = (f"{row.gpu_hours:.4f}", f"{row.cpu_hours:.4f}")
        writer.writerow([row.day, row.project, row.account, row.user, row.profile, *hours, row.jobs])
    return text.getvalue()


def as_text(found: Report) -> str:
    """The report as people read it in a terminal, in their language."""
    lines = [
        texts.OF_PROJECT(
            title=found.title,
            project=found.project,
            account=found.account,
            first=str(found.first),
            last=str(found.last),
        ).say(),
        texts.HOURS(gpu=one_decimal(found.gpu_hours), cpu=one_decimal(found.cpu_hours)).say(),
    ]
    for heading, totals in ((_("User"), found.users), (_("Profile"), found.profiles)):
        lines += ["", _line(heading, *_headings())]
        lines += [_total(row.name, row) for row in totals]
    return "\n".join(lines + _missing(found.missing))


def site_as_text(found: SiteReport) -> str:
    """The report of all projects as people read it in a terminal, in their language: each line names its project."""
    lines = [
        texts.OF_ALL(first=str(found.first), last=str(found.last)).say(),
        texts.HOURS(gpu=one_decimal(found.gpu_hours), cpu=one_decimal(found.cpu_hours)).say(),
        "",
        _line(_("Project"), *_headings()[:2]),
    ]
    lines += [_line(one.project, one_decimal(one.gpu_hours), one_decimal(one.cpu_hours)) for one in found.projects]
    for heading, kind in ((_("User"), "users"), (_("Profile"), "profiles")):
        lines += ["", f"{_('Project'):<24} {_line(heading, *_headings())}"]
        lines += [f"{one.project:<24} {_total(row.name, row)}" for one in found.projects for row in getattr(one, kind)]
    return "\n".join(lines + _missing(found.missing))


def _headings() -> tuple[str, str, str]:
    return _("GPU-hours"), _("CPU-hours"), _("Jobs")


def _line(name: str, gpu_hours: str, cpu_hours: str, jobs: str = "") -> str:
    return f"{name:<24} {gpu_hours:>10} {cpu_hours:>10} {jobs:>6}".rstrip()


def _total(name: str, row: Total) -> str:
    return _line(name, one_decimal(row.gpu_hours), one_decimal(row.cpu_hours), str(row.jobs))


def _missing(days: Sequence[date]) -> list[str]:
    return ["", texts.NOT_SUMMED_UP(days=tuple(day.isoformat() for day in days)).say()] if days else []
