"""What a start and an end say where no job and no program has said anything."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.spawner import LocalProcessSpawner

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner import local_child, opening, runtime, slurm_child
from fabric_hub.hub.spawner.local_child import FabricLocalSpawner
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.hub.spawner.slurm_child import FabricSlurmSpawner
from fabric_hub.launch.choice import Choice
from fabric_hub.messages.text import sentences, whole
from fabric_hub.messages.texts import starts
from fabric_hub.sessions.store import Session
from tests.support.builders import a_site, fields_of_a_session
from tests.support.gateway import FakeGateway, serving

LOCAL = Choice(project="physics", account="phys", profile="local", kind="local", image="base", hours=1.0)


@pytest.fixture
async def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HubRuntime]:
    """The runtime of this process: a hub's, on a gateway of its own."""
    socket = tmp_path / "gateway.sock"
    made = HubRuntime(a_site(tmp_path, f'\n[gateway]\nsocket = "{socket}"\n'))
    for module in (slurm_child, local_child):
        monkeypatch.setattr(module, "runtime", lambda: made)
    async with serving(FakeGateway(), socket):
        await made.open()
        yield made
        await made.follower.stop()
        await made.gateway.aclose()
        made.store.close()


def a_session(shared: HubRuntime, **fields: Any) -> Session:
    return shared.store.create(**fields_of_a_session(**fields))


async def test_a_session_that_jupyterhub_forgot_ends_as_replaced(shared: HubRuntime) -> None:
    before = a_session(shared, kind="local")
    made, adopted = await opening.open_session(shared, "jan", "", LOCAL, None, "token", logging.getLogger("test"))
    over = shared.store.get(before.id)
    assert over is not None
    assert (over.end_reason, str(over.end_text)) == ("replaced", "Replaced by a new start.")
    assert (adopted, made.id != before.id) == (False, True)


async def test_a_start_whose_session_ended_says_why_or_that_it_was_stopped(shared: HubRuntime) -> None:
    child = FabricSlurmSpawner.__new__(FabricSlurmSpawner)
    child.session = a_session(shared)
    shared.store.end(child.session.id, reason="no-user", text=starts.NEXT_COMPLETED())
    with pytest.raises(FabricError, match="Start again when you like") as refused:
        child._reread()
    assert (refused.value.reason, refused.value.status) == ("no-user", 409)
    child.session = child.session.model_copy(update={"id": "unknown"})
    with pytest.raises(FabricError, match=r"^The start was stopped\.$") as refused:
        child._reread()
    assert (refused.value.reason, refused.value.status) == ("stopped", 409)


async def test_a_process_that_ended_is_told_with_its_status(
    shared: HubRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = FabricLocalSpawner.__new__(FabricLocalSpawner)
    child.session = a_session(shared, kind="local")

    async def ended(_self: Any) -> int:
        return 3

    monkeypatch.setattr(LocalProcessSpawner, "poll", ended)
    assert await child.poll_session() == 3
    over = shared.store.get(child.session.id)
    assert over is not None
    assert str(over.end_text) == "The session's process ended with status 3."


def test_a_hub_that_may_not_act_for_its_users_runs_no_session_of_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_child, "runs_local_sessions", lambda _users: False)
    with pytest.raises(FabricError, match="runs on the hub's own machine, which may not act for its users here"):
        FabricLocalSpawner.refuse_if_impossible(a_site(tmp_path), LOCAL, None, None)


def test_a_session_that_did_not_answer_a_new_hub_is_told_so_before_what_was_seen() -> None:
    why = FabricError(starts.TIMED_OUT(at=starts.AT_HOST(host="gpu1", port=4000), detail="5 s"))
    told = str(sentences(starts.AFTER_RESTART(), whole(why)))
    assert told.startswith(
        "When the hub was started again, this session's server did not answer it for a minute, so the session was "
        "ended. Files that were saved are still there. The session's server is up, but the hub cannot reach it on "
        "gpu1 port 4000: it did not answer in time (5 s). Operators: "
    )


def test_outside_a_hub_there_is_no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_runtime", None)
    monkeypatch.setattr(runtime, "_settings", None)
    with pytest.raises(FabricError, match="has no site file"):
        runtime.runtime()
