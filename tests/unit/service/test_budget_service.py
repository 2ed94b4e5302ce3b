"""The service's verbs for usage and time: who may call them, what they tell, and what they ask for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.budgets.idle import Report
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.child import session_variables
from fabric_hub.service.app import make_app
from fabric_hub.service.budget_service import BudgetService, time_left_of
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.routes.sessions import describe
from fabric_hub.service.tasks.continuation import Continuation, next_name
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE, scopes_of
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, Qos
from fabric_hub.slurm.model import Snapshot
from tests.support.accounts_and_hub import Accounts, Gateway, Hub, no_newer
from tests.support.builders import NOW, a_job, a_site, a_snapshot, fields_of_a_session

from .test_app import API, agrees, problem, token

TOKENS: dict[str, dict[str, Any]] = {
    "session": {"name": "jan", "kind": "user", "scopes": scopes_of("jan", "")},
    "person": {"name": "jan", "kind": "user", "scopes": [SESSION_SCOPE, SERVICE_SCOPE, "access:servers!user=jan"]},
    "service": {"name": "jan", "kind": "service", "scopes": [SERVICE_SCOPE]},
}
HOUR = 3600.0


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    text = "[quotas]\nwarn_days = [14, 7, 2]\n[profile.quick]\ngpus = 1\nidle_minutes = 1\nidle_warn_minutes = 0.5\n"
    made = a_site(tmp_path, text)
    assert made.slurm is not None
    return made.model_copy(update={"slurm": made.slurm.model_copy(update={"extend": "as-gateway"})})


@pytest.fixture
def hub(store: SessionStore) -> Hub:
    return Hub(store)


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def review(site: Settings, store: SessionStore, accounts: Accounts) -> Review:
    return Review(site, store, accounts)


@pytest.fixture
def started_at() -> float:
    return float(int(time.time()) - 60)


@pytest.fixture
async def api(
    site: Settings, store: SessionStore, hub: Hub, accounts: Accounts, gateway: Gateway, review: Review,
    started_at: float,
) -> AsyncIterator[httpx.AsyncClient]:  # fmt: skip
    async def identify(told: str) -> dict[str, Any] | None:
        return TOKENS.get(told)

    async def latest() -> Snapshot:
        jobs = [
            a_job(
                job_id=7,
                name=f"fabric-main-{session.id}",
                account="phys",
                qos="normal",
                tres="cpu=4,gres/gpu=1",
                started_at=started_at,
                ends_at=started_at + HOUR,
            )
            for session in store.live_all()
            if session.server_name == ""
        ]
        return a_snapshot(*jobs)

    idle = IdleSessions(site, store, hub)
    budgets = BudgetService(site, accounts, review, Continuation(site, store, hub), idle, gateway, no_newer)
    app = make_app(ServiceContext(site, store, identify, latest, budgets=budgets))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
    await idle.close()


@pytest.fixture
def session(store: SessionStore) -> Session:
    made = store.create(**fields_of_a_session(profile="gpu", gpus=1))
    store.update(made.id, job_id=7, submitted_at=time.time())
    return made


async def asked(api: httpx.AsyncClient, verb: str, path: str, body: Any = None, who: str = "session") -> httpx.Response:
    return await api.request(verb, f"{API}/{path}", headers=token(who), json=body)


async def test_a_session_is_told_what_is_left_and_how_long_it_lasts(
    api: httpx.AsyncClient, session: Session, started_at: float
) -> None:
    told = (await asked(api, "GET", "session/quota")).json()
    assert (told["project"], told["project_title"], told["account"], told["gpus"]) == ("physics", "Physics", "phys", 1)
    assert (told["gpu_hours"]["limit"], told["gpu_hours"]["used"], told["gpu_hours"]["left"]) == (100, 90, 10)
    # two hours a day of last week, but the job that runs now may take all of it
    assert told["gpu_hours"]["rate_per_day"] == 2
    assert told["gpu_hours"]["lasts_until"] == pytest.approx(time.time() + 10 * HOUR, abs=60)
    assert told["user_gpu_hours"]["used"] == 12
    assert len(told["trend"]) == 7
    assert [one["path"] for one in told["storage"]] == ["/home/jan", "/projects/physics"], "of no other project"
    assert (told["time"]["ends_at"], told["time"]["why"]) == (started_at + HOUR, "limit")
    assert (told["time"]["can_extend"], told["time"]["extend_most_minutes"]) == (True, 180)
    assert told["idle"] is None
    assert told["age_s"] == 3


async def test_warnings_in_force_are_told_to_whom_they_concern(
    api: httpx.AsyncClient, session: Session, review: Review, accounts: Accounts
) -> None:
    accounts.full = 96
    await review.look(time.time())
    told = (await asked(api, "GET", "session/quota")).json()
    assert {one["id"] for one in told["warnings"]} == {
        "project:physics#2-days",
        "storage:jan:/home/jan:user:Home#95-percent",
    }
    assert {one["level"] for one in told["warnings"]} == {"danger"}
    assert review.of("eve", ["course"]) == ()


async def test_a_person_is_told_of_all_of_their_projects_and_a_sessions_token_is_not(
    api: httpx.AsyncClient, session: Session
) -> None:
    told = (await asked(api, "GET", "quota", who="person")).json()
    assert [one["project"] for one in told["projects"]] == ["physics"]
    assert told["projects"][0]["gpu_hours"]["left"] == 10
    problem(await asked(api, "GET", "quota"), 403, "scope", "persons-only")
    problem(await asked(api, "GET", "quota", who="service"), 403, "scope")


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("GET", "session/quota", None), ("POST", "session/continue", {}), ("GET", "session/continue", None),
        ("POST", "session/extend", {"minutes": 5}), ("POST", "session/idle", {"idle_s": 0, "busy": True}),
    ],
)  # fmt: skip
async def test_what_is_a_sessions_own_is_refused_to_everybody_else(
    api: httpx.AsyncClient, session: Session, verb: str, path: str, body: Any
) -> None:
    problem(await asked(api, verb, path, body, who="person"), 403, "scope", "sessions-only")
    problem(await asked(api, verb, path, body, who="unknown"), 401, "token")


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


async def test_without_a_slurm_there_is_nobody_to_ask_for_more_time(
    site: Settings, session: Session, store: SessionStore, hub: Hub, accounts: Accounts, review: Review,
    started_at: float,
) -> None:  # fmt: skip
    idle = IdleSessions(site, store, hub)
    budgets = BudgetService(site, accounts, review, Continuation(site, store, hub), idle, None, no_newer)
    job = a_job(job_id=7, name=f"fabric-main-{session.id}", started_at=started_at, ends_at=started_at + HOUR)
    known = store.get(session.id)
    assert known is not None
    with pytest.raises(FabricError, match="There is no Slurm here to ask for more time"):
        await budgets.extend(known, 30, a_snapshot(job))


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


async def test_more_time_is_asked_of_slurm_as_one_whole_limit_so_that_asking_twice_gives_it_once(
    api: httpx.AsyncClient, session: Session, gateway: Gateway, started_at: float
) -> None:
    for _ in range(2):
        told = (await asked(api, "POST", "session/extend", {"minutes": 30})).json()
        assert (told["minutes"], told["ends_at"]) == (90, started_at + 90 * 60)
    assert {request.minutes for request in gateway.asked} == {90}
    assert {request.session for request in gateway.asked} == {session.id}
    assert {(request.job_id, request.account) for request in gateway.asked} == {(7, session.account)}


async def test_more_time_than_the_profile_allows_is_refused_with_the_limit(
    api: httpx.AsyncClient, session: Session, gateway: Gateway
) -> None:
    told = problem(
        await asked(api, "POST", "session/extend", {"minutes": 181}), 403, "extend", "extend-too-many-minutes"
    )
    assert "at most 180 minutes" in told.message
    assert gateway.asked == []


async def test_more_time_than_slurm_would_let_start_is_refused_with_the_limit(
    api: httpx.AsyncClient, session: Session, gateway: Gateway, accounts: Accounts
) -> None:
    root, phys = Association(account="root"), Association(account="phys", parent="root")
    known = (root, phys, Association(account="phys", user="jan", parent="phys"))
    accounts.told = Limits(at=time.time(), associations=known, qos=(Qos(name="normal", max_wall_s=5400),))
    told = problem(await asked(api, "POST", "session/extend", {"minutes": 60}), 403, "limit-qos")
    assert told.message == "QOS normal allows a job at most 1 h 30 min, not 2 hours."
    assert gateway.asked == []
    assert (await asked(api, "POST", "session/extend", {"minutes": 30})).status_code == 200


async def test_more_time_than_a_budget_lasts_is_given_where_slurm_lets_it_and_that_is_said(
    api: httpx.AsyncClient, session: Session, accounts: Accounts
) -> None:
    phys = Association(account="phys", grp_tres_mins={GPU: Limit(limit=60, used=30)})
    accounts.told = Limits(at=time.time(), associations=(phys, Association(account="phys", user="jan", parent="phys")))
    told = (await asked(api, "POST", "session/extend", {"minutes": 60})).json()
    assert "Slurm ends the job when they are used up, after about" in told["text"]


async def test_a_profile_without_a_policy_stops_nobody(api: httpx.AsyncClient, session: Session) -> None:
    told = (await asked(api, "POST", "session/idle", {"idle_s": 1e6, "busy": False, "gpu_percent": [0]})).json()
    assert told["state"] == "off"


async def test_an_idle_session_is_told_then_stopped_and_what_it_returned_is_on_record(
    site: Settings, store: SessionStore, hub: Hub, started_at: float
) -> None:
    made = store.create(**fields_of_a_session(profile="quick", gpus=1))
    store.update(made.id, job_id=7, submitted_at=started_at)
    session = store.get(made.id)
    assert session is not None
    job = a_job(job_id=7, name=f"fabric-main-{made.id}", started_at=started_at, ends_at=started_at + 2 * HOUR)
    desk, forgotten, states = IdleSessions(site, store, hub), Report(idle_s=1e5, busy=False, gpu_percent=(0.0,)), []
    for second in (0, 30, 60):
        answer = desk.report(session, forgotten, a_snapshot(job), started_at + second)
        states.append(answer.state)
    assert states == ["idle", "warn", "stopped"]
    await desk.close()
    assert hub.stopped == [("jan", "")]
    ended = store.get(made.id)
    assert ended is not None
    assert ended.end_reason == "idle"
    assert ended.returned_gpu_hours == pytest.approx(2 - 1 / 60, abs=0.01)
    assert "returned 2.0 GPU-hours to project physics" in str(ended.end_text)


def in_reservation(session: Session, ends_at: float, **changes: Any) -> Snapshot:
    """The session's job has an hour in a reservation that ends then."""
    job = a_job(name=f"fabric-main-{session.id}", started_at=NOW, ends_at=NOW + HOUR, reservation="monday")
    monday = {"name": "monday", "starts_at": NOW - HOUR, "ends_at": ends_at, "nodes": "gpu1"}
    over_run_s = changes.pop("over_run_s", 0.0)
    return a_snapshot(job, reservations=(monday | changes,), over_run_s=over_run_s)


