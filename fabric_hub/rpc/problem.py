"""How a refusal or a failure travels between our processes."""

from __future__ import annotations

from fabric_hub.types import Frozen


class Problem(Frozen):
    """The body of every error answer of our APIs."""

    message: str
    reason: str
    hint: str = ""
    since: float | None = None
