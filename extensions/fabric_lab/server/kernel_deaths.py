"""Says why a kernel is gone that the system killed because memory was used up.

Jupyter says of such a kernel only that it appears to have died. The system's kernel counts whom it kills for memory: in
the job's cgroup, and for the node as a whole. A job without a cgroup has only the latter, which may have been somebody
else's process: then it is said as probable.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal, NamedTuple

from ..answers import KilledKernel
from ..common import job_usage

KERNELS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
LOOK_S = 5.0
# Jupyter looks every three seconds whether a kernel lives: what was counted so long before it noticed belongs to it.
BELONGS_S = 30.0
# From this part of the memory on a kernel that was killed was probably killed for it.
NEAR = 0.9
KEEP = 10


class Counted(NamedTuple):
    """How many were killed for memory so far, of the job and on the node, and the most that one child has ever used.

    None: it is not counted here. ``peak`` is bytes.
    """

    job: int | None
    node: int | None
    peak: int


class Cause(NamedTuple):
    """Whose memory was used up; ``certain``: the system says so of this job."""

    scope: Literal["session", "node"]
    certain: bool


def cause(returncode: int | None, before: Counted, now: Counted, limit: int | None) -> Cause | None:
    """Why a kernel died; None: not for memory, or nothing speaks for it.

    :param returncode: how it ended; negative: by that signal.
    :param before: what was counted some seconds before.
    :param limit: the session's memory in bytes; None: not known.
    """
    if returncode != -signal.SIGKILL:
        return None
    if before.job is not None and now.job is not None:
        return Cause("session", True) if now.job > before.job else None
    if limit and now.peak > before.peak and now.peak >= NEAR * limit:
        return Cause("session", False)
    if before.node is not None and now.node is not None and now.node > before.node:
        return Cause("node", False)
    return None


def counted(where: job_usage.Place) -> Counted:
    """What is counted now."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    return Counted(job_usage.killed_for_memory(where), job_usage.killed_on_node(), peak)


class KernelDeaths:
    """Watches all kernels of a server from their start on. ``known`` are those that were killed, the latest last.

    :param limit: the session's memory in bytes, as far as it is known.
    :param changed: called when there is one more.
    :param look: what is counted now.
    """

    def __init__(
        self,
        where: job_usage.Place,
        limit: Callable[[], int | None],
        changed: Callable[[], None],
        look: Callable[[job_usage.Place], Counted] = counted,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.known: deque[KilledKernel] = deque(maxlen=KEEP)
        self._where = where
        self._limit = limit
        self._changed = changed
        self._look = look
        self._clock = clock
        self._counted: deque[tuple[float, Counted]] = deque([(clock(), look(where))])
        self._tasks: set[asyncio.Task[None]] = set()

    def watch(self, kernels: Any, sessions: Any, events: Any) -> None:
        """Follow a server's kernel manager by its events; its session manager knows the notebooks."""
        self._kernels, self._sessions = kernels, sessions
        if events is not None and KERNELS in events.schemas.schema_ids:
            events.add_listener(schema_id=KERNELS, listener=self._happened)

    async def run(self) -> None:
        """Remember what is counted, until cancelled."""
        while True:
            self.remember()
            await asyncio.sleep(LOOK_S)

    def remember(self) -> None:
        """What is counted now; of what was before as much is kept as a death may look back on."""
        self._counted.append((self._clock(), self._look(self._where)))
        while len(self._counted) > 1 and self._counted[1][0] <= self._clock() - BELONGS_S:
            self._counted.popleft()

    async def _happened(self, logger: Any, schema_id: str, data: Mapping[str, Any]) -> None:
        kernel = data.get("kernel_id")
        began = data.get("action") == "start" and data.get("status") == "success"
        if began and isinstance(kernel, str) and kernel in self._kernels:
            self._kernels.add_restart_callback(kernel, partial(self._died, kernel), "restart")
            self._kernels.add_restart_callback(kernel, partial(self._died, kernel), "dead")

    def _died(self, kernel: str) -> None:
        """Jupyter has found it dead; what it was is still there."""
        provisioner = self._kernels.get_kernel(kernel).provisioner
        process = getattr(provisioner, "process", None)
        if found := self.judge(getattr(process, "returncode", None)):
            task = asyncio.get_running_loop().create_task(self._tell(kernel, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def judge(self, returncode: int | None) -> Cause | None:
        """Why a kernel died that ended so; what is counted now explains no other one after it."""
        now = self._look(self._where)
        found = cause(returncode, self._counted[0][1], now, self._limit())
        if found:
            self._counted = deque([(self._clock(), now)])
        return found

    async def _tell(self, kernel: str, found: Cause) -> None:
        path = ""
        with suppress(Exception):  # a kernel without a notebook: Jupyter answers 404
            path = str((await self._sessions.get_session(kernel_id=kernel)).get("path") or "")
        self.known.append(
            KilledKernel(
                kernel=kernel,
                path=path,
                at=time.time(),
                scope=found.scope,
                memory=self._limit() if found.scope == "session" else None,
                certain=found.certain,
            )
        )
        self._changed()
