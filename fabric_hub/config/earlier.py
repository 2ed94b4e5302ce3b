"""Names that the site's file had in an earlier release: accepted for one release, and said. Pure.

Until 0.1 the catalogue service's section was called ``[datasets]``, and ``[datasets.catalogue]`` what its exports say
of themselves. A file that still has them means the places of that release, too, where it leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fabric_hub.messages.texts import site_file as texts

from .mistakes import Mistake

_SECTION, _EXPORT = ("datasets", "catalogue"), ("catalogue", "export")  # each as it was, and as it is
_PLACES = {
    "account": "fabric-data",
    "state_dir": "/var/lib/fabric-data",
    "socket": "/run/fabric-data/keeper.sock",
}


def is_earlier(data: Mapping[str, Any]) -> bool:
    """Whether the tables of a site's file have the catalogue service's section under its earlier name."""
    was, now = _SECTION
    return isinstance(data.get(was), Mapping) and now not in data


def renamed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a site's file under the names of this release; what is not set stays so."""
    made = dict(data)
    if is_earlier(data):
        (section, section_now), (export, export_now) = _SECTION, _EXPORT
        table = dict(made.pop(section))
        if export in table and export_now not in table:
            table[export_now] = table.pop(export)
        made[section_now] = table
    return made


def with_places(data: Mapping[str, Any]) -> dict[str, Any]:
    """:func:`renamed`, and the catalogue service where the earlier release had it unless the file says otherwise."""
    made = renamed(data)
    if is_earlier(data):
        made[_SECTION[1]] = {**_PLACES, **made[_SECTION[1]]}
    return made


def as_written(loc: Sequence[Any], data: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where a setting of this release's name stands in a file."""
    found = list(loc)
    if found and found[0] == _SECTION[1] and is_earlier(data):
        found[0] = _SECTION[0]
        if len(found) > 1 and found[1] == _EXPORT[1]:
            found[1] = _EXPORT[0]
    return tuple(found)


def notes(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """What to say of a file's earlier names, each at its key, and with the remedy as its hint."""
    if not is_earlier(data):
        return
    section = _SECTION[0]
    yield Mistake(section, texts.SECTION_RENAMED())
    left_out = tuple(f'{name} = "{place}"' for name, place in _PLACES.items() if name not in data[section])
    if left_out:
        yield Mistake(section, texts.PLACES_LEFT_OUT(settings=left_out))
