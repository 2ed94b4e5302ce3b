"""The service's verbs for usage and time: who may call them, what they tell, and what they ask for."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from fabric_hub.budgets.idle import Report
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.service.budget_service import BudgetService, time_left_of
from fabric_hub.service.routes.sessions import describe
from fabric_hub.service.tasks.continuation import Continuation
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.reports import ReportBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, Qos
from fabric_hub.slurm.model import Snapshot
from tests.support.accounts_and_hub import Accounts, Gateway, Hub, no_newer
from tests.support.builders import NOW, a_job, a_snapshot, fields_of_a_session

from ..test_app import agrees, problem
from .conftest import HOUR, asked


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
    assert [(day["gpu_hours"], day["mine"]) for day in told["trend"]] == [(2.0, 0.5)] * 7
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
        ("POST", "session/continue/end", {}),
        ("POST", "session/extend", {"minutes": 5}), ("POST", "session/idle", {"idle_s": 0, "busy": True}),
    ],
)  # fmt: skip
async def test_what_is_a_sessions_own_is_refused_to_everybody_else(
    api: httpx.AsyncClient, session: Session, verb: str, path: str, body: Any
) -> None:
    problem(await asked(api, verb, path, body, who="person"), 403, "scope", "sessions-only")
    problem(await asked(api, verb, path, body, who="unknown"), 401, "token")


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


async def test_what_a_session_says_of_itself_is_kept_for_its_persons_page_and_it_is_asked_again_in_a_minute(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    said = {"idle_s": 0, "busy": True, "gpu_percent": [], "kernels_busy": 2, "others_busy": False, "unsaved": 1}
    answer = (await asked(api, "POST", "session/idle", said)).json()
    assert (answer["state"], answer["next_report_s"]) == ("off", 60)
    kept = ReportBook(store.engine).of([session.id])[session.id]
    assert (kept.kernels_busy, kept.others_busy, kept.unsaved, kept.gpu_percent) == (2, False, 1, None)
    assert kept.fresh(time.time())
    # an older image says less: the rest is not known
    await asked(api, "POST", "session/idle", {"idle_s": 0, "busy": True, "gpu_percent": [40.0]})
    kept = ReportBook(store.engine).of([session.id])[session.id]
    assert (kept.kernels_busy, kept.others_busy, kept.unsaved, kept.gpu_percent) == (None, None, None, (40.0,))


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
        {"idle_s": 1, "busy": False, "unsaved": -1}, {"idle_s": 1, "busy": False, "kernels_busy": 1.5},
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
