"""Keeping count goes on after a fault, and never takes the service along."""

from __future__ import annotations

import asyncio
import logging

import pytest

from fabric_hub.service import accounts
from fabric_hub.service.accounts import Accounts
from fabric_hub.service.hub_api import HubApi
from fabric_hub.sessions.store import SessionStore
from fabric_hub.settings import Settings
from fabric_hub.slurm.client import GatewayClient
from fabric_hub.slurm.follower import SnapshotFollower


async def test_a_fault_in_a_look_at_budgets_is_logged_and_the_next_look_comes(
    site: Settings, store: SessionStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accounts, "AFTER_FAULT_S", 0.01)
    without_slurm = site.model_copy(update={"slurm": None})
    gateway = GatewayClient(site.hub.state_dir / "nobody.sock")
    hub = HubApi("http://127.0.0.1:1/hub/api", "token", None)

    kept = Accounts(without_slurm, store, SnapshotFollower(gateway, lambda: False), gateway, hub)
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
    assert "a fault of ours" in caplog.text
