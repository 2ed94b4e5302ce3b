"""What counts as work in a session, and what the service is told of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from fabric_lab.client import Answer
from fabric_lab.server import reporter as reporting
from fabric_lab.server.activity import Activity
from fabric_lab.server.reporter import Reporter, decision, highest, pause
from fabric_lab.server.unsaved import Unsaved, told


class Kernel:
    """As much of a kernel manager as is watched."""

    def __init__(self) -> None:
        self.execution_state = "idle"
        self._observers: list[Any] = []

    def observe(self, observer: Any, names: str) -> None:
        assert names == "execution_state"
        self._observers.append(observer)

    def becomes(self, state: str) -> None:
        old, self.execution_state = self.execution_state, state
        for observer in self._observers:
            observer({"old": old, "new": state})


class Kernels(dict[str, Kernel]):
    def list_kernel_ids(self) -> list[str]:
        return [*self]

    def get_kernel(self, name: str) -> Kernel:
        return self[name]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_running_cell_is_work_until_it_ends(clock: Clock) -> None:
    activity, kernels = Activity(clock), Kernels(a=Kernel())
    activity.watch(kernels, None, None)
    clock.now += 100
    assert activity.look() == (100, False)
    kernels["a"].becomes("busy")
    clock.now += 5000
    assert activity.look() == (0, True)
    kernels["a"].becomes("idle")
    clock.now += 60
    assert activity.look() == (60, False)


def test_a_cell_that_ran_between_two_looks_was_work(clock: Clock) -> None:
    activity, kernels = Activity(clock), Kernels(a=Kernel())
    activity.watch(kernels, None, None)
    clock.now += 500
    kernels["a"].becomes("busy")
    kernels["a"].becomes("idle")
    clock.now += 10
    assert activity.look() == (10, False)


def test_a_terminal_that_prints_is_work_also_with_no_browser_open(clock: Clock) -> None:
    terminals = SimpleNamespace(pre_pty_read_hook=None)
    activity = Activity(clock)
    activity.watch(Kernels(), terminals, None)
    clock.now += 500
    terminals.pre_pty_read_hook(object())
    clock.now += 20
    assert activity.look() == (20, True)
    clock.now += 20
    assert activity.look() == (40, False)


def test_the_highest_use_of_each_gpu_counts_and_an_unknown_one_is_never_idle() -> None:
    assert highest([3.0, 0.0], [1.0, 97.0]) == [3.0, 97.0]
    assert highest([3.0], None) is None
    assert highest(None, [3.0]) is None


def test_the_services_answer_is_checked() -> None:
    assert decision({"state": "warn", "text": "Idle.", "what": "No cell runs", "quiet_since": 5, "stop_at": 12}) == {
        "state": "warn", "text": "Idle.", "what": "No cell runs", "quiet_since": 5.0, "stop_at": 12.0,
    }  # fmt: skip
    assert decision({"state": "active", "text": 1, "what": 2, "quiet_since": "x"}) == {
        "state": "active", "text": "", "what": "", "quiet_since": None, "stop_at": None,
    }  # fmt: skip
    assert decision({"state": 3}) is None
    assert decision(None) is None
    assert [pause(told) for told in ({"next_report_s": 90}, {"next_report_s": -1}, {"next_report_s": "x"}, None)] == [
        90.0, 5.0, 60.0, 60.0,
    ]  # fmt: skip


def test_a_report_tells_what_happened_since_the_last_and_who_listens_hears_of_a_new_verdict(clock: Clock) -> None:
    told: list[Any] = []
    heard: list[str] = []

    class Service:
        async def ask(self, path: str, method: str, body: dict[str, Any]) -> Answer:
            told.append((method, path, body))
            return Answer({"state": "warn", "text": "Idle.", "stop_at": 5.0, "next_report_s": 60})

    class Gpus:
        def __len__(self) -> int:
            return 1

        def busiest(self) -> list[float]:
            return [2.0]

    activity, kernels = Activity(clock), Kernels(a=Kernel())
    activity.watch(kernels, None, None)
    clock.now += 30
    reporter = Reporter(Service(), activity, Gpus(), lambda: heard.append("changed"))  # type: ignore[arg-type]

    async def twice() -> None:
        assert await reporter.report() == 60
        assert await reporter.report() == 60

    asyncio.run(twice())
    said = {"idle_s": 30.0, "busy": False, "gpu_percent": [2.0]}
    said |= {"kernels_busy": 0, "others_busy": False, "unsaved": None}
    assert told == [("POST", "/idle", said)] * 2
    assert heard == ["changed"]
    assert reporter.decision is not None
    assert reporter.decision["text"] == "Idle."


def test_a_cluster_at_work_is_work_though_kernel_and_gpu_rest(clock: Clock) -> None:
    told: list[Any] = []
    says = iter([True, True, False])

    class Service:
        async def ask(self, path: str, method: str, body: dict[str, Any]) -> Answer:
            told.append((body["idle_s"], body["busy"]))
            return Answer({"state": "active"})

    async def clusters() -> bool:
        return next(says)

    activity = Activity(clock)
    activity.watch(Kernels(a=Kernel()), None, None)
    reporter = Reporter(Service(), activity, (), lambda: None, clusters)  # type: ignore[arg-type]

    async def three() -> None:
        for _ in range(3):
            clock.now += 600
            await reporter.report()

    asyncio.run(three())
    assert told == [(0.0, True), (0.0, True), (600.0, False)]


class Listening:
    """A service that keeps what it is told, and wishes to hear again in an hour."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.heard = asyncio.Event()

    async def ask(self, path: str, method: str, body: dict[str, Any]) -> Answer:
        self.told.append(body)
        self.heard.set()
        return Answer({"state": "off", "next_report_s": 3600})

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            await self.heard.wait()
        self.heard.clear()
        return self.told[-1]


