"""What Prometheus is told by the service, and who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from fabric_hub.budgets.schemas import Balance, DayUse, StorageUse, Usage
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health
from fabric_hub.messages.text import verbatim
from fabric_hub.service.app import make_app
from fabric_hub.service.auth import SESSION_CACHE_S, SILENT_S, TOKEN_CACHE_S, Tokens
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.hub_api import HubApi
from fabric_hub.service.metrics import Observed, ServiceMetrics, seen
from fabric_hub.service.tasks.review import Review, passed
from fabric_hub.service.usage_service import UsageService
from fabric_hub.sessions.held import Held, Why
from fabric_hub.sessions.scopes import SESSION_SCOPE, scopes_of, server_of
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.limits.model import Association, Limits
from fabric_hub.slurm.model import Job, Snapshot
from tests.support.builders import NOW, a_job, a_session, a_snapshot, fields_of_a_session

T = TypeVar("T")


@dataclass
class Latest(Generic[T]):
    value: T | None


class OneBudget:
    def limits(self) -> Limits | None:
        return None

    def usage(self, project: str, user: str) -> Usage:
        balance = Balance(limit=10.0, used=4.0, left=6.0, running=2.0)
        return Usage(project=balance if project == "physics" else None)

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        return ()

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        return ()

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        return ()


def told(site: Settings, store: SessionStore, **changes: Any) -> dict[tuple[str, ...], float]:
    fields: dict[str, Any] = {
        "now": NOW + 100, "sessions": (), "returned": {}, "snapshot": None, "limits": None, "questions": None, **changes
    }  # fmt: skip
    registry = CollectorRegistry()
    source = OneBudget()
    registry.register(ServiceMetrics(site, Observed(**fields), source, Review(site, store, source)))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_sessions_are_counted_by_the_kind_of_their_project_profile_and_state(
    site: Settings, store: SessionStore
) -> None:
    sessions = (a_session(), a_session(id="a" * 12, job_id=8), a_session(id="b" * 12, project="gone", job_id=None))
    jobs = a_job(), a_job(job_id=8, name=f"fabric-main-{'a' * 12}", state="PENDING")
    found = told(site, store, sessions=sessions, snapshot=a_snapshot(*jobs))
    assert found["fabric_sessions", "cpu", "research", "running"] == 1
    assert found["fabric_sessions", "cpu", "research", "queued"] == 1
    assert found["fabric_sessions", "cpu", "gone", "queued"] == 1


def test_a_job_without_a_session_on_record_is_held_or_not_decided_yet(site: Settings, store: SessionStore) -> None:
    names = {number: f"fabric-main-{letter * 12}" for number, letter in enumerate("abcde", 1)}
    jobs = [a_job(job_id=number, name=name) for number, name in names.items()]
    jobs[3] = jobs[3].model_copy(update={"state": "COMPLETING"})
    others = [a_job(job_id=8, name=f"fabric-other-{'f' * 12}"), a_job(job_id=9, name="my own")]
    held = Held(session="e" * 12, user="jan", unix_account="jan", job_id=5, why=Why.OTHER_RECORD, since=NOW)
    found = told(site, store, sessions=(a_session(id="a" * 12),), snapshot=a_snapshot(*jobs, *others), held=(held,))
    counts = {reason: found["fabric_sessions_held", reason] for reason in (*Why, "undecided")}
    assert counts == {"other-record": 1, "no-witness": 0, "many": 0, "undecided": 2}


def test_budgets_and_what_idle_sessions_returned_are_told_by_project(site: Settings, store: SessionStore) -> None:
    found = told(site, store, returned={"physics": (3, 7.5)})
    assert found["fabric_project_gpu_hours_used", "physics"] == 4
    assert found["fabric_project_gpu_hours_limit", "physics"] == 10
    assert found["fabric_project_gpu_hours_left", "physics"] == 6
    assert found["fabric_project_gpus_running", "physics"] == 2
    assert found["fabric_idle_sessions_stopped_total", "physics"] == 3
    assert found["fabric_idle_gpu_hours_returned_total", "physics"] == 7.5
    assert ("fabric_project_gpu_hours_used", "course") not in found


class CountedJobs(tuple[Job, ...]):
    """Jobs that count how often somebody goes through them."""

    times = 0

    def __iter__(self) -> Iterator[Job]:
        type(self).times += 1
        return super().__iter__()


def test_all_budgets_of_a_site_are_told_from_one_pass_over_the_jobs(site: Settings, store: SessionStore) -> None:
    class Jobs(CountedJobs): ...

    account, above = Association(account="phys", parent="root"), Association(account="root")
    others = Association(account="teach", parent="root"), Association(account="old", parent="root")
    limits = Latest(Limits(at=NOW, associations=(above, account, *others)))
    snapshot = Latest(Snapshot().model_copy(update={"jobs": Jobs(())}))
    desk = UsageService(site, limits, snapshot, lambda *_: (), None)
    registry = CollectorRegistry()
    seen_now = Observed(NOW, (), {}, None, None, None)
    registry.register(ServiceMetrics(site, seen_now, desk, Review(site, store, desk)))
    for _ in range(2):
        assert generate_latest(registry).count(b"\nfabric_project_gpu_hours_used{") == 3
        passed(site, desk, [("physics", "jan")], NOW)
    assert Jobs.times == 1
    snapshot.value = Snapshot().model_copy(update={"jobs": Jobs(())})
    generate_latest(registry)
    assert Jobs.times == 2, "a new snapshot is gone through anew"


def test_the_age_of_everything_known_of_slurm_is_told(site: Settings, store: SessionStore) -> None:
    found = told(site, store, snapshot=a_snapshot(), limits=Limits(at=NOW))
    assert found["fabric_data_age_seconds", "jobs"] == 40
    assert found["fabric_data_age_seconds", "limits"] == 100


class Gateway:
    def __init__(self, *, answers: bool) -> None:
        self.answers = answers

    async def health(self) -> Health:
        if not self.answers:
            raise FabricError("The gateway is not running.", reason="gateway", status=503)
        return Health(version="1", uptime_s=1.0, questions={"squeue": 12, "scontrol": 3})


async def test_questions_to_slurm_are_told_by_program_and_a_silent_gateway_is_no_error(
    site: Settings, store: SessionStore
) -> None:
    now = await seen(store, None, None, Gateway(answers=True))
    found = told(site, store, questions=now.questions)
    assert found["fabric_slurm_questions_total", "squeue"] == 12
    assert found["fabric_gateway_up",] == 1
    now = await seen(store, None, None, Gateway(answers=False))
    assert told(site, store, questions=now.questions)["fabric_gateway_up",] == 0


@pytest.mark.parametrize(("scopes", "status"), [(["read:metrics"], 200), ([SESSION_SCOPE], 403), ([], 403)])
async def test_only_a_token_for_metrics_may_scrape(
    site: Settings, store: SessionStore, scopes: list[str], status: int
) -> None:
    async def identify(_token: str) -> dict[str, Any] | None:
        return {"name": "prometheus", "kind": "service", "scopes": scopes}

    async def latest() -> None:
        return None

    async def scrape() -> Collector:
        source = OneBudget()
        return ServiceMetrics(site, await seen(store, None, None, None), source, Review(site, store, source))

    app = make_app(ServiceContext(site, store, identify, latest, metrics=scrape))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.get("/services/fabric/metrics", headers={"Authorization": "token x"})
        assert answer.status_code == status, answer.text
        if status == 200:
            assert "fabric_project_gpu_hours_used" in answer.text
        else:
            assert answer.json()["said"]["code"] == "prometheus-only"
        assert (await client.get("/services/fabric/metrics")).status_code == 401


async def test_a_service_that_keeps_no_account_of_usage_says_so(site: Settings, store: SessionStore) -> None:
    store.create(**fields_of_a_session())

    async def identify(token: str) -> dict[str, Any] | None:
        scopes = {"a": ["read:metrics"], "b": scopes_of("jan", "")}
        return {"name": "jan", "kind": "user", "scopes": scopes[token]}

    async def latest() -> None:
        return None

    app = make_app(ServiceContext(site, store, identify, latest))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        for token, path, code in (("a", "metrics", "no-metrics"), ("b", "api/session/quota", "no-quotas")):
            answer = await client.get(f"/services/fabric/{path}", headers={"Authorization": f"token {token}"})
            assert (answer.status_code, answer.json()["said"]["code"]) == (404, code)


class Asked:
    """The hub's word on tokens, counted."""

    def __init__(self, who: dict[str, Any] | None) -> None:
        self.who, self.times, self.now, self.silent = who, 0, 0.0, False

    async def __call__(self, _token: str) -> dict[str, Any] | None:
        self.times += 1
        if self.silent:
            raise FabricError("The hub does not answer.", reason="hub", status=503)
        return self.who


