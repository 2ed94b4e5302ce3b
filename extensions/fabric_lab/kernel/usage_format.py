"""Quota, use and time left in words, and as HTML that needs no program to be read. Pure."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..common import facts

OLD_S = 600.0  # figures older than this are said to be old
HIGH, FULL = 0.8, 0.95


class Row(NamedTuple):
    """One thing that is used up: ``part`` is how much of it, 0 to 1 and beyond, or None without a limit."""

    name: str
    said: str
    part: float | None = None
    note: str = ""


def number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def hours(value: float) -> str:
    """GPU-hours: "87.5", "1,240"."""
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def size(value: float) -> str:
    """ "340 B", "1.2 MB", "48 GB": decimal units, as storage is sold."""
    units = iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while value >= 999.5 and unit != "PB":
        value, unit = value / 1000, next(units)
    return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:.0f} {unit}"


def day(moment: float) -> str:
    """ "3 December 2026"."""
    return f"{datetime.fromtimestamp(moment, UTC).astimezone():%d %B %Y}".lstrip("0")


def ago(seconds: float) -> str:
    """ "just now", "12 min ago", "3 h ago"."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"


def _above(balance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in balance.get("above") or () if isinstance(one, Mapping)]


def limiting(balance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The limit above that leaves the least, with its own numbers; None where the budget's own does."""
    return next((one for one in _above(balance) if one.get("name") == balance.get("limited_by")), None)


def forecast(balance: Mapping[str, Any]) -> str:
    """The sentence on how long a budget lasts; "" where there is no limit, or nothing is used."""
    left, until = number(balance.get("left")), number(balance.get("lasts_until"))
    if left is not None and left <= 0:
        return "Nothing is left: no new session with a GPU can start."
    above = next((one for one in _above(balance) if number(one.get("lasts_until")) == until), None)
    rate = number((above or balance).get("rate_per_day"))
    if until is None or rate is None:
        return ""
    whose = f" of {above.get('name')}" if above else ""
    return f"At the present rate{whose} ({hours(rate)} a day) this lasts until {day(until)}."


def balance(name: str, budget: object) -> list[Row]:
    """A budget's row; none where nothing is known."""
    if not isinstance(budget, Mapping):
        return []
    limit, used, left = (number(budget.get(key)) for key in ("limit", "used", "left"))
    if used is None:
        return []
    if limit is None and left is None:
        return [Row(name, f"{hours(used)} GPU-hours used, no limit")]
    own = None if limit is None else max(0.0, limit - used)
    rest = max(0.0, (own or 0.0) if left is None else left)
    above = limiting(budget)
    said = (
        f"{hours(used)} GPU-hours used, no limit of its own"
        if limit is None
        else f"{hours(used)} of {hours(limit)} GPU-hours used"
    )
    # as shown: the last bits of the two differences are not the same
    if own is None or above or (rest < own and hours(rest) != hours(own)):
        whole = number(above.get("limit")) if above else None
        of = "" if whole is None else f" of {hours(whole)}"
        said += f"; {budget.get('limited_by') or 'a limit above'} has {hours(rest)}{of} left"
    else:
        said += f", {hours(rest)} left"
    parts = [_share(number(one.get("used")), number(one.get("limit"))) for one in (budget, above) if one]
    known = [part for part in parts if part is not None]
    return [Row(name, said, max(known, default=None), forecast(budget) if known else "")]


def _share(used: float | None, limit: float | None) -> float | None:
    if used is None or limit is None:
        return None
    return used / limit if limit > 0 else 1.0


def storage(quota: Mapping[str, Any], now: float) -> Row:
    """A file system's row."""
    name = str(quota.get("title") or quota.get("path") or "Storage")
    used, limit, at = (number(quota.get(key)) for key in ("used", "limit", "at"))
    files_used, files_limit = (number(quota.get(key)) for key in ("files_used", "files_limit"))
    if problem := quota.get("problem"):
        return Row(name, "not known", None, str(problem))
    parts = [used / limit] if used is not None and limit else []
    said = f"{size(used or 0)} of {size(limit)} used" if limit else f"{size(used or 0)} used, no limit"
    if files_limit and files_used is not None:
        parts.append(files_used / files_limit)
        said += f"; {files_used:,.0f} of {files_limit:,.0f} files"
    note = f"Asked {ago(now - at)}." if at is not None else ""
    return Row(name, said, max(parts, default=None), note)


def gpu(device: Mapping[str, Any]) -> Row:
    """A GPU's row; its bar is its memory."""
    name = f"GPU {device['index']}" + (f" ({device['name']})" if device["name"] else "")
    used, total = number(device["memory_used"]), number(device["memory_total"])
    if device["problem"] or used is None or not total:
        return Row(name, device["problem"] or "not known")
    use = "" if device["percent"] is None else f"{device['percent']:.0f}% in use, "
    return Row(name, f"{use}{size(used)} of {size(total)} memory", used / total)


def warned(known: Mapping[str, Any], whose: str) -> bool:
    """Whether a warning in force says already how long a budget lasts: one sentence, and one number, is enough."""
    subject = f"{whose}:{known.get('project')}{'/' if whose == 'user' else '#'}"
    warnings = [one for one in known.get("warnings") or () if isinstance(one, Mapping)]
    return any(str(one.get("id", "")).startswith(subject) for one in warnings)


def rows(known: Mapping[str, Any], now: float) -> list[Row]:
    """Everything that there is to show, most urgent first."""
    project = str(known.get("project_title") or known.get("project") or "this project")
    found = []
    moment = known.get("time")
    ends_at = number(moment.get("ends_at")) if isinstance(moment, Mapping) else None
    if ends_at is not None:
        end = facts.clock(ends_at, now)
        found.append(Row("Time", facts.left(ends_at, now), None, f"This session ends at {end}."))
    for whose, name, key in (
        ("project", f"GPU-hours of {project}", "gpu_hours"),
        ("user", "Your own GPU-hours", "user_gpu_hours"),
    ):
        found += [row._replace(note="") if warned(known, whose) else row for row in balance(name, known.get(key))]
    found += [storage(one, now) for one in known.get("storage") or () if isinstance(one, Mapping)]
    found += [gpu(one) for one in known.get("gpu_use") or ()]
    return found


def notes(known: Mapping[str, Any]) -> list[str]:
    """Warnings, what is wrong, and how old the figures are."""
    said = [str(one["text"]) for one in known.get("warnings") or () if isinstance(one, Mapping) and one.get("text")]
    if problem := known.get("problem"):
        said.append(str(problem))
    age = number(known.get("age_s"))
    if age is not None:
        said.append(f"Slurm was asked {ago(age)}." + (" These figures are old." if age > OLD_S else ""))
    return said


def as_text(known: Mapping[str, Any], now: float) -> str:
    """Lines of text."""
    shown = rows(known, now)
    width = max((len(row.name) for row in shown), default=0) + 2
    lines = []
    for row in shown:
        lines.append(f"{row.name + ':':{width}}{row.said}{'' if row.part is None else f' ({row.part:.0%})'}")
        if row.note:
            lines.append(" " * width + row.note)
    return "\n".join([*lines, *notes(known)]) or "Nothing is known of quotas."


def _bar(row: Row) -> str:
    if row.part is None:
        return ""
    return (
        f'<meter min="0" max="1" low="{HIGH}" high="{FULL}" optimum="0" value="{min(1.0, row.part):.3f}" '
        f'aria-label="{html.escape(row.name)}: {row.part:.0%} used" style="width:12em"></meter> {row.part:.0%}'
    )


def as_html(known: Mapping[str, Any], now: float | None = None) -> str:
    """A table with bars; every value is escaped. Without ``now`` it is the present."""
    # whoever shows this may have given lines the height of a button
    style = "text-align:left;vertical-align:top;line-height:1.4"
    head, cell = f'<th scope="row" style="{style};padding-right:1em">', f'<td style="{style}">'
    body = "".join(
        f"<tr>{head}{html.escape(row.name)}</th>"
        f"{cell}{'<br>'.join(html.escape(text) for text in (row.said, row.note) if text)}</td>"
        f"{cell}{_bar(row)}</td></tr>"
        for row in rows(known, time.time() if now is None else now)
    )
    said = "".join(f'<p style="line-height:1.4">{html.escape(sentence)}</p>' for sentence in notes(known))
    table = f'<table aria-label="Use and limits">{body}</table>' if body else ""
    return (table + said) or "<p>Nothing is known of quotas.</p>"
