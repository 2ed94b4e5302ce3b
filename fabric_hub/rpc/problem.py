"""How a refusal or a failure travels between our processes."""

from __future__ import annotations

from fabric_hub.types import Frozen


def name_of(who: str) -> str:
    """The code of a daemon that is called so in words: "catalogue service" is ``catalogue``."""
    return who.partition(" ")[0]


class Problem(Frozen):
    """The body of every error answer of our APIs."""

    message: str
    reason: str
    hint: str = ""
    since: float | None = None