@pytest.mark.parametrize(
    ("reservation", "ends_at", "why"),
    [
        ({"ends_at": NOW + HOUR / 2}, NOW + HOUR / 2, "reservation"),
        ({"ends_at": NOW + HOUR / 2, "over_run_s": 60.0}, NOW + HOUR / 2 + 60, "reservation"),
        ({"ends_at": NOW + HOUR / 2, "over_run_s": HOUR}, NOW + HOUR, "limit"),
        ({"ends_at": NOW + 2 * HOUR}, NOW + HOUR, "limit"),  # an operator moved it
        ({"ends_at": NOW + HOUR / 2, "flexible": True}, NOW + HOUR, "limit"),
        ({"ends_at": NOW + HOUR / 2, "name": "another"}, NOW + HOUR, "limit"),
    ],
)
def test_a_session_ends_with_its_reservation_wherever_its_end_is_told(
    site: Settings, store: SessionStore, session: Session, reservation: dict[str, Any], ends_at: float, why: str
) -> None:
    found = store.get(session.id)
    assert found is not None
    snapshot = in_reservation(found, **reservation)
    told = time_left_of(site, found, snapshot, NOW)
    assert (told.ends_at, told.why) == (ends_at, why)
    assert describe(site, found, snapshot, NOW).ends_at == ends_at


