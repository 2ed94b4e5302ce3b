"""``from fabric_lab import quota; quota()``: what is used and what is left, in a notebook.

Runs in the kernel. ``quota()`` is a live widget; saved with the notebook it stays as plain HTML, and as text.
``quota.data`` is the same as a dict.
"""

from __future__ import annotations

import os
import time
from typing import Any

from .. import client
from ..common.gpu import Gpus
from . import usage_format
from .live_table import LiveTable

EVERY_S = 30.0
KEEP_S = 30.0


def blank(problem: str) -> dict[str, Any]:
    """What is known when the hub says nothing: the same keys, empty."""
    return {
        "project": os.environ.get("FABRIC_PROJECT", ""),
        "gpu_hours": None,
        "user_gpu_hours": None,
        "trend": [],
        "storage": [],
        "time": {"ends_at": None},
        "idle": None,
        "warnings": [],
        "age_s": None,
        "unavailable_since": None,
        "problem": problem,
    }


class QuotaView(LiveTable):
    """A live table of use and limits; stops when closed."""

    def __init__(self, source: Quota, every_s: float = EVERY_S) -> None:
        self._source = source
        super().__init__(lambda: usage_format.as_html(source.fresh()), every_s)

    def __repr__(self) -> str:
        return usage_format.as_text(self._source.data, time.time())


class Quota:
    """Quota and use of this session's project and user. Call it for a widget; printed, it is text."""

    def __init__(self) -> None:
        self._known: dict[str, Any] | None = None
        self._until = 0.0
        self._gpus: Gpus | None = None

    def fresh(self) -> dict[str, Any]:
        """Ask the hub (at most once in thirty seconds), and read the GPUs."""
        if self._known is None or time.monotonic() >= self._until:
            body, problem = client.call("/quota")
            self._known = blank(problem) if body is None else body
            self._until = time.monotonic() + KEEP_S
        self._gpus = self._gpus or Gpus(os.environ)
        return {**self._known, "gpu_use": self._gpus.read()}

    @property
    def data(self) -> dict[str, Any]:
        """gpu_hours, user_gpu_hours (limit, used, left ... or None), storage, trend, time, gpu_use, warnings, problem.

        GPU-hours are numbers of hours, sizes bytes, times Unix seconds.
        """
        return self.fresh()

    def __call__(self, every_s: float = EVERY_S) -> QuotaView:
        """A live widget.

        :param every_s: seconds between updates.
        """
        return QuotaView(self, every_s)

    def __repr__(self) -> str:
        return usage_format.as_text(self.data, time.time())


quota = Quota()
