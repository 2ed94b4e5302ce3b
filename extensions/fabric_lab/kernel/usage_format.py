"""Quota, use and time left in words, and as HTML that needs no program to be read. Pure."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..common import formats
from ..common.formats import ago, hours, percent, size
from ..common.translation import _, sentences

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


def _above(balance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in balance.get("above") or () if isinstance(one, Mapping)]


def limiting(balance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The limit above that leaves the least, with its own numbers; None where the budget's own does."""
    return next((one for one in _above(balance) if one.get("name") == balance.get("limited_by")), None)


def forecast(balance: Mapping[str, Any]) -> str:
    """The sentence on how long a budget lasts; "" where there is no limit, or nothing is used."""
    left, until = number(balance.get("left")), number(balance.get("lasts_until"))
    if left is not None and left <= 0:
        return _("Nothing is left: no new session with a GPU can start.")
    above = next((one for one in _above(balance) if number(one.get("lasts_until")) == until), None)
    rate = number((above or balance).get("rate_per_day"))
    if until is None or rate is None:
        return ""
    said = (
        _("At the present rate of {account} ({rate} a day) this lasts until {day}.")
        if above
        else _("At the present rate ({rate} a day) this lasts until {day}.")
    )
    return said.format(account=(above or {}).get("name"), rate=hours(rate), day=formats.day(until))


def balance(name: str, budget: object, *, personal: bool = False) -> list[Row]:
    """A budget's row; none where nothing is known. Of a person's own (``personal``) the account's is said elsewhere."""
    if not isinstance(budget, Mapping):
        return []
    limit, used, left = (number(budget.get(key)) for key in ("limit", "used", "left"))
    if used is None:
        return []
    if personal and limit is None:
        return [Row(name, _("{used} GPU-hours (no personal limit)").format(used=hours(used)))]
    if limit is None and left is None:
        return [Row(name, _("{used} GPU-hours used, no limit").format(used=hours(used)))]
    own = None if limit is None else max(0.0, limit - used)
    rest = max(0.0, (own or 0.0) if left is None else left)
    above = limiting(budget)
    whole = number(above.get("limit")) if above else None
    # as shown: the last bits of the two differences are not the same
    if own is not None and not above and (rest >= own or hours(rest) == hours(own)):
        said = _("{used} of {limit} GPU-hours used, {left} left")
    elif whole is None:
        said = (
            _("{used} GPU-hours used (no limit set); {account} has {left} left")
            if limit is None
            else _("{used} of {limit} GPU-hours used; {account} has {left} left")
        )
    else:
        said = (
            _("{used} GPU-hours used (no limit set); {account} has {left} of {whole} left")
            if limit is None
            else _("{used} of {limit} GPU-hours used; {account} has {left} of {whole} left")
        )
    said = said.format(
        used=hours(used),
        limit=hours(limit or 0),
        left=hours(rest),
        whole=hours(whole or 0),
        account=budget.get("limited_by") or _("a limit above"),
    )
    parts = [_share(number(one.get("used")), number(one.get("limit"))) for one in (budget, above) if one]
    known = [part for part in parts if part is not None]
    return [Row(name, said, max(known, default=None), forecast(budget) if known else "")]


def _share(used: float | None, limit: float | None) -> float | None:
    if used is None or limit is None:
        return None
    return used / limit if limit > 0 else 1.0


def storage(quota: Mapping[str, Any], now: float) -> Row:
    """A file system's row."""
    name = str(quota.get("title") or quota.get("path") or _("Storage"))
    used, limit, at = (number(quota.get(key)) for key in ("used", "limit", "at"))
    files_used, files_limit = (number(quota.get(key)) for key in ("files_used", "files_limit"))
    if problem := quota.get("problem"):
        return Row(name, _("not known"), None, str(problem))
    parts = [used / limit] if used is not None and limit else []
    if files_limit and files_used is not None:
        parts.append(files_used / files_limit)
        said = (
            _("{used} of {limit} used; {files} of {most} files")
            if limit
            else _("{used} used, no limit; {files} of {most} files")
        )
    else:
        said = _("{used} of {limit} used") if limit else _("{used} used, no limit")
    said = said.format(
        used=size(used or 0),
        limit=size(limit or 0),
        files=formats.fixed(files_used or 0),
        most=formats.fixed(files_limit or 0),
    )
    note = _("Asked {ago}.").format(ago=ago(now - at)) if at is not None else ""
    return Row(name, said, max(parts, default=None), note)


def gpu(device: Mapping[str, Any]) -> Row:
    """A GPU's row; its bar is its memory."""
    name = f"GPU {device['index']}" + (f" ({device['name']})" if device["name"] else "")
    used, total = number(device["memory_used"]), number(device["memory_total"])
    if device["problem"] or used is None or not total:
        return Row(name, device["problem"] or _("not known"))
    use = device["percent"]
    said = _("{used} of {total} memory") if use is None else _("{percent} in use, {used} of {total} memory")
    return Row(name, said.format(percent=percent((use or 0) / 100), used=size(used), total=size(total)), used / total)


def warned(known: Mapping[str, Any], whose: str) -> bool:
    """Whether a warning in force says already how long a budget lasts: one sentence, and one number, is enough."""
    subject = f"{whose}:{known.get('project')}{'/' if whose == 'user' else '#'}"
    warnings = [one for one in known.get("warnings") or () if isinstance(one, Mapping)]
    return any(str(one.get("id", "")).startswith(subject) for one in warnings)


def rows(known: Mapping[str, Any], now: float) -> list[Row]:
    """Everything that there is to show, most urgent first."""
    project = str(known.get("project_title") or known.get("project") or _("this project"))
    found = []
    moment = known.get("time")
    ends_at = number(moment.get("ends_at")) if isinstance(moment, Mapping) else None
    if ends_at is not None:
        end = _("This session ends at {time}.").format(time=formats.clock(ends_at, now))
        found.append(Row(_("Time"), formats.left(ends_at, now), None, end))
    for whose, name, key in (
        ("project", _("GPU-hours of {project}").format(project=project), "gpu_hours"),
        ("user", _("Your own GPU-hours"), "user_gpu_hours"),
    ):
        told = balance(name, known.get(key), personal=whose == "user")
        found += [row._replace(note="") if warned(known, whose) else row for row in told]
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
        updated = _("Updated {ago}.").format(ago=ago(age))
        said.append(sentences(updated, _("These figures are old.") if age > OLD_S else ""))
    return said


def as_text(known: Mapping[str, Any], now: float) -> str:
    """Lines of text."""
    shown = rows(known, now)
    width = max((len(row.name) for row in shown), default=0) + 2
    lines = []
    for row in shown:
        lines.append(f"{row.name + ':':{width}}{row.said}{'' if row.part is None else f' ({percent(row.part)})'}")
        if row.note:
            lines.append(" " * width + row.note)
    return "\n".join([*lines, *notes(known)]) or _("Nothing is known of quotas.")


def _bar(row: Row) -> str:
    if row.part is None:
        return ""
    share = percent(row.part)
    label = _("{name}: {percent} used").format(name=row.name, percent=share)
    return (
        f'<meter min="0" max="1" low="{HIGH}" high="{FULL}" optimum="0" value="{min(1.0, row.part):.3f}" '
        f'aria-label="{html.escape(label)}" style="width:12em"></meter> {share}'
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
    label, nothing = html.escape(_("Use and limits")), html.escape(_("Nothing is known of quotas."))
    table = f'<table aria-label="{label}">{body}</table>' if body else ""
    return (table + said) or f"<p>{nothing}</p>"