async def test_an_idle_session_returns_no_hours_after_its_reservation(
    site: Settings, store: SessionStore, hub: Hub
) -> None:
    made = store.create(**fields_of_a_session(profile="quick", gpus=1))
    store.update(made.id, job_id=7, submitted_at=NOW)
    session = store.get(made.id)
    assert session is not None
    desk, forgotten = IdleSessions(site, store, hub), Report(idle_s=1e5, busy=False, gpu_percent=(0.0,))
    for second in (0, 30, 60):
        desk.report(session, forgotten, in_reservation(session, NOW + HOUR / 2), NOW + second)
    await desk.close()
    ended = store.get(made.id)
    assert ended is not None
    assert ended.returned_gpu_hours == pytest.approx(0.5 - 1 / 60)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"idle_s": -1, "busy": False}, {"idle_s": 1, "busy": False, "gpu_percent": [101]},
        {"idle_s": 1, "busy": False, "gpu_percent": [0.0] * 65}, {"idle_s": 1, "busy": False, "stop": True},
    ],
)  # fmt: skip
async def test_a_malformed_report_is_refused(api: httpx.AsyncClient, session: Session, body: Any) -> None:
    problem(await asked(api, "POST", "session/idle", body), 422, "malformed")


_PATHS = ("a.ipynb", "a/b", "..", "a/../b", "./a", "a/.", ".hidden", "..a/b", "a//b", "/a", "", "a\\b", "...")
_IDLE: list[dict[str, Any]] = [
    {}, {"idle_s": True}, {"idle_s": "1"}, {"idle_s": 2.5}, {"busy": 0}, {"busy": "yes"}, {"gpu_percent": [True]},
    {"gpu_percent": [50, None]}, {"gpu_percent": [50, 0.5]}, {"gpu_percent": None}, {"gpu_percent": [101]},
]  # fmt: skip


async def test_the_document_says_which_bodies_are_taken(api: httpx.AsyncClient, store: SessionStore) -> None:
    store.create(**fields_of_a_session())
    await agrees(api, "session/idle", "IdleReport", [{"idle_s": 1, "busy": False, **more} for more in _IDLE])
    await agrees(api, "session/continue", "ContinueRequest", [{"reopen": [path]} for path in _PATHS])
    await agrees(
        api, "session/extend", "ExtensionRequest", [{"minutes": minutes} for minutes in (5, 5.0, True, "5", 0, 5.5)]
    )
