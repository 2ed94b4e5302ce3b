"""The limits are asked for on a timer, within the rate, once for everybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fabric_hub.config.settings import SlurmSettings
from fabric_hub.gateway.limits_watcher import LimitsWatcher
from fabric_hub.gateway.queries.queries import Rules, Turn, UnavailableError
from fabric_hub.gateway.rate_limit import Bucket
from fabric_hub.messages.text import verbatim
from fabric_hub.slurm.limits.model import Association, Enforcement, Limits


class Slurm:
    """Answers what a test says, and writes down when it was asked."""

    def __init__(self) -> None:
        self.accounts = ["a"]
        self.silent = False
        self.private: frozenset[str] = frozenset()
        self.asked: list[float] = []
        self.at_once = 0

    async def limits(self, turn: Turn) -> Limits:
        assert not self.at_once, "two rounds at the same time"
        self.at_once += 1
        try:
            for _ in range(2):
                await turn()
                self.asked.append(time.monotonic())
            await asyncio.sleep(0.01)
            if self.silent:
                raise UnavailableError(verbatim("slurmctld does not answer"))
            return Limits(associations=tuple(Association(account=name) for name in self.accounts))
        finally:
            self.at_once -= 1

    async def rules(self, turn: Turn) -> Rules:
        await turn()
        return Rules(
            rights="a||||\n", qos="", enforcement=Enforcement(safe=True), over_run_s=120.0, private=self.private
        )


@asynccontextmanager
async def watching(slurm: Slurm, rate: float = 100.0) -> AsyncIterator[LimitsWatcher]:
    watcher = LimitsWatcher(slurm, SlurmSettings(limits_interval_s=3600), Bucket(rate))
    task = asyncio.create_task(watcher.run())
    yield watcher
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_first_reader_gets_the_first_answer_with_its_age() -> None:
    async with watching(Slurm()) as watcher:
        found = await watcher.read()
    assert [known.account for known in found.associations] == ["a"]
    assert found.age_s is not None
    assert found.unavailable_since is None


async def test_what_the_database_adds_comes_after_the_limits_and_wakes_who_waits() -> None:
    async with watching(Slurm()) as watcher:
        assert watcher.over_run_s == 0.0
        first = await watcher.read()
        assert not first.enforcement.safe
        second = await watcher.read(after=first.serial, wait_s=5)
    assert second.enforcement.safe
    assert watcher.over_run_s == 120.0
    assert second.at == first.at


async def test_many_readers_make_one_round() -> None:
    slurm = Slurm()
    async with watching(slurm) as watcher:
        await watcher.read()
        asked, wish = len(slurm.asked), time.time()
        found = await asyncio.gather(*(watcher.read(fresh=wish, wait_s=5) for _ in range(100)))
    assert len(slurm.asked) == asked + 2
    assert all(limits.at is not None and limits.at >= wish for limits in found)


async def test_wishes_wait_for_the_rate() -> None:
    slurm = Slurm()
    rate = 20.0
    async with watching(slurm, rate) as watcher:
        for _ in range(4):
            await watcher.read(fresh=time.time(), wait_s=5)
    # two at once, and then no more than the rate allows, however long ago the last one was
    assert slurm.asked[-1] - slurm.asked[0] >= (len(slurm.asked) - 1 - 2) / rate


async def test_only_a_change_wakes_who_waits_for_one() -> None:
    slurm = Slurm()
    async with watching(slurm) as watcher:
        before = await watcher.read(after=(await watcher.read()).serial, wait_s=5)  # the database's part is in it
        waiting = asyncio.create_task(watcher.read(after=before.serial, wait_s=20))
        same = await watcher.read(fresh=time.time(), wait_s=5)
        assert same.serial == before.serial
        assert not waiting.done()
        slurm.accounts = ["a", "b"]
        await watcher.read(fresh=time.time(), wait_s=5)
        assert (await waiting).serial > before.serial


async def test_while_slurm_is_silent_the_last_answer_stays_and_is_marked() -> None:
    slurm = Slurm()
    async with watching(slurm) as watcher:
        before = await watcher.read()
        slurm.silent = True
        silent = await watcher.read(fresh=time.time(), wait_s=5)
        assert silent.unavailable_since is not None
        assert str(silent.problem) == "slurmctld does not answer"
        assert (silent.associations, silent.at) == (before.associations, before.at)
        slurm.silent = False
        back = await watcher.read(fresh=time.time(), wait_s=5)
        assert (back.unavailable_since, str(back.problem)) == (None, "")


async def test_an_answer_without_any_account_of_the_site_is_not_taken_for_there_is_none() -> None:
    slurm = Slurm()
    watcher = LimitsWatcher(slurm, SlurmSettings(), Bucket(1000), lambda: {"A"}, own="fabric-gateway")
    await watcher._round()
    slurm.accounts = ["operators"]
    await watcher._round()
    assert [known.account for known in watcher.limits.associations] == ["a"]
    assert watcher.limits.unavailable_since is not None
    assert "the rights of the gateway's account fabric-gateway" in str(watcher.limits.problem)
    slurm.accounts = ["a", "operators"]
    await watcher._round()
    again = watcher.limits
    assert (again.unavailable_since, len(again.associations)) == (None, 2)


async def test_accounts_that_slurm_hides_from_the_start_are_unknown_and_the_right_is_named() -> None:
    slurm = Slurm()
    slurm.accounts, slurm.private = [], frozenset({"usage"})
    watcher = LimitsWatcher(slurm, SlurmSettings(), Bucket(1000), lambda: {"a"}, own="fabric-gateway")
    await watcher._round()
    assert watcher.limits.at is None
    assert "PrivateData=usage" in str(watcher.limits.problem)
    assert "fabric-gateway is no Operator" in str(watcher.limits.problem)


async def test_a_slurm_without_accounting_has_no_accounts_and_that_is_the_truth() -> None:
    slurm = Slurm()
    slurm.accounts = []
    watcher = LimitsWatcher(slurm, SlurmSettings(), Bucket(1000), lambda: {"a"})
    await watcher._round()
    assert (watcher.limits.unavailable_since, watcher.limits.associations) == (None, ())
