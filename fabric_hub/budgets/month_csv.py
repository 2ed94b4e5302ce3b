"""A month's sheet as CSV: one fact in a line, so that a spreadsheet can filter and sum up. Pure."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from .month import MonthSheet

COLUMNS = ("month", "table", "time", "name", "measure", "value", "unit")


def as_csv(sheet: MonthSheet) -> str:
    """The sheet with a line of names first. Times are ISO 8601, with the hub's own zone."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(COLUMNS)

    def line(table: str, at: str, name: str, measure: str, value: float, unit: str) -> None:
        write.writerow((sheet.month, table, at, _plain(name), measure, round(value, 4), unit))

    for hour in sheet.hours:
        at = datetime.fromtimestamp(hour.at).astimezone().isoformat(timespec="seconds")
        line("occupancy", at, "sessions", "used", hour.sessions, "GPU-hours")
        line("occupancy", at, "other jobs", "used", hour.others, "GPU-hours")
    for wait in sheet.waits:
        line("waits", "", wait.profile, "starts", wait.starts, "")
        line("waits", "", wait.profile, "p50", wait.p50, "s")
        line("waits", "", wait.profile, "p95", wait.p95, "s")
    starts = sheet.starts
    for name, count in (
        ("tried", starts.tried),
        ("succeeded", starts.succeeded),
        ("taken back", starts.taken_back),
        ("waiting", starts.waiting),
    ):
        line("starts", "", name, "starts", count, "")
    for failure in starts.failed:
        line("failures", "", failure.code, "starts", failure.starts, "")
    since = _moment(sheet.ready.since)
    line("availability", since, "recorded since", "looks", sheet.ready.looks, "")
    line("availability", since, "recorded since", "ready", sheet.ready.ready, "")
    for who in sheet.people:
        name = " / ".join(part or "not known" for part in (who.organisation, who.sector))
        line("people", "", name, "people", who.people, "")
        line("people", "", name, "sessions", who.sessions, "")
    since = _moment(sheet.idle.since)
    line("idle", since, "recorded since", "watched", sheet.idle.watched, "GPU-hours")
    line("idle", since, "recorded since", "idle", sheet.idle.idle, "GPU-hours")
    for day in sheet.missing:
        line("missing", str(day), "day", "missing", 1, "")
    return out.getvalue()


def _moment(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else ""


def _plain(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name
