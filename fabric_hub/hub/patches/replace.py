"""How a part of a library is replaced: once, however often the hub is configured, and so that it can be found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MARK = "fabric_replaces"


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put ours in the place of an attribute. One that is ours already gives way: nothing is ever wrapped twice.

    :param owner: the module or class that has it.
    :param make: gets the library's own and returns what takes its place, an object that is nowhere else.
    """
    theirs = original(getattr(owner, name))
    ours = make(theirs)
    setattr(ours, _MARK, theirs)
    setattr(owner, name, ours)


def original(value: Any) -> Any:
    """The library's own behind what stands in its place; anything else is returned as it is."""
    return getattr(value, _MARK, value)
