"""The service's verbs about datasets: who may call them, what they tell, and what they hand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.service.app import make_app
from fabric_hub.service.dataset_service import DatasetService
from fabric_hub.service.deps import ServiceContext
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE, SESSION_TOKEN_SCOPES, scopes_of
from fabric_hub.sessions.store import Session, SessionStore
from tests.support.builders import NOW, a_catalogue, a_dataset, fields_of_a_session
from tests.support.catalogue import FakeCatalogue

from .test_app import API, problem, token

PERSON = [SESSION_SCOPE, SERVICE_SCOPE, ACCEPT_SCOPE, "access:servers!user=jan"]
TOKENS: dict[str, dict[str, Any]] = {
    "session": {"name": "jan", "kind": "user", "scopes": scopes_of("jan", "")},
    "person": {"name": "jan", "kind": "user", "scopes": PERSON},
    "narrow": {"name": "jan", "kind": "user", "scopes": [SERVICE_SCOPE, "read:users!user=jan"]},
    # were a session's token ever given the right, it would still be a session's
    "odd": {"name": "jan", "kind": "user", "scopes": [ACCEPT_SCOPE, *scopes_of("jan", "")]},
    "service": {"name": "jan", "kind": "service", "scopes": [SERVICE_SCOPE, ACCEPT_SCOPE]},
}
ACCEPTANCE = {"project": "physics", "agreement": "1", "purpose": "research"}


async def _identify(told: str) -> dict[str, Any] | None:
    return TOKENS.get(told)


async def _no_snapshot() -> None:
    return None


@pytest.fixture
def catalogue_service() -> FakeCatalogue:
    return FakeCatalogue(a_catalogue(a_dataset(), a_dataset("weather", access="public", agreement=None), granted=""))


def _client(catalogue_site: Settings, store: SessionStore, datasets: DatasetService | None) -> httpx.AsyncClient:
    app = make_app(ServiceContext(catalogue_site, store, _identify, _no_snapshot, datasets))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


@pytest.fixture
async def api(
    catalogue_site: Settings, store: SessionStore, catalogue_service: FakeCatalogue
) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(
        catalogue_site, store, DatasetService(catalogue_site, store, catalogue_service.known, catalogue_service)
    ) as client:
        yield client


@pytest.fixture
def session(store: SessionStore) -> Session:
    return store.create(**fields_of_a_session(datasets=["weather"]))


def grant(catalogue_service: FakeCatalogue, accepted: str = "") -> None:
    assert catalogue_service.catalogue
    catalogue_service.catalogue = a_catalogue(*catalogue_service.catalogue.datasets, accepted=accepted)


def on_record(store: SessionStore, session: Session) -> tuple[str, ...]:
    row = store.get(session.id)
    assert row
    return row.datasets


VERBS = [
    ("GET", "session/datasets", None),
    ("POST", "session/datasets/weather", None),
    ("DELETE", "session/datasets/weather", None),
    ("POST", "session/datasets/wind-farm/request", {}),
    ("GET", "datasets", None),
    ("POST", "datasets/wind-farm/acceptance", ACCEPTANCE),
    ("POST", "datasets/wind-farm/request", {"project": "physics"}),
]


@pytest.mark.parametrize(("verb", "path", "body"), VERBS)
async def test_every_verb_needs_a_token(
    api: httpx.AsyncClient, session: Session, verb: str, path: str, body: dict[str, str] | None
) -> None:
    problem(await api.request(verb, f"{API}/{path}", json=body), 401, "token")


@pytest.mark.parametrize(("verb", "path", "body"), VERBS)
async def test_each_verb_takes_its_own_kind_of_token_only(
    api: httpx.AsyncClient,
    session: Session,
    catalogue_service: FakeCatalogue,
    verb: str,
    path: str,
    body: dict[str, str] | None,
) -> None:
    grant(catalogue_service)
    wrong = ("person", "narrow", "service") if path.startswith("session/") else ("session", "odd", "narrow", "service")
    for who in wrong:
        told = problem(await api.request(verb, f"{API}/{path}", json=body, headers=token(who)), 403, "scope")
        if who == "session":
            assert told.said is not None
            assert told.said.code == "in-person-only"
    assert (catalogue_service.accepted, catalogue_service.requested) == ([], [])


def test_no_sessions_token_is_made_with_the_right_to_accept() -> None:
    assert ACCEPT_SCOPE not in SESSION_TOKEN_SCOPES


async def test_a_session_is_told_what_it_may_use_and_why_not(api: httpx.AsyncClient, session: Session) -> None:
    told = (await api.get(f"{API}/session/datasets", headers=token("session"))).json()
    assert (told["project"], told["data_dir"], told["enforced"], told["problem"]) == ("physics", "/data", True, "")
    wind, weather = told["datasets"]
    assert (wind["state"], wind["chosen"], wind["agreement"]) == (
        "not-granted", False, {"version": "1", "text": "Do no harm."},
    )  # fmt: skip
    assert wind["why"] == "Project physics has no access to a dataset wind-farm."
    assert (weather["state"], weather["why"], weather["chosen"]) == ("open", "", True)
    assert weather["versions"][0]["bytes"] == 1_234_567
    assert "secret-place" not in str(told)


async def test_what_is_added_and_dropped_while_it_runs_is_on_the_sessions_record(
    api: httpx.AsyncClient, session: Session, store: SessionStore, catalogue_service: FakeCatalogue
) -> None:
    grant(catalogue_service, accepted="1")
    for _ in range(2):
        added = await api.post(f"{API}/session/datasets/wind-farm", headers=token("session"))
        assert added.json() == {"datasets": ["weather", "wind-farm"]}
    assert on_record(store, session) == ("weather", "wind-farm")
    for _ in range(2):
        dropped = await api.delete(f"{API}/session/datasets/weather", headers=token("session"))
        assert dropped.json() == {"datasets": ["wind-farm"]}
    assert on_record(store, session) == ("wind-farm",)


@pytest.mark.parametrize(("name", "why"), [("wind-farm", "not-granted"), ("no-such", "unknown")])
async def test_what_policy_refuses_is_not_recorded_and_goes_into_the_trail(
    api: httpx.AsyncClient, session: Session, store: SessionStore, catalogue_service: FakeCatalogue, name: str, why: str
) -> None:
    refused = await api.post(f"{API}/session/datasets/{name}", headers=token("session"))
    assert problem(refused, 403, "dataset").message == f"Project physics has no access to a dataset {name}."
    assert on_record(store, session) == ("weather",)
    assert catalogue_service.denied == [("jan", "physics", name, why)]


async def test_an_agreement_is_never_accepted_by_adding(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    grant(catalogue_service)
    told = problem(await api.post(f"{API}/session/datasets/wind-farm", headers=token("session")), 403, "agreement")
    assert told.hint.startswith("Read and accept it on the hub's page Datasets")
    assert catalogue_service.accepted == []


async def test_a_person_accepts_once_in_their_own_name(
    api: httpx.AsyncClient, catalogue_service: FakeCatalogue
) -> None:
    grant(catalogue_service)
    path = f"{API}/datasets/wind-farm/acceptance"
    assert (await api.post(path, headers=token("person"), json=ACCEPTANCE)).status_code == 204
    (found,) = catalogue_service.accepted
    assert (found.user, found.project, found.agreement, found.purpose) == ("jan", "physics", "1", "research")
    grant(catalogue_service, accepted="1")
    assert (await api.post(path, headers=token("person"), json=ACCEPTANCE)).status_code == 204
    assert len(catalogue_service.accepted) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"agreement": "0"}, "agreement"),
        ({"purpose": "advertising"}, "agreement"),
        ({"project": "course"}, "project"),
        ({"project": "past"}, "project"),
    ],
)
async def test_what_cannot_be_accepted_is_refused(
    api: httpx.AsyncClient, catalogue_service: FakeCatalogue, change: dict[str, str], reason: str
) -> None:
    grant(catalogue_service)
    body = {**ACCEPTANCE, **change}
    answer = await api.post(f"{API}/datasets/wind-farm/acceptance", headers=token("person"), json=body)
    problem(answer, 403, reason)
    assert catalogue_service.accepted == []
    assert catalogue_service.denied == ([("jan", "physics", "wind-farm", "agreement")] if reason == "agreement" else [])


async def test_access_is_asked_for_from_a_session_and_in_person(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    inside = {"why": "A forecast for the grid."}
    answer = await api.post(f"{API}/session/datasets/wind-farm/request", headers=token("session"), json=inside)
    assert answer.status_code == 204, answer.text
    answer = await api.post(f"{API}/datasets/wind-farm/request", headers=token("person"), json={"project": "physics"})
    assert answer.status_code == 204, answer.text
    assert [(one.user, one.project, one.dataset, one.why) for one in catalogue_service.requested] == [
        ("jan", "physics", "wind-farm", "A forecast for the grid."),
        ("jan", "physics", "wind-farm", None),
    ]


async def test_a_request_tells_nobody_whether_a_secret_exists(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    catalogue_service.catalogue = a_catalogue(a_dataset("secret", access="non-public"), granted="course")
    told = [
        problem(
            await api.post(f"{API}/session/datasets/{name}/request", headers=token("session"), json={}), 403, "dataset"
        )
        for name in ("secret", "no-such")
    ]
    assert told[0].message.replace("secret", "X") == told[1].message.replace("no-such", "X")
    assert told[0].hint == told[1].hint
    assert catalogue_service.requested == []
    assert catalogue_service.denied == [("jan", "physics", name, "unknown") for name in ("secret", "no-such")]


async def test_what_is_granted_already_needs_no_request(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    grant(catalogue_service)
    answer = await api.post(f"{API}/session/datasets/wind-farm/request", headers=token("session"), json={})
    problem(answer, 409, "open")


@pytest.mark.parametrize("why", ["", "x" * 301, "two\nlines", "\x1b[31m", 5])
async def test_a_reason_is_one_line(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue, why: Any
) -> None:
    answer = await api.post(f"{API}/session/datasets/wind-farm/request", headers=token("session"), json={"why": why})
    assert problem(answer, 422, "malformed").message == "The request is malformed at why."
    assert catalogue_service.requested == []


@pytest.mark.parametrize("name", ["UPPER", "a%20b", "-x", "a" * 41, "..%2fetc", "%00"])
async def test_a_name_that_is_none_is_malformed(api: httpx.AsyncClient, session: Session, name: str) -> None:
    answer = await api.post(f"{API}/session/datasets/{name}", headers=token("session"))
    assert answer.status_code in (404, 422), answer.text


async def test_while_the_catalogue_service_is_silent_the_list_is_the_last_and_nothing_is_added(
    api: httpx.AsyncClient, session: Session, store: SessionStore, catalogue_service: FakeCatalogue
) -> None:
    grant(catalogue_service, accepted="1")
    catalogue_service.become_unavailable()
    told = (await api.get(f"{API}/session/datasets", headers=token("session"))).json()
    assert [one["name"] for one in told["datasets"]] == ["wind-farm", "weather"]
    assert told["unavailable_since"] == catalogue_service.unavailable_since
    assert "has not answered since" in told["problem"]
    problem(await api.post(f"{API}/session/datasets/wind-farm", headers=token("session")), 503, "catalogue-unavailable")
    accepting = await api.post(f"{API}/datasets/wind-farm/acceptance", headers=token("person"), json=ACCEPTANCE)
    problem(accepting, 503, "catalogue-unavailable")
    # what is dropped needs nobody's leave
    assert (await api.delete(f"{API}/session/datasets/weather", headers=token("session"))).json() == {"datasets": []}


async def test_a_catalogue_service_that_never_answered_leaves_an_empty_list_with_words(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    catalogue_service.become_unavailable(never_answered=True)
    told = (await api.get(f"{API}/session/datasets", headers=token("session"))).json()
    assert (told["datasets"], bool(told["problem"])) == ([], True)


async def test_a_session_may_have_a_hundred_datasets_and_no_more(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    store.update(session.id, datasets=[f"d{number}" for number in range(100)])
    problem(
        await api.post(f"{API}/session/datasets/weather", headers=token("session")),
        409,
        "too-many",
        "too-many-datasets",
    )


async def test_who_has_left_the_project_adds_and_asks_for_nothing(
    catalogue_site: Settings, store: SessionStore, catalogue_service: FakeCatalogue
) -> None:
    left = store.create(**fields_of_a_session(project="course", account="teach"))
    async with _client(
        catalogue_site, store, DatasetService(catalogue_site, store, catalogue_service.known, catalogue_service)
    ) as api:
        problem(await api.post(f"{API}/session/datasets/weather", headers=token("session")), 403, "project")
        answer = await api.post(f"{API}/session/datasets/wind-farm/request", headers=token("session"), json={})
        problem(answer, 403, "project")
    assert on_record(store, left) == ()


async def test_a_site_without_datasets_says_so(catalogue_site: Settings, store: SessionStore, session: Session) -> None:
    async with _client(catalogue_site, store, None) as api:
        problem(
            await api.get(f"{API}/session/datasets", headers=token("session")),
            404,
            "no-datasets",
            "hub-without-datasets",
        )
        problem(await api.get(f"{API}/datasets", headers=token("person")), 404, "no-datasets")


async def test_a_retired_dataset_cannot_be_added(
    api: httpx.AsyncClient, session: Session, catalogue_service: FakeCatalogue
) -> None:
    catalogue_service.catalogue = a_catalogue(a_dataset(retired_at=NOW), accepted="1")
    told = problem(await api.post(f"{API}/session/datasets/wind-farm", headers=token("session")), 403, "dataset")
    assert told.message == "Dataset wind-farm is retired."
