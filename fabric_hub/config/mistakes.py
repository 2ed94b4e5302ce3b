"""Mistakes in a file of TOML tables, each with the line that it stands on. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from typing import Any


def explain(item: Any, text: str, name: str) -> list[str]:
    """A mistake that pydantic found in a file's tables, as lines ``name:line: key: what``."""
    loc = [str(part) for part in item["loc"] if part != "[key]"]
    message = _message(item)
    if loc:
        return [f"{name}:{line_of(text, loc)}: {'.'.join(loc)}: {message}"]
    # a check of the whole file names its own places, one on each line
    return [at_line(mistake, text, name) for mistake in message.split("\n")]


# What pydantic says of kinds that people know by other names, and how they are written in the file.
_KINDS = {
    "string": 'must be text in quotation marks, such as "gpu"',
    "int": "must be a whole number, such as 4",
    "float": "must be a number, such as 1.5",
    "bool": "must be true or false",
    "date": "must be a day, such as 2027-12-31",
    "tuple": 'must be a list, such as ["one", "two"]',
    "list": 'must be a list, such as ["one", "two"]',
    "dict": "must be a table of its own, such as [hub] or [profile.gpu-1]",
    "model": "must be a table of its own, such as [hub] or [profile.gpu-1]",
    "path": 'must be a path in quotation marks, such as "/srv/fabric"',
}

_SAID_ALREADY = frozenset({"value_error", "assertion_error", "kept", "unknown"})
_LIMITS = frozenset({"string_too_long", "string_too_short", "date_past", "date_future", "finite_number"})


def _message(item: Any) -> str:
    """What is allowed, with an example, and what stands there; a pattern would tell a person nothing."""
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return "no such setting"
    if kind == "missing":
        return "is required"
    if kind in _SAID_ALREADY:
        return str(item["msg"].removeprefix("Value error, "))
    if kind == "string_pattern_mismatch":
        told = "is written in another form than the reference says"
    else:
        told = _KINDS.get(kind.partition("_")[0], item["msg"].replace("Input should be", "must be"))
        if kind in _LIMITS:
            told = item["msg"].replace("Input should be", "must be")
    better = (item.get("ctx") or {}).get("better", "")
    return f"{told}, not {_shown(value)}" + (f": {better}" if better else "")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:80]}"'
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, Mapping) else "a list" if isinstance(value, list | tuple) else str(value)[:80]


def across(data: Mapping[str, Any]) -> list[str]:
    """What is wrong between a site file's tables, as ``key: what``. Tables with mistakes of their own do no harm."""
    profiles, images, projects = (_table(data.get(kind)) for kind in ("profile", "image", "project"))
    wrong = [
        f"project.{name}.{field}: {ref!r} is not a [{kind}.NAME] of this file"
        for name, project in projects.items()
        for field, kind, known in (("profiles", "profile", profiles), ("images", "image", images))
        for ref in _names(_table(project).get(field))
        if ref not in known
    ]
    wrong += [
        f"profile.{name}: needs Slurm, but this file has no [slurm] section"
        for name, profile in profiles.items()
        if _table(profile).get("kind", "slurm") == "slurm" and data.get("slurm") is None
    ]
    rescue = _table(data.get("quotas")).get("rescue_profile")
    if isinstance(rescue, str):
        profile = _table(profiles.get(rescue))
        if rescue not in profiles:
            wrong.append(f"quotas.rescue_profile: {rescue!r} is not a [profile.NAME] of this file")
        elif profile.get("gpus") or profile.get("shards"):
            wrong.append(f"quotas.rescue_profile: {rescue!r} has GPUs, which a used-up budget does not allow")
    return wrong


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []


def at_line(mistake: str, text: str, name: str) -> str:
    """A mistake ``key: what`` with the line that its key stands on."""
    return f"{name}:{line_of(text, mistake.split(':')[0].split('.'))}: {mistake}"


def line_of(text: str, loc: list[str]) -> int:
    """The line (from 1) on which the deepest part of a key path stands that the text has.

    tomllib keeps no positions; a site's file is plain tables and keys, so this
    follows ``[table]`` and ``[[table]]`` headers and ``key =`` lines, and dotted keys in both.
    """
    best, depth = 1, 0
    table: list[str] = []
    counted: Counter[tuple[str, ...]] = Counter()  # [[tables]] are known by number, from 0
    for number, line in enumerate(text.split("\n"), 1):  # what TOML, and an editor, count as a line
        header = re.match(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$", line)
        one_of = re.match(r"\s*\[\[([^\[\]]+)\]\]\s*(?:#.*)?$", line)
        key = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if header:
            table = _dotted(header.group(1))
            here = table
        elif one_of:
            many = _dotted(one_of.group(1))
            counted[tuple(many)] += 1
            table = [*many, str(counted[tuple(many)] - 1)]
            here = table
        elif key:
            here = table + _dotted(key.group(1))
        else:
            continue
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(here, loc, strict=False)))
        if shared > depth and (shared == len(here) or shared == len(loc)):
            best, depth = number, shared
    return best


def _dotted(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in key.split(".")]
