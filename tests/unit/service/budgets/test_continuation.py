"""A session that goes on in another one: how that is started, told of, and how the first one ends."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.hub.spawner.child import session_variables
from fabric_hub.service.tasks.continuation import GRACE_S, Continuation, next_name
from fabric_hub.sessions.store import Session, SessionStore
from tests.support.accounts_and_hub import Hub
from tests.support.builders import fields_of_a_session

from ..test_app import problem
from .conftest import asked


async def test_continue_starts_a_named_server_with_the_same_choices_and_the_same_files(
    api: httpx.AsyncClient, session: Session, hub: Hub, store: SessionStore, site: Settings
) -> None:
    answer = await asked(api, "POST", "session/continue", {"reopen": ["a.ipynb", "sub dir/b é.ipynb"]})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["server_name"], told["state"]) == ("session-2", "starting")
    assert told["url"].endswith("/hub/spawn-pending/jan/session-2")
    assert told["text"].startswith("Session session-2 is starting. ")
    assert "Variables are not kept; 2 files are opened again." in told["text"]
    ((user, server, options),) = hub.started
    assert (user, server) == ("jan", "session-2")
    assert (options["project"], options["profile"], options["hours"]) == ("physics", "gpu", 1.0)
    successor = store.successor(session.id)
    assert successor is not None
    variables = session_variables(site, successor, "")
    assert json.loads(variables["FABRIC_REOPEN"]) == ["a.ipynb", "sub dir/b é.ipynb"]
    assert variables["FABRIC_FOLLOWS"] == session.id
    assert "FABRIC_REOPEN" not in session_variables(site, session, "")


async def test_a_successor_that_is_not_on_record_yet_is_being_started(
    site: Settings, session: Session, store: SessionStore
) -> None:
    class Slow(Hub):
        async def start(self, user: str, server: str, options: dict[str, Any]) -> httpx.Response:
            return httpx.Response(202)

    told = await Continuation(site, store, Slow(store)).start(session, ("a.ipynb",), None)
    assert str(told.text) == ("Session session-2 is being started. Variables are not kept; 1 file is opened again.")


async def test_asked_again_the_same_successor_is_told_of_also_when_asked_twice_at_once(
    api: httpx.AsyncClient, session: Session, hub: Hub, store: SessionStore
) -> None:
    both = await asyncio.gather(*(asked(api, "POST", "session/continue", {}) for _ in range(2)))
    assert {answer.json()["server_name"] for answer in both} == {"session-2"}
    assert all("Variables are not kept: run your cells again." in answer.json()["text"] for answer in both)
    assert len(hub.started) == 1
    successor = store.successor(session.id)
    assert successor is not None
    store.update(successor.id, ready_at=time.time())
    assert (await asked(api, "GET", "session/continue")).json()["state"] == "ready"


async def test_a_session_ends_when_its_successor_is_ready_where_that_was_wished(
    api: httpx.AsyncClient, session: Session, hub: Hub, store: SessionStore, site: Settings
) -> None:
    problem(await asked(api, "POST", "session/continue/end", {}), 404, "no-successor")
    await asked(api, "POST", "session/continue", {"end_this": True})
    told = problem(await asked(api, "POST", "session/continue/end", {}), 409, "not-ready")
    assert told.message == "Session session-2 is not ready yet, so this one goes on."
    successor = store.successor(session.id)
    assert successor is not None
    store.update(successor.id, ready_at=time.time())
    assert (await asked(api, "POST", "session/continue/end", {})).json()["state"] == "ready"
    over = store.get(session.id)
    assert over is not None
    assert (over.end_reason, str(over.end_text)) == ("continued", "You continued in session session-2.")


async def test_who_closed_the_page_has_it_ended_by_the_hub_two_minutes_after_the_next_one_was_ready(
    session: Session, store: SessionStore, site: Settings
) -> None:
    stopped = asyncio.Event()

    class Stopping(Hub):
        async def stop(self, user: str, server: str) -> httpx.Response:
            stopped.set()
            return await super().stop(user, server)

    hub = Stopping(store)
    continuation = Continuation(site, store, hub)
    await continuation.start(session, (), None, end_this=True)
    successor = store.successor(session.id)
    assert successor is not None
    now = time.time()
    assert store.followed(now) == []
    store.update(successor.id, ready_at=now - GRACE_S + 60)
    assert store.followed(now - GRACE_S) == []
    store.update(successor.id, ready_at=now - GRACE_S - 1)
    [(before, after)] = store.followed(now - GRACE_S)
    assert (before.id, after.id) == (session.id, successor.id)
    running = asyncio.create_task(continuation.run())
    await stopped.wait()
    running.cancel()
    await continuation.close()
    assert hub.stopped == [(session.user, session.server_name)]
    assert store.followed(now) == []


async def test_without_that_wish_both_sessions_go_on(
    session: Session, hub: Hub, store: SessionStore, site: Settings
) -> None:
    await Continuation(site, store, hub).start(session, (), None)
    successor = store.successor(session.id)
    assert successor is not None
    store.update(successor.id, ready_at=1.0)
    assert store.followed(time.time()) == []


async def test_a_session_without_a_successor_is_told_so(api: httpx.AsyncClient, session: Session) -> None:
    problem(await asked(api, "GET", "session/continue"), 404, "no-successor")


async def test_what_the_hub_refuses_is_told_in_its_words_and_prepares_nothing(
    api: httpx.AsyncClient, session: Session, hub: Hub, store: SessionStore
) -> None:
    hub.answer = httpx.Response(400, json={"message": "Project physics ended on 2026-01-31."})
    told = problem(await asked(api, "POST", "session/continue", {}), 409, "continue")
    assert told.message == "Project physics ended on 2026-01-31."
    hub.answer = httpx.Response(502, text="<html>")
    problem(await asked(api, "POST", "session/continue", {}), 503, "continue", "hub-refused")
    assert store.create(**fields_of_a_session(server_name="session-2")).follows is None


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a.ipynb", "a/../../b", "a//b", "", ".", "a\\b", "a\nb", "x" * 300, 7]
)
async def test_only_plain_relative_paths_are_opened_again(
    api: httpx.AsyncClient, session: Session, hub: Hub, path: Any
) -> None:
    problem(await asked(api, "POST", "session/continue", {"reopen": [path]}), 422, "malformed")
    assert hub.started == []


@pytest.mark.parametrize(
    ("name", "taken", "following"),
    [
        ("", [""], "session-2"), ("work", ["work"], "work-2"), ("work-2", ["work-2"], "work-3"),
        ("", ["", "session-2"], "session-3"), ("a" * 30, [], "a" * 28 + "-2"), ("run-2024", [], "run-2025"),
        ("a" * 27 + "-b", [], "a" * 27 + "-2"),
    ],
)  # fmt: skip
def test_the_name_of_a_successor_is_the_next_one_that_is_free(name: str, taken: list[str], following: str) -> None:
    assert next_name(name, taken) == following
