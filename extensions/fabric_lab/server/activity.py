"""When anybody or anything was last at work in this session: a cell, a terminal, a saved file, a Dask cluster's task.

What a live widget draws in the background is none of them: a notebook that shows its own quota is as idle as any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

SAVED = "https://events.jupyter.org/jupyter_server/contents_service/v1"
CONTENTS_VERBS = frozenset({"save", "rename", "delete", "copy"})


class Idle(NamedTuple):
    """``idle_s``: seconds since something was at work; ``busy``: something is, or was since the last look."""

    idle_s: float
    busy: bool


async def clusters_at_work() -> bool:
    """Whether a Dask cluster of this session computes something, or does not say whether it does.

    Whoever trains on one has a kernel that waits for nothing, and a GPU of their own that does nothing.
    """
    from ..dask import dashboard_client  # with the first report, not with the server

    return await dashboard_client.at_work()


class Activity:
    """Watches the kernels and the terminals of a Jupyter server, and the files that it saves.

    :param clock: seconds that only grow.
    :param changed: called when a cell begins or ends.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, changed: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._changed = changed
        self._last = clock()
        self._printed = False
        self._kernels: dict[str, Any] = {}

    def touch(self) -> None:
        """Somebody is here."""
        self._last = self._clock()

    def watch(self, kernels: Any, terminals: Any, events: Any) -> None:
        """Follow a server's kernel manager, and its terminal manager and its events where it has them."""
        self._manager = kernels
        if terminals is not None:
            terminals.pre_pty_read_hook = self._pty_read  # the place where terminado lets others look
        if events is not None and SAVED in events.schemas.schema_ids:
            events.add_listener(schema_id=SAVED, listener=self._contents)
        self.look()

    def look(self) -> Idle:
        """How it stands now. Starts to follow kernels that are new."""
        running: Mapping[str, Any] = {name: self._manager.get_kernel(name) for name in self._manager.list_kernel_ids()}
        for name in running.keys() - self._kernels.keys():
            running[name].observe(self._kernel_changed, names="execution_state")
            self.touch()
        self._kernels = dict(running)
        at_work = any(kernel.execution_state == "busy" for kernel in running.values())
        if at_work:
            self.touch()
        busy, self._printed = at_work or self._printed, False
        return Idle(max(0.0, self._clock() - self._last), busy)

    def _kernel_changed(self, change: Mapping[str, Any]) -> None:
        if "busy" in (change["old"], change["new"]):  # a cell begins or ends
            self.touch()
            self._changed()

    @property
    def kernels_busy(self) -> int:
        """How many kernels run a cell now, those among them that were not looked at yet."""
        kernels = (self._manager.get_kernel(name) for name in self._manager.list_kernel_ids())
        return sum(kernel.execution_state == "busy" for kernel in kernels)

    def _pty_read(self, pty: Any) -> None:
        self._printed = True
        self.touch()

    async def _contents(self, logger: Any, schema_id: str, data: Mapping[str, Any]) -> None:
        if data.get("action") in CONTENTS_VERBS:
            self.touch()
