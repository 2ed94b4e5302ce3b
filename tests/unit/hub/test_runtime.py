"""Who is woken by what: a start by its own session only, and a guard when Slurm says that its job is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.store import Session, new_session_id
from fabric_hub.slurm.model import JobSpec, Snapshot, SubmitRequest
from tests.support.builders import a_site, fields_of_a_session
from tests.support.gateway import FakeGateway, serving

LONG_S = 60.0


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway(hold=True)


@pytest.fixture
async def shared(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[HubRuntime]:
    """A hub's runtime on a gateway of its own."""
    socket = tmp_path / "gateway.sock"
    made = HubRuntime(a_site(tmp_path, f'\n[gateway]\nsocket = "{socket}"\n'))
    async with serving(gateway, socket):
        await made.open()
        yield made
        await made.follower.stop()
        await made.gateway.aclose()
        made.store.close()


async def queued(shared: HubRuntime, gateway: FakeGateway, server: str) -> Session:
    """A session whose job waits in the queue, as the hub and its snapshot know it."""
    session = shared.store.create(**fields_of_a_session(id=new_session_id(), server_name=server))
    request = SubmitRequest(session=session.id, user="jan", image="base", spec=JobSpec(), environment={}, files=())
    submitted = await gateway.submit(request)
    shared.store.update(session.id, job_id=submitted.job_id, submitted_at=time.time())
    known = shared.store.get(session.id)
    assert known is not None
    while not any(job.job_id == submitted.job_id for job in (await seen(shared)).jobs):
        await shared.follower.changed()
    return known


async def seen(shared: HubRuntime) -> Snapshot:
    snapshot = await shared.current_snapshot(LONG_S)
    assert snapshot is not None
    return snapshot


async def waiting(shared: HubRuntime, gateway: FakeGateway, session: Session) -> asyncio.Task[bool]:
    """A start that waits for news of its session."""
    task = asyncio.create_task(shared.news(session, gateway.job_of(session.id), LONG_S))
    await asyncio.sleep(0)
    return task


async def test_a_start_is_woken_by_its_own_job_and_not_by_others(shared: HubRuntime, gateway: FakeGateway) -> None:
    mine, other = await queued(shared, gateway, "mine"), await queued(shared, gateway, "other")
    news, others = await waiting(shared, gateway, mine), await waiting(shared, gateway, other)
    gateway.begin(other.id)
    assert await others
    assert not news.done()
    gateway.begin(mine.id)
    assert await news


async def test_a_job_that_slurm_no_longer_knows_is_news(shared: HubRuntime, gateway: FakeGateway) -> None:
    session = await queued(shared, gateway, "mine")
    news = await waiting(shared, gateway, session)
    gateway.forget(session.id)
    assert await news


async def test_a_notification_wakes_the_start_that_it_is_for(shared: HubRuntime, gateway: FakeGateway) -> None:
    mine, other = await queued(shared, gateway, "mine"), await queued(shared, gateway, "other")
    news, others = await waiting(shared, gateway, mine), await waiting(shared, gateway, other)
    assert await notify(notify_path(shared.settings), mine.id)
    assert await news
    assert not others.done()
    others.cancel()


async def test_who_knows_of_no_job_is_woken_by_every_change(shared: HubRuntime, gateway: FakeGateway) -> None:
    session = await queued(shared, gateway, "mine")
    news = asyncio.create_task(shared.news(session, None, LONG_S))
    gateway.become_unavailable()
    assert await news


async def test_no_news_is_said_after_a_while(shared: HubRuntime, gateway: FakeGateway) -> None:
    session = await queued(shared, gateway, "mine")
    assert not await shared.news(session, gateway.job_of(session.id), 0.05)


async def test_a_guard_is_called_when_the_job_is_gone_and_not_for_a_session_that_was_stopped(
    shared: HubRuntime, gateway: FakeGateway
) -> None:
    gone: asyncio.Queue[str] = asyncio.Queue()
    stopped, running = await queued(shared, gateway, "stopped"), await queued(shared, gateway, "running")
    for session in (stopped, running):
        gateway.begin(session.id)

        async def tell(server: str = session.server_name) -> None:
            gone.put_nowait(server)

        shared.guard(session, tell)
    shared.store.end(stopped.id, reason="stopped", text=verbatim(""))
    gateway.end(stopped.id)
    gateway.end(running.id)
    assert await asyncio.wait_for(gone.get(), LONG_S) == "running"
    assert gone.empty()