def test_the_hub_hears_soon_of_a_cell_and_of_documents_that_are_unsaved_and_not_of_every_key(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "CHANGED_S", 0.05)

    async def scene() -> None:
        service, kernels = Listening(), Kernels(a=Kernel())
        activity = Activity(clock, changed=lambda: reporter.news())
        unsaved = Unsaved(lambda: reporter.news())
        reporter = Reporter(service, activity, (), lambda: None, unsaved=lambda: unsaved.count)  # type: ignore[arg-type]
        activity.watch(kernels, None, None)
        running = asyncio.create_task(reporter.run())
        said = await service.next()
        assert (said["kernels_busy"], said["others_busy"], said["unsaved"]) == (0, False, None)
        kernels["a"].becomes("busy")
        assert (await service.next())["kernels_busy"] == 1
        unsaved.tell("one", frozenset({"a.ipynb", "b.py"}))
        assert (await service.next())["unsaved"] == 2
        unsaved.tell("one", frozenset({"a.ipynb", "c.py"}))
        kernels["a"].becomes("idle")
        assert (await service.next())["kernels_busy"] == 0
        assert len(service.told) == 4
        running.cancel()

    asyncio.run(scene())


def test_documents_are_counted_once_in_all_tabs_until_their_tab_is_closed() -> None:
    heard: list[str] = []
    unsaved = Unsaved(lambda: heard.append("changed"))
    assert unsaved.count is None, "nobody has said anything"
    unsaved.tell("one", frozenset({"a.ipynb", "b.py"}))
    unsaved.tell("two", frozenset({"b.py"}))
    assert unsaved.count == 2
    unsaved.tell("one", None)
    assert unsaved.count == 1
    unsaved.tell("two", frozenset())
    assert unsaved.count == 0
    unsaved.tell("two", None)
    assert [unsaved.count, *heard] == [0, "changed", "changed", "changed"]
    for number in range(300):
        unsaved.tell(f"tab{number}", frozenset({f"{number}.py"}))
    assert unsaved.count == 100, "what tabs say is bounded"


@pytest.mark.parametrize(
    "body", [{}, {"tab": "", "unsaved": []}, {"tab": "x" * 65}, {"tab": 1}, {"tab": "a", "unsaved": "b"},
             {"tab": "a", "unsaved": ["b"] * 1001}],
)  # fmt: skip
def test_what_no_tab_says_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither a tab nor its documents"):
        told(body)
    assert told({"tab": "a", "unsaved": ["b", 3]}) == ("a", frozenset({"b"}))
    assert told({"tab": "a", "unsaved": None}) == ("a", None)
