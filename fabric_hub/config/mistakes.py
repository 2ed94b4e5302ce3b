"""Mistakes in a file of TOML tables, each with the line that it stands on. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from fabric_hub.messages.text import REASONS, Text, verbatim
from fabric_hub.messages.texts import site_file as texts


class Mistake(NamedTuple):
    """What is wrong with the setting of a key (``profile.gpu-1.partition``)."""

    key: str
    what: Text

    def __str__(self) -> str:
        return f"{self.key}: {self.what}"


class MistakesError(ValueError):
    """Mistakes that a check of several settings found, each at a place of its own."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def explain(item: Any, text: str, name: str) -> list[Text]:
    """A mistake that pydantic found in a file's tables, as lines ``name:line: key: what``."""
    loc = [str(part) for part in item["loc"] if part != "[key]"]
    error = (item.get("ctx") or {}).get("error")
    if not loc and isinstance(error, MistakesError):
        return [at_line(mistake, text, name) for mistake in error.mistakes]
    key = ".".join(loc)
    return [texts.AT_LINE(name=name, line=line_of(text, loc), key=key, what=what_is_wrong(item))]


_BOUNDS = {
    "greater_than_equal": ("ge", texts.AT_LEAST),
    "greater_than": ("gt", texts.ABOVE),
    "less_than_equal": ("le", texts.AT_MOST),
    "less_than": ("lt", texts.BELOW),
}
_SAID_ALREADY = frozenset({"value_error", "assertion_error"})
_LIMITS = frozenset({"string_too_long", "string_too_short", "date_past", "date_future", "finite_number"})


def what_is_wrong(item: Any) -> Text:
    """What is allowed, with an example, and what stands there; a pattern would tell a person nothing.

    What only pydantic has words for is said in its English. ``item["msg"]`` may be a text.
    """
    kind, value, context = item["type"], _shown(item.get("input")), item.get("ctx") or {}
    if isinstance(item["msg"], Text):
        return item["msg"]
    if kind == "extra_forbidden":
        return texts.NO_SUCH_SETTING()
    if kind == "missing":
        return texts.REQUIRED()
    own = item["msg"].replace("Input should be", "must be")
    if kind in _SAID_ALREADY:
        words = context.get("error")
        given = words.args[0] if isinstance(words, Exception) and words.args else None
        return given if isinstance(given, Text) else verbatim(item["msg"].removeprefix("Value error, "))
    if kind in REASONS:
        return REASONS[kind](**context)
    if kind == "words":
        about = {"rule": context["rule"], "example": context["example"], "value": value}
        better = context.get("better")
        if not better:
            return texts.SUCH_AS(**about)
        return texts.SUCH_AS_BETTER(**about, better=REASONS[better.code](**better.params))
    if kind in _BOUNDS:
        name, reason = _BOUNDS[kind]
        return reason(bound=_shown(context[name]), value=value)
    if kind in ("literal_error", "enum"):
        return texts.ONE_OF(known=tuple(re.findall("'[^']*'", context["expected"])), value=value)
    if kind == "string_pattern_mismatch":
        return texts.MUST_BE(rule=texts.OTHER_FORM, value=value)
    return texts.MUST_BE(rule=own if kind in _LIMITS else texts.KINDS.get(kind.partition("_")[0], own), value=value)


def _shown(value: Any) -> Text | str:
    if isinstance(value, str):
        return f'"{_printable(value[:80])}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return texts.A_TABLE()
    return texts.A_LIST() if isinstance(value, list | tuple) else str(value)[:80]


def _printable(text: str) -> str:
    """A text that somebody else may have made up, without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def across(data: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong between a site file's tables. Tables with mistakes of their own do no harm."""
    profiles, images, projects = (_table(data.get(kind)) for kind in ("profile", "image", "project"))
    templates = _table(_table(data.get("catalogue")).get("templates"))
    wrong = [
        Mistake(f"{table}.{name}.{field}", texts.NO_SUCH_REFERENCE(name=repr(ref), table=kind))
        for table, tables in (("project", projects), ("catalogue.templates", templates))
        for name, project in tables.items()
        for field, kind, known in (("profiles", "profile", profiles), ("images", "image", images))
        for ref in _names(_table(project).get(field))
        if ref not in known
    ]
    wrong += [
        Mistake(f"profile.{name}", texts.NEEDS_SLURM())
        for name, profile in profiles.items()
        if _table(profile).get("kind", "slurm") == "slurm" and data.get("slurm") is None
    ]
    rescue = _table(data.get("quotas")).get("rescue_profile")
    if isinstance(rescue, str):
        profile = _table(profiles.get(rescue))
        if rescue not in profiles:
            wrong.append(Mistake("quotas.rescue_profile", texts.NO_SUCH_REFERENCE(name=repr(rescue), table="profile")))
        elif profile.get("gpus") or profile.get("shards"):
            wrong.append(Mistake("quotas.rescue_profile", texts.RESCUE_HAS_GPUS(name=repr(rescue))))
    if _table(data.get("catalogue")).get("starter") and not _table(data.get("login")).get("without_project"):
        wrong.append(Mistake("catalogue.starter", texts.STARTER_FOR_NOBODY()))
    if data.get("mail") is not None and not _table(data.get("site")).get("support_email"):
        wrong.append(Mistake("mail", texts.MAIL_TO_NOBODY()))
    if data.get("folders") is not None and _table(data.get("users")).get("shared_account"):
        wrong.append(Mistake("folders", texts.FOLDERS_SHARED()))
    return wrong


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []


def at_line(mistake: Mistake, text: str, name: str) -> Text:
    """A mistake with the line that its key stands on."""
    line = line_of(text, mistake.key.split("."))
    return texts.AT_LINE(name=name, line=line, key=mistake.key, what=mistake.what)


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