def a_tokens(asked: Asked, store: SessionStore) -> Tokens:
    return Tokens(asked, store.holder, lambda: asked.now)


SESSIONS = {"name": "jan", "scopes": [SESSION_SCOPE, "access:servers!server=jan/"]}


async def test_a_sessions_token_is_known_from_the_record_and_the_hub_is_asked_beside_once_in_a_while(
    store: SessionStore,
) -> None:
    store.create(**fields_of_a_session(token="t"))
    asked = Asked(SESSIONS)
    tokens = a_tokens(asked, store)
    found = [await tokens("t") for _ in range(5)]
    assert [(who["name"], server_of(who["name"], who["scopes"])) for who in found if who] == [("jan", "")] * 5
    await tokens.settled()
    assert asked.times == 1
    assert await tokens("t")
    await tokens.settled()
    assert asked.times == 1
    asked.now += SESSION_CACHE_S
    assert await tokens("t")
    await tokens.settled()
    assert asked.times == 2


async def test_a_sessions_token_that_was_revoked_by_hand_is_refused_once_the_hub_has_said_so_and_for_good(
    store: SessionStore,
) -> None:
    store.create(**fields_of_a_session(token="t"))
    asked = Asked(None)
    tokens = a_tokens(asked, store)
    await tokens("t")
    await tokens.settled()
    for times in (1, 2, 3):
        assert await tokens("t") is None
        assert await tokens("t") is None
        assert asked.times == times, "it is asked again after a while, and nobody is let in meanwhile"
        asked.now += SESSION_CACHE_S
    asked.silent = True
    assert await tokens("t") is None
    asked.silent, asked.who, asked.now = False, SESSIONS, asked.now + SESSION_CACHE_S
    assert await tokens("t")


