"""What the benchmarks calculate and how they show it. Pure, no I/O."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure of ours beside the peer's.

    ``aim`` is the most that ``of`` may be: the ratio (ours / peer), or our own figure. None: there is no aim.
    """

    name: str
    unit: str
    ours: float | None
    peer: float | None
    ours_all: tuple[float, ...] = ()
    peer_all: tuple[float, ...] = ()
    aim: float | None = None
    of: str = "ratio"

    @property
    def ratio(self) -> float | None:
        """Ours as a part of the peer's; None when one of them is missing or the peer's is 0."""
        return self.ours / self.peer if self.ours is not None and self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim or a figure."""
        value = self.ratio if self.of == "ratio" else self.ours
        return None if self.aim is None or value is None else value <= self.aim


@dataclass(frozen=True)
class Result:
    """What one benchmark found. The first row is the one that its summary in JSON repeats."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """``{"name", "ours", "peer", "ratio", "unit", "rows", "notes", "details"}``; numbers as measured."""
        first = self.rows[0]
        return {
            "name": self.name,
            "ours": first.ours,
            "peer": first.peer,
            "ratio": first.ratio,
            "unit": first.unit,
            "rows": [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in self.rows],
            "notes": list(self.notes),
            "details": dict(self.details),
        }


def median_row(
    name: str, unit: str, ours: Sequence[float], peer: Sequence[float], aim: float | None = None, of: str = "ratio"
) -> Row:
    """A row of two medians; a side without measurements has none."""
    return Row(name, unit, median(ours), median(peer), tuple(ours), tuple(peer), aim, of)


def median(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` per cent of all are not above (nearest rank).

    :raises ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def shown(value: float | None) -> str:
    """A figure with three significant digits, or a dash."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Least and most of several measurements."""
    return f" ({shown(min(values))}-{shown(max(values))})" if len(values) > 1 else ""


def table(result: Result) -> str:
    """The result for a terminal: medians, least and most in brackets, the ratio, and whether the aim is met."""
    cells = [("", "unit", "ours", "peer", "ratio", "aim")]
    for row in result.rows:
        aim = "" if row.aim is None else f"{'ratio' if row.of == 'ratio' else 'ours'} <= {shown(row.aim)}"
        if row.met is not None:
            aim += ": met" if row.met else ": MISSED"
        ours, peer = shown(row.ours) + spread(row.ours_all), shown(row.peer) + spread(row.peer_all)
        cells.append((row.name, row.unit, ours, peer, shown(row.ratio), aim))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([result.name, *lines, *(f"  {note}" for note in result.notes)])
