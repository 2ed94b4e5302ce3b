"""Why a kernel died, from what was counted before and after; and whom it is said of."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fabric_lab.common.job_usage import Place
from fabric_lab.server.kernel_deaths import BELONGS_S, KERNELS, Cause, Counted, KernelDeaths, cause

GB = 10**9
KILLED = -9


@pytest.mark.parametrize(
    ("returncode", "before", "now", "expected"),
    [
        (KILLED, Counted(2, 5, GB), Counted(3, 6, 4 * GB), Cause("session", True)),
        (KILLED, Counted(2, 5, GB), Counted(2, 6, 4 * GB), None),  # by somebody's hand: the job's counter knows
        (-15, Counted(2, 5, GB), Counted(3, 6, 4 * GB), None),  # ended by itself, beside one that was killed
        (1, Counted(2, 5, GB), Counted(3, 6, 4 * GB), None),
        (None, Counted(2, 5, GB), Counted(3, 6, 4 * GB), None),
        (KILLED, Counted(None, 5, GB), Counted(None, 5, int(3.7 * GB)), Cause("session", False)),
        (KILLED, Counted(None, 5, int(3.7 * GB)), Counted(None, 5, int(3.7 * GB)), None),  # an earlier one was so big
        (KILLED, Counted(None, 5, GB), Counted(None, 6, 2 * GB), Cause("node", False)),
        (KILLED, Counted(None, 5, GB), Counted(None, 5, 2 * GB), None),
        (KILLED, Counted(None, None, GB), Counted(None, None, 2 * GB), None),
    ],
)
def test_the_cause_of_a_death(returncode: int | None, before: Counted, now: Counted, expected: Cause | None) -> None:
    assert cause(returncode, before, now, 4 * GB) == expected


def test_a_kill_explains_one_death_and_none_long_after_it() -> None:
    now, killed = [0.0], [0]
    deaths = KernelDeaths(
        Place("cgroup2"), lambda: GB, lambda: None, lambda _: Counted(killed[0], 0, 0), clock=lambda: now[0]
    )
    killed[0], now[0] = 1, 3.0
    deaths.remember()  # it is looked at between the kill and the moment when Jupyter notices
    now[0] = 5.0
    assert deaths.judge(KILLED) == Cause("session", True)
    assert deaths.judge(KILLED) is None
    killed[0] = 2  # a worker of a cluster on this node; no kernel died of it
    for now[0] in (10.0, 20.0, 30.0, 10.0 + BELONGS_S, 20.0 + BELONGS_S):
        deaths.remember()
    assert deaths.judge(KILLED) is None


class Manager:
    """As much of Jupyter's kernel manager as is asked."""

    def __init__(self, returncode: int) -> None:
        self.callbacks: dict[str, Any] = {}
        self._kernel = SimpleNamespace(provisioner=SimpleNamespace(process=SimpleNamespace(returncode=returncode)))

    def __contains__(self, kernel: str) -> bool:
        return kernel == "k"

    def add_restart_callback(self, kernel: str, callback: Any, event: str) -> None:
        self.callbacks[event] = callback

    def get_kernel(self, kernel: str) -> Any:
        return self._kernel


async def test_a_death_is_told_with_its_notebook_where_it_has_one() -> None:
    class Sessions:
        async def get_session(self, **which: str) -> dict[str, str]:
            assert which == {"kernel_id": "k"}
            return {"path": "a/work.ipynb"}

    listeners: dict[str, Any] = {}
    events = SimpleNamespace(
        schemas=SimpleNamespace(schema_ids=[KERNELS]),
        add_listener=lambda schema_id, listener: listeners.update({schema_id: listener}),
    )
    told, killed = asyncio.Event(), [0]
    deaths = KernelDeaths(Place("cgroup1"), lambda: GB, told.set, lambda _: Counted(killed[0], 0, 0))
    manager = Manager(KILLED)
    deaths.watch(manager, Sessions(), events)
    for data in ({"action": "restart", "status": "success", "kernel_id": "k"}, {"action": "start", "status": "error"}):
        await listeners[KERNELS](None, KERNELS, data)
    assert manager.callbacks == {}
    await listeners[KERNELS](None, KERNELS, {"action": "start", "status": "success", "kernel_id": "k"})
    killed[0] = 1
    manager.callbacks["restart"]()
    await told.wait()
    [known] = deaths.known
    assert (known["path"], known["scope"], known["memory"], known["certain"]) == ("a/work.ipynb", "session", GB, True)
