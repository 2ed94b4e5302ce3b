"""Whoever asks has the answer in their own language and time zone, whoever else asks at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from fabric_hub.budgets.schemas import Warned
from fabric_hub.config.settings import Settings
from fabric_hub.messages.reader import Reader, headers_of, reader_of
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import budgets, service
from fabric_hub.service.app import make_app
from fabric_hub.service.budget_service import BudgetService
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.tasks.continuation import Continuation
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.scopes import scopes_of
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import Snapshot
from tests.support.accounts_and_hub import Accounts, Gateway, Hub, no_newer
from tests.support.builders import a_snapshot, fields_of_a_session

from .test_app import API, token

FULL = budgets.STORAGE_FULL(title="Home", where="/home/jan", share=0.96, what=budgets.SPACE())


@pytest.fixture
async def api(site: Settings, store: SessionStore) -> AsyncIterator[httpx.AsyncClient]:
    """A service that answers two calls at a time: each waits until the other has been taken, too."""
    both = asyncio.Barrier(2)
    store.create(**fields_of_a_session())

    async def identify(told: str) -> dict[str, Any] | None:
        await both.wait()
        return {"name": "jan", "kind": "user", "scopes": scopes_of("jan", "")} if told == "session" else None

    async def latest() -> Snapshot:
        await both.wait()
        return a_snapshot()

    hub = Hub(store)
    review, idle = Review(site, store, Accounts()), IdleSessions(site, store, hub)
    review.in_force = (Warned(id="w", level="danger", subject="storage:jan:/home/jan:user:Home", text=FULL, since=1.0),)
    kept = BudgetService(site, Accounts(), review, Continuation(site, store, hub), idle, Gateway(), no_newer)
    app = make_app(ServiceContext(site, store, identify, latest, budgets=kept))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


async def in_both(api: httpx.AsyncClient, who: str) -> list[httpx.Response]:
    """The answers to one question that an English and a Dutch reader ask at the same moment."""
    headers = [{"Accept-Language": accepted, **token(who)} for accepted in ("en-GB", "nl-NL, en;q=0.5")]
    async with asyncio.timeout(30):
        return await asyncio.gather(*(api.get(f"{API}/session/quota", headers=one) for one in headers))


async def test_two_who_ask_at_once_read_one_fact_each_in_their_own_language(api: httpx.AsyncClient) -> None:
    answers = await in_both(api, "session")
    assert [answer.status_code for answer in answers] == [200, 200]
    english, dutch = (answer.json()["warnings"][0] for answer in answers)
    assert english["text"] == str(FULL)
    assert dutch["text"] == FULL.say(Reader("nl"))
    assert english["text"] != dutch["text"]
    assert english["reasons"]["text"]["code"] == dutch["reasons"]["text"]["code"] == "storage-full"
    assert [answer.headers["Content-Language"] for answer in answers] == ["en", "nl"]
    assert all(answer.headers["Vary"] == "Accept-Language, X-Time-Zone" for answer in answers)


async def test_two_who_are_refused_at_once_read_why_each_in_their_own_language(api: httpx.AsyncClient) -> None:
    answers = await in_both(api, "stranger")
    assert [answer.status_code for answer in answers] == [401, 401]
    english, dutch = (answer.json() for answer in answers)
    assert english["message"] == "This needs a valid token of the hub."
    assert dutch["message"] == service.NO_TOKEN().say(Reader("nl")) != english["message"]
    assert english["reason"] == dutch["reason"] == "token"
    assert [answer.headers["Content-Language"] for answer in answers] == ["en", "nl"]


@pytest.mark.parametrize(
    ("verb", "path", "length", "text"),
    [
        ("GET", "nothing", {}, service.NOT_FOUND()),
        ("DELETE", "session", {}, service.NO_SUCH_VERB()),
        ("POST", "session/ready", {"Content-Length": str(1 << 20)}, service.TOO_LARGE(kib=64)),
    ],
)
async def test_what_the_framework_refuses_is_said_in_the_readers_language(
    api: httpx.AsyncClient, verb: str, path: str, length: dict[str, str], text: Text
) -> None:
    answer = await api.request(verb, f"{API}/{path}", headers={"Accept-Language": "nl", **length})
    assert answer.json()["message"] == text.say(Reader("nl")) != str(text)
    assert answer.headers["Content-Language"] == "nl"


def test_times_are_those_of_the_readers_zone_and_a_zone_that_is_none_counts_for_nothing() -> None:
    at = datetime(2026, 1, 5, 12, 0, tzinfo=UTC).timestamp()
    text = budgets.ENDS_BY_LIMIT(at=at)
    assert "13:00 (time limit)" in text.say(reader_of("en", "Europe/Amsterdam"))
    assert "21:00 (time limit)" in text.say(reader_of("en", "Asia/Tokyo"))
    for none in (None, "", "../../etc/passwd", "Mars/Olympus", "x" * 10_000):
        assert reader_of("en", none).zone is None
    assert reader_of("tlh, xx;q=nonsense") == Reader("en")
    reader = Reader("nl", ZoneInfo("Europe/Amsterdam"))
    headers = headers_of(reader)
    assert reader_of(headers["Accept-Language"], headers["X-Time-Zone"]) == reader
