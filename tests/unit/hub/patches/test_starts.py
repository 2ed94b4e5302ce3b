"""What becomes of requests for a start, and the rule for a session's name with its words."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.handlers.pages import SpawnHandler
from pydantic import TypeAdapter
from tornado import web

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.hub.patches import starts
from fabric_hub.hub.patches.starts import refusal
from fabric_hub.hub.spawner import runtime
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.names import LONGEST_NAME
from fabric_hub.sessions.store import SessionStore, new_session_id
from fabric_hub.types import ServerName
from tests.support.builders import fields_of_a_session
from tests.support.plain_hub import USER, PlainSpawner, answering, plain_hub


@pytest.mark.parametrize("name", ["evening", "a", "run-2", "x" * LONGEST_NAME])
def test_a_name_that_follows_the_rule_is_taken(name: str) -> None:
    assert refusal(name) is None
    TypeAdapter(ServerName).validate_python(name)  # what is a name to JupyterHub is one to us


@pytest.mark.parametrize(
    "name", ["Evening", "a_b", "a--b", "-a", "a-", "x" * (LONGEST_NAME + 1), "<script>", "a b", "é"]
)
def test_another_is_refused_with_the_rule(name: str) -> None:
    said = str(refusal(name))
    assert repr(name)[1:-1] in said
    assert "a name has small letters, digits and single hyphens between them, at most 30 characters" in said


def test_a_very_long_name_is_not_repeated_whole() -> None:
    assert len(str(refusal("X" * 10_000))) < 250


@pytest.mark.parametrize(
    ("status", "pending", "answer"),
    [(500, "spawn", "redirected"), (500, None, 500), (500, "stop", 500), (409, "spawn", 409), (None, None, "started")],
)
async def test_a_form_that_is_sent_twice_waits_for_the_one_start(
    status: int | None, pending: str | None, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def theirs(*_: object) -> str:
        if status:
            raise web.HTTPError(status)
        return "started"

    theirs.__module__ = SpawnHandler.__module__
    monkeypatch.setattr(SpawnHandler, "_wrap_spawn_single_user", theirs)
    starts.apply()
    spawner = SimpleNamespace(pending=pending, ready=False)
    handler = SimpleNamespace(request=SimpleNamespace(method="POST"), redirect=lambda url: "redirected")
    user = SimpleNamespace(spawners={"": spawner})
    try:
        got = await SpawnHandler._wrap_spawn_single_user(handler, user, "", "", spawner, "/hub/spawn-pending/jan")
    except web.HTTPError as error:
        got = error.status_code
    assert got == answer


def test_jupyterhubs_own_handler_takes_what_is_given_to_it() -> None:
    names = [*inspect.signature(SpawnHandler._wrap_spawn_single_user).parameters]
    assert names == ["self", "user", "server_name", "display_name", "spawner", "pending_url", "options"]


class Refusing(PlainSpawner):
    """Refuses every start; one for which a session is on record already has failed."""

    options_form = "<input name=x>"
    store: SessionStore
    recorded = False

    async def start(self) -> Any:
        if self.recorded:
            session = self.store.create(**fields_of_a_session(id=new_session_id(), user=USER, server_name=self.name))
            self.store.end(session.id, reason="gone", text=verbatim("Its job is gone."))
        raise web.HTTPError(409, "Not today.")


@pytest.fixture
def record(site: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionStore]:
    """The sessions on record at a hub with our way to start, at a site where ann is in a project."""
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_runtime", None)
    course = Project(account="course", members=Members(member=(USER,)))
    runtime.install(site.model_copy(update={"project": {**site.project, "course": course}}))
    starts.apply()
    Refusing.store, Refusing.recorded = runtime.runtime().store, False
    yield Refusing.store
    Refusing.store.close()


@pytest.mark.usefixtures("record")
async def test_a_refused_start_leaves_no_server_behind_by_form_or_rest(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, Refusing) as hub:
        assert (await hub.rest("POST", "/users/ann/servers/tried")).status_code == 409
        await hub.login()
        await hub.client.get("/hub/spawn/ann/looked-at")
        assert (await hub.post("/hub/spawn/ann/tried", x="1")).status_code == 409
        assert hub.servers <= {""}


@pytest.mark.usefixtures("record")
async def test_a_server_that_was_there_before_or_has_a_session_to_tell_of_stays(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, Refusing) as hub:
        assert (await hub.rest("PUT", "/users/ann/servers/mine")).status_code == 201
        assert (await hub.rest("POST", "/users/ann/servers/mine")).status_code == 409
        Refusing.recorded = True
        assert (await hub.rest("POST", "/users/ann/servers/failed")).status_code == 409
        assert hub.servers >= {"mine", "failed"}


@pytest.mark.usefixtures("record")
async def test_a_server_that_starts_stays(tmp_path: Path) -> None:
    async with answering() as PlainSpawner.where, plain_hub(tmp_path, PlainSpawner) as hub:
        assert (await hub.rest("POST", "/users/ann/servers/one")).status_code == 201
        assert "one" in hub.servers
        assert (await hub.rest("POST", "/users/nobody/servers/one")).status_code == 404
