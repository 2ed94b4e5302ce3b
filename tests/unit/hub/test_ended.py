"""Who holds a session's ticket reads how it ended; nobody else learns that there is such a session."""

from __future__ import annotations

import json
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from fabric_hub.hub.pages import ended
from fabric_hub.messages.texts import slurm_reasons as texts
from fabric_hub.sessions.store import Session, SessionStore, end_ticket
from tests.support.builders import fields_of_a_session

# what the session's server has, which shares no code with the hub
_ACCESS = runpy.run_path(str(Path(__file__).parents[3] / "extensions" / "fabric_lab" / "access.py"))
TOKEN = "0123456789abcdef0123456789abcdef"


class Page(RequestHandler):
    """The page, without JupyterHub's own preparation of a request: it needs none of it."""

    hub = SimpleNamespace(base_url="/hub/")
    get = ended.WhyEnded.get


def of_the_session(token: str) -> str:
    ticket: str = _ACCESS["end_ticket"](token)
    return ticket


@asynccontextmanager
async def hub(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(ended, "runtime", lambda: SimpleNamespace(store=store))
    server = HTTPServer(Application([(f"/hub{ended.PATH}", Page)]))
    [socket] = bind_sockets(0, "127.0.0.1")
    server.add_sockets([socket])
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{socket.getsockname()[1]}", trust_env=False) as client:
            yield client
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def session(store: SessionStore) -> Session:
    return store.create(**fields_of_a_session(token=TOKEN, server_name="my run", hours=2.0))


async def test_the_ticket_that_the_session_makes_opens_how_it_ended(
    store: SessionStore, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/hub/ended/{session.id}/{of_the_session(TOKEN)}"
    async with hub(store, monkeypatch) as client:
        alive = (await client.get(path)).json()
        assert (alive["ended_at"], alive["text"]) == (None, "")
        store.end(session.id, reason="time-limit", text=texts.ENDED_TIME_LIMIT(limit=7200))
        over = await client.get(path)
    told = over.json()
    assert told["ended_at"] == pytest.approx(store.last_ended("jan", "my run").ended_at)  # type: ignore[union-attr]
    assert told["text"].startswith("Time limit reached")
    assert told["start"].startswith("/hub/spawn/jan/my%20run?opt-project=physics&opt-profile=")
    assert over.headers["Cache-Control"] == "no-store"
    assert TOKEN not in json.dumps(told)


async def test_that_its_user_stopped_it_needs_no_explanation(
    store: SessionStore, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.end(session.id, reason="stopped", text=texts.ENDED_AT(at=0.0))
    async with hub(store, monkeypatch) as client:
        told = (await client.get(f"/hub/ended/{session.id}/{of_the_session(TOKEN)}")).json()
    assert told["text"] == ""
    assert told["ended_at"] is not None


@pytest.mark.parametrize("ticket", ["0" * 64, end_ticket("0" * 64), of_the_session("")])
async def test_without_its_ticket_a_session_is_not_to_be_found(
    store: SessionStore, session: Session, monkeypatch: pytest.MonkeyPatch, ticket: str
) -> None:
    nameless = store.create(**fields_of_a_session(server_name="without-a-token"))
    async with hub(store, monkeypatch) as client:
        answers = [
            await client.get(f"/hub/ended/{name}/{ticket}") for name in (session.id, nameless.id, "abcdefgh2345")
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
