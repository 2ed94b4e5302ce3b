"""The one account of usage as the service keeps it: read from memory, the same for everybody."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from fabric_hub.budgets.history import Charged
from fabric_hub.budgets.schemas import DayUse, StorageUse
from fabric_hub.config.settings import Settings
from fabric_hub.service.usage_service import UsageService
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, Qos
from fabric_hub.slurm.model import Snapshot
from tests.support.builders import TODAY, a_job

T = TypeVar("T")


@dataclass
class Latest(Generic[T]):
    value: T | None = None


@dataclass
class Known:
    limits: Limits | None = None
    snapshot: Snapshot | None = None


def latest_of(known: Known) -> tuple[Latest[Limits], Latest[Snapshot]]:
    return Latest(known.limits), Latest(known.snapshot)


def a_desk(site: Settings, known: Known) -> UsageService:
    def days(project: str, user: str | None, _days: int) -> tuple[DayUse, ...]:
        return (DayUse(day=TODAY, gpu_hours=1.0 if user is None else 0.5),) if project == "physics" else ()

    return UsageService(site, *latest_of(known), days, None)


def some_limits(**changes: object) -> Limits:
    whole = Association(account="phys", grp_tres_mins={GPU: Limit(limit=6000, used=5400)})
    own = Association(account="phys", user="jan", grp_tres_mins={GPU: Limit(used=600)})
    fields = {"at": time.time(), "associations": (whole, own), **changes}
    return Limits.model_validate(fields)


def running(**changes: object) -> Snapshot:
    now = time.time()
    fields = {"account": "phys", "started_at": now - 7200, "ends_at": now + 7200, "limit_s": 14400,
              "tres": "cpu=8,gres/gpu=2", **changes}  # fmt: skip
    return Snapshot(jobs=(a_job(**fields),))


def test_before_the_first_word_of_slurm_nothing_is_told_and_why(site: Settings) -> None:
    told = a_desk(site, Known()).usage("physics", "jan")
    assert (told.project, told.user) == (None, None)
    assert str(told.problem) == "Slurm's limits are not known yet."


def test_a_project_and_a_user_in_it_have_a_balance_each(site: Settings) -> None:
    told = a_desk(site, Known(some_limits(), running())).usage("physics", "jan")
    assert told.project is not None
    assert told.user is not None
    assert (told.project.limit, told.project.running) == (100, 2)
    assert (told.user.limit, told.user.running) == (None, 2)
    assert told.age_s == pytest.approx(0, abs=5)


def test_a_user_without_a_limit_of_their_own_has_what_the_project_has_left(site: Settings) -> None:
    told = a_desk(site, Known(some_limits(), Snapshot())).usage("physics", "jan")
    assert told.project is not None
    assert told.user is not None
    assert told.user.left == told.project.left
    assert told.user.limited_by == "account phys"


def test_somebody_elses_job_is_not_a_users(site: Settings) -> None:
    told = a_desk(site, Known(some_limits(), running(user="eve"))).usage("physics", "jan")
    assert told.project is not None
    assert told.user is not None
    assert (told.project.running, told.user.running) == (2, 0)


def test_of_a_project_or_user_that_slurm_does_not_know_nothing_is_told(site: Settings) -> None:
    desk = a_desk(site, Known(some_limits(), Snapshot()))
    assert desk.usage("course", "eve").project is None
    assert desk.usage("physics", "eve").user is None
    assert desk.usage("gone", "jan").project is None


def test_while_slurm_is_silent_the_last_word_is_told_with_since_when(site: Settings) -> None:
    known = Known(some_limits(unavailable_since=5.0, problem="slurmctld does not answer"), Snapshot())
    told = a_desk(site, known).usage("physics", "jan")
    assert told.project is not None
    assert (told.unavailable_since, str(told.problem)) == (5.0, "slurmctld does not answer")


def test_the_history_is_read_once_in_a_while_for_all_who_ask(site: Settings) -> None:
    asked = []

    def days(project: str, user: str | None, _days: int) -> tuple[DayUse, ...]:
        asked.append((project, user))
        return ()

    desk = UsageService(site, *latest_of(Known()), days, None)
    for _ in range(3):
        desk.trend("physics")
        desk.trend("physics", "jan")
    assert asked == [("physics", None), ("physics", "jan")]


async def test_file_systems_are_asked_for_those_who_look_and_for_nobody_else(site: Settings) -> None:
    asked: list[str] = []
    told = asyncio.Event()

    async def storage(user: str) -> tuple[StorageUse, ...]:
        asked.append(user)
        told.set()
        return (StorageUse(title="Home", path="/home"),)

    desk = UsageService(site, *latest_of(Known()), lambda *_: (), storage)
    assert desk.storage("jan") == ()
    running = asyncio.create_task(desk.run())
    try:
        await asyncio.wait_for(told.wait(), 10)
        await asyncio.sleep(0)
        assert [one.title for one in desk.storage("jan")] == ["Home"]
    finally:
        running.cancel()
    assert asked == ["jan"]


async def test_who_waits_for_a_file_system_keeps_nobody_else_waiting(site: Settings) -> None:
    told, never = asyncio.Event(), asyncio.Event()

    async def storage(user: str) -> tuple[StorageUse, ...]:
        if user != "last":
            await never.wait()
        told.set()
        return ()

    desk = UsageService(site, *latest_of(Known()), lambda *_: (), storage)
    for user in ("jan", "eve", "last"):
        desk.storage(user)
    running = asyncio.create_task(desk.run())
    try:
        await asyncio.wait_for(told.wait(), 10)
    finally:
        running.cancel()


class Moment(float):
    """A time at whose comparison somebody else comes to look, as a thread may."""

    comes = staticmethod(lambda: None)

    def __sub__(self, other: float) -> float:
        Moment.comes()
        return float(self) - other


@pytest.mark.usefixtures("skipped_time")
async def test_somebody_may_look_while_the_desk_goes_through_those_who_looked(
    site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    told = asyncio.Event()

    async def storage(user: str) -> tuple[StorageUse, ...]:
        asked.append(user)
        if user == "late":
            told.set()
        return ()

    desk = UsageService(site, *latest_of(Known()), lambda *_: (), storage)
    for user in ("jan", "eve"):
        desk.storage(user)
    monkeypatch.setattr(Moment, "comes", staticmethod(lambda: desk.storage("late")))
    real = time.time
    monkeypatch.setattr("fabric_hub.service.usage_service.time.time", lambda: Moment(real()))
    running = asyncio.create_task(desk.run())
    try:
        await asyncio.wait_for(told.wait(), 10)
    finally:
        running.cancel()
    assert asked == ["jan", "eve", "late"]


def test_the_days_of_accounts_and_qos_are_as_slurm_counts_them(site: Settings) -> None:
    tree = (
        Association(account="root"),
        Association(account="phys", parent="root"),
        Association(account="lab", parent="phys"),
        Association(account="lab", user="jan", parent="lab"),
    )
    services = Qos(name="normal"), Qos(name="double", usage_factor=2.0)
    known = Known(Limits(at=1.0, associations=tree, qos=services), Snapshot())
    charges = (
        Charged(day=TODAY, account="phys", qos="normal", gpu_hours=1.0),
        Charged(day=TODAY, account="lab", qos="double", gpu_hours=3.0),
        Charged(day=TODAY, account="teach", qos="", gpu_hours=5.0),
    )
    desk = UsageService(site, *latest_of(known), lambda *_: (), None, lambda _days: charges)
    for holder, hours in (
        ("account phys", [7.0]),
        ("account lab", [6.0]),
        ("account root", [7.0]),
        ("QOS normal", [1.0]),
        ("QOS double", [6.0]),
        ("account teach", []),
        ("QOS ", []),
    ):
        assert [one.gpu_hours for one in desk.charged(holder)] == hours, holder