@pytest.mark.parametrize(
    "who",
    [
        {"name": "eve", "scopes": [SESSION_SCOPE, "access:servers!server=eve/"]},
        {"name": "jan", "scopes": [SESSION_SCOPE, "access:servers!server=jan/other"]},
        {"name": "jan", "scopes": []},
        {},
    ],
)
async def test_a_sessions_token_of_which_the_hub_says_something_else_is_refused(
    store: SessionStore, who: dict[str, Any]
) -> None:
    store.create(**fields_of_a_session(token="t"))
    tokens = a_tokens(Asked(who), store)
    await tokens("t")
    await tokens.settled()
    assert await tokens("t") is None


async def test_what_can_be_no_token_is_looked_up_nowhere(store: SessionStore) -> None:
    asked = Asked(SESSIONS)
    tokens = a_tokens(asked, store)
    for strange in ("caf\u00e9", "a\nb", "x" * 600, "\udc80"):
        assert await tokens(strange) is None
    assert asked.times == 0


async def test_a_hub_that_is_silent_keeps_no_session_from_asking_and_is_asked_again(store: SessionStore) -> None:
    store.create(**fields_of_a_session(token="t"))
    asked = Asked(SESSIONS)
    asked.silent = True
    tokens = a_tokens(asked, store)
    assert await tokens("t")
    await tokens.settled()
    asked.silent, asked.who = False, None
    assert await tokens("t"), "it is asked again only after a moment"
    asked.now += SILENT_S
    assert await tokens("t")
    await tokens.settled()
    assert await tokens("t") is None


async def test_a_sessions_token_ends_with_the_session_whatever_the_hub_says_of_it(store: SessionStore) -> None:
    first = store.create(**fields_of_a_session(token="t"))
    asked = Asked(SESSIONS)
    tokens = a_tokens(asked, store)
    assert await tokens("t")
    await tokens.settled()
    store.end(first.id, reason="stopped", text=verbatim(""))
    assert await tokens("t") is None
    store.create(**fields_of_a_session(token="u"))
    assert await tokens("t") is None, "nor does it open the next session of that name"
    asked.now += TOKEN_CACHE_S
    assert await tokens("t") is None
    assert await tokens("u")


async def test_a_session_that_ended_while_the_hub_was_silent_has_a_token_of_nobody(store: SessionStore) -> None:
    first = store.create(**fields_of_a_session(token="t"))
    asked = Asked(None)
    asked.silent = True
    tokens = a_tokens(asked, store)
    assert await tokens("t")
    await tokens.settled()
    store.end(first.id, reason="stopped", text=verbatim(""))
    asked.silent = False
    assert await tokens("t") is None


@pytest.mark.parametrize("who", [None, {"name": "jan", "scopes": [SESSION_SCOPE, "access:servers!user=jan"]}])
async def test_any_other_token_is_remembered_for_a_moment_only(store: SessionStore, who: dict[str, Any] | None) -> None:
    store.create(**fields_of_a_session())
    asked = Asked(who)
    tokens = a_tokens(asked, store)
    assert [await tokens("t") for _ in range(3)] == [who] * 3
    assert asked.times == 1
    asked.now += TOKEN_CACHE_S
    assert await tokens("t") == who
    assert asked.times == 2


async def test_a_hub_that_does_not_answer_is_said_and_a_strange_token_is_nobodys() -> None:
    hub = HubApi("http://127.0.0.1:1/hub/api", "token", None)
    try:
        with pytest.raises(FabricError, match="The hub does not answer") as refused:
            await hub.who("abc")
        assert refused.value.status == 503
        assert await hub.who("caf\u00e9") is None
        assert await hub.who("a\nb") is None
    finally:
        await hub.close()
