"""Tells the hub's service about once a minute whether this session is at work, and keeps its decision for the browser.

It begins once the server is ready: nothing of it is what a person waits for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from ..answers import IdleDecision
from ..client import AsyncHubClient
from ..common.gpu import Gpus
from ..schema import IdleReport
from .activity import Activity, Idle, clusters_at_work

SAMPLE_S = 10.0  # NVML keeps its own samples for longer than that
SOONEST_S, LATEST_S = 5.0, 3600.0
AGAIN_S = 60.0
# When a cell begins or ends, or a document is saved, the hub hears of it; not more often than this.
CHANGED_S = 5.0


def decision(body: dict[str, Any] | None) -> IdleDecision | None:
    """The decision in a service's answer; None when it holds none."""
    if body is None or not isinstance(body.get("state"), str):
        return None
    text, what = (value if isinstance(value := body.get(key), str) else "" for key in ("text", "what"))
    quiet_since, stop_at = (
        float(value) if isinstance(value := body.get(key), int | float) else None for key in ("quiet_since", "stop_at")
    )
    return IdleDecision(state=body["state"], text=text, what=what, quiet_since=quiet_since, stop_at=stop_at)


def pause(body: dict[str, Any] | None) -> float:
    """Seconds until the next report: as the service wishes, within bounds."""
    wished = (body or {}).get("next_report_s")
    number = isinstance(wished, int | float) and not isinstance(wished, bool) and math.isfinite(wished)
    return min(LATEST_S, max(SOONEST_S, float(wished))) if number and wished is not None else AGAIN_S


def highest(before: list[float] | None, now: list[float] | None) -> list[float] | None:
    """The higher use of each GPU; None as soon as one reading is missing: what is not known is not idle."""
    if before is None or now is None or len(before) != len(now):
        return None
    return [max(pair) for pair in zip(before, now, strict=True)]


class Reporter:
    """``decision`` is the service's last word; ``changed`` is called when it is another one.

    :param clusters: whether a cluster of the session works.
    :param unsaved: how many documents are unsaved; None: not known.
    """

    def __init__(
        self,
        service: AsyncHubClient,
        activity: Activity,
        gpus: Gpus,
        changed: Callable[[], None],
        clusters: Callable[[], Awaitable[bool]] = clusters_at_work,
        unsaved: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.decision: IdleDecision | None = None
        self._service = service
        self._activity = activity
        self._gpus = gpus
        self._changed = changed
        self._clusters = clusters
        self._unsaved = unsaved
        self._told: tuple[int, int | None] | None = None
        self._news = asyncio.Event()
        self._peaks: list[float] | None = None
        self._sampled = False
        self._busy = self._others = False
        self._reporting = asyncio.Lock()

    def news(self) -> None:
        """Something is other than the hub was told: it hears of it soon."""
        self._news.set()

    async def run(self) -> None:
        """Report until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            wait_s = await self.report()
            at = clock()
            until = at + wait_s
            while (left := until - clock()) > 0:
                await self._some_time(min(SAMPLE_S, left))
                self._look()  # from now on a kernel that is new says itself when it begins
                if self._known() != self._told:
                    until = min(until, at + CHANGED_S)
                if self._judged and until > clock():
                    await self._sample()

    async def _some_time(self, seconds: float) -> None:
        """So long, or until there is news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    def _known(self) -> tuple[int, int | None]:
        return self._activity.kernels_busy, self._unsaved()

    @property
    def _judged(self) -> bool:
        return self.decision is not None and self.decision["state"] != "off"

    async def _sample(self) -> None:
        """Look at kernels, terminals, clusters and GPUs."""
        if await self._clusters():
            self._activity.touch()
            self._busy = self._others = True
        self._look()
        if len(self._gpus):
            seen = await asyncio.to_thread(self._gpus.busiest)
            self._peaks = highest(self._peaks, seen) if self._sampled else seen
        self._sampled = True

    def _look(self) -> Idle:
        """Look at kernels and terminals; what is at work beside kernels is noted."""
        idle = self._activity.look()
        self._busy |= idle.busy
        self._others |= idle.busy and not self._activity.kernels_busy
        return idle

    async def report(self) -> float:
        """Tell the service; returns the seconds until the next time."""
        async with self._reporting:
            await self._sample()
            idle = self._look()
            self._told = kernels_busy, unsaved = self._known()
            report = IdleReport(
                idle_s=round(idle.idle_s, 1),
                busy=self._busy,
                gpu_percent=self._peaks if len(self._gpus) else [],
                kernels_busy=kernels_busy,
                others_busy=self._others,
                unsaved=unsaved,
            )
            self._peaks, self._sampled, self._busy, self._others = None, False, False, False
            answer = await self._service.ask("/idle", "POST", report)
            before, self.decision = self.decision, decision(answer.body)
        if before != self.decision:
            self._changed()
        return pause(answer.body)
