"""How far a start came that failed."""

from __future__ import annotations

from fabric_hub.types import Frozen


class StepsReached(Frozen):
    """The step that a start was at, as JupyterHub counts them (0 to 100), and when it came to each, in Unix seconds."""

    progress: int
    times: dict[str, float]
