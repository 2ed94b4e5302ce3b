"""Keeping count goes on after a fault, and never takes the service along."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.hub_api import HubApi
from fabric_hub.service.tasks import accounting as accounts
from fabric_hub.service.tasks.accounting import UsageTasks
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from tests.support.gateway import FakeGateway, serving


def unasked(gateway: GatewayClient) -> Follower[Snapshot]:
    """A follower that never asks."""
    return Follower("snapshot", gateway.snapshot, Snapshot(), lambda: False)


async def test_a_fault_in_a_look_at_budgets_is_logged_and_the_next_look_comes(
    site: Settings, store: SessionStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accounts, "AFTER_FAULT_S", 0.01)
    without_slurm = site.model_copy(update={"slurm": None})
    gateway = GatewayClient(site.hub.state_dir / "nobody.sock")
    hub = HubApi("http://127.0.0.1:1/hub/api", "token", None)

    kept = UsageTasks(without_slurm, store, unasked(gateway), gateway, hub)
    looks, again = [], asyncio.Event()

    async def look(now: float) -> None:
        looks.append(now)
        if len(looks) == 1:
            raise ZeroDivisionError("a fault of ours")
        again.set()

    monkeypatch.setattr(kept._review, "look", look)
    with caplog.at_level(logging.CRITICAL):
        running = asyncio.create_task(kept.run())
        await asyncio.wait_for(again.wait(), 10)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await kept.stop()
    await hub.close()
    await gateway.aclose()
    faults = [record.exc_info[1] for record in caplog.records if record.exc_info]
    # as the service's own formatter has it: those that other tests may have set up leave out what a group holds
    assert "a fault of ours" in "".join(line for fault in faults for line in traceback.format_exception(fault))


class _Counting(FakeGateway):
    """Counts when its limits were asked for anew, and answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = 0, asyncio.Event()

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits:
        self.asked += fresh is not None
        await self.may_answer.wait()
        return await super().limits(after, wait_s, fresh)


async def test_however_many_are_refused_by_old_numbers_slurm_is_asked_once_a_minute_for_new_ones(
    site: Settings, store: SessionStore, tmp_path: Path
) -> None:
    slurm, hub = _Counting(), HubApi("http://127.0.0.1:1/hub/api", "token", None)
    async with serving(slurm, tmp_path / "gateway.sock") as gateway:
        kept = UsageTasks(site, store, unasked(gateway), gateway, hub)
        waiting = [asyncio.ensure_future(kept.budgets.newer_limits()) for _ in range(5)]
        await asyncio.sleep(0)  # all have asked
        slurm.may_answer.set()
        answers = await asyncio.gather(*waiting)
        assert None not in answers, "who is refused meanwhile has the same answer"
        assert await kept.budgets.newer_limits() is None
        assert slurm.asked == 1
        kept._asked_at -= accounts.ASKED_ANEW_S / 2
        assert await kept.budgets.newer_limits() is None
        kept._asked_at -= accounts.ASKED_ANEW_S / 2
        assert await kept.budgets.newer_limits() is not None
        assert slurm.asked == 2
        assert accounts.ASKED_ANEW_S >= 60.0
        await kept.stop()
    await hub.close()
