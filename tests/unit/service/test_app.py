from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema
import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.launch.quote import Quote, quote
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts.notices import GRANTED
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import Kind, Notice
from fabric_hub.rpc.problem import Problem
from fabric_hub.service import cluster_quotes
from fabric_hub.service.app import make_app
from fabric_hub.service.callers import SERVICE
from fabric_hub.service.cluster_quotes import MOST_WAITING
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.routes.sessions import describe
from fabric_hub.sessions.notify import listen, notify_path
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE, scopes_of
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Snapshot
from tests.support.builders import NOW, a_job, a_session, a_snapshot, fields_of_a_session

API = "/services/fabric/api"
SESSION_OF_JAN = {"name": "jan", "scopes": scopes_of("jan", "")}


class TokensOfTheHub:
    """Stands for the hub's word on tokens: each known token and whose it is."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {
            "session": SESSION_OF_JAN,
            "person": {"name": "jan", "scopes": [SESSION_SCOPE, SERVICE_SCOPE, "access:servers!user=jan"]},
            "eves": {"name": "eve", "scopes": scopes_of("eve", "")},
            "bare": {"name": "jan"},
            # made for something else: JupyterHub's own API, another service, another server
            "narrow": {"name": "jan", "scopes": ["read:users!user=jan", "access:servers!user=jan", SESSION_SCOPE]},
            "elsewhere": {"name": "jan", "scopes": ["access:services!service=other", SESSION_SCOPE]},
            "scraper": {"name": "prometheus", "kind": "service", "scopes": ["read:metrics"]},
            "admin": {"name": "root", "scopes": ["access:services"]},
        }

    async def __call__(self, token: str) -> dict[str, Any] | None:
        return self.known.get(token)


@pytest.fixture
async def api(site: Settings, store: SessionStore) -> AsyncIterator[httpx.AsyncClient]:
    async def latest() -> Snapshot:
        jobs = [
            a_job(job_id=7, name=f"fabric-main-{session.id}", started_at=NOW, ends_at=NOW + 3600, node="gpu1")
            for session in store.live_all()
        ]
        return a_snapshot(*jobs)

    app = make_app(ServiceContext(site, store, TokensOfTheHub(), latest))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


@pytest.fixture
def session(store: SessionStore) -> Session:
    return store.create(**fields_of_a_session(token="jan's secret"))


def token(name: str) -> dict[str, str]:
    return {"Authorization": f"token {name}"}


def problem(answer: httpx.Response, status: int, reason: str, code: str = "") -> Problem:
    assert answer.status_code == status, answer.text
    found = Problem.model_validate(answer.json())
    assert found.reason == reason
    assert not code or (found.said and found.said.code) == code
    return found


async def test_health_needs_no_token_and_tells_nothing_of_anybody(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{API}/health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "version"}


@pytest.mark.parametrize("header", [None, "", "token", "token ", "token unknown", "Basic session", "session"])
@pytest.mark.parametrize(
    ("verb", "path"), [("GET", "session"), ("GET", "offer"), ("GET", "session/clusters"), ("POST", "session/ready")]
)
async def test_without_a_token_that_the_hub_knows_nothing_is_told(
    api: httpx.AsyncClient, session: Session, header: str | None, verb: str, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    body = {"port": 4000} if verb == "POST" else None
    told = problem(await api.request(verb, f"{API}/{path}", headers=headers, json=body), 401, "token")
    assert "Authorization" in told.hint


# health is everybody's, and metrics have a scope of their own
OPEN = {line.operation.split()[1] for line in SERVICE if SERVICE_SCOPE not in line.caller.scopes}


@pytest.mark.parametrize("who", ["narrow", "elsewhere", "scraper", "bare"])
async def test_a_token_that_was_not_made_for_this_service_is_refused_by_every_verb(
    api: httpx.AsyncClient, session: Session, who: str
) -> None:
    document = (await api.get(f"{API}/openapi.json")).json()
    verbs = [(verb, path) for path, verbs in document["paths"].items() for verb in verbs if path not in OPEN]
    assert len(verbs) > 10
    for verb, path in verbs:
        url = path.replace("{name}", "x")
        told = problem(
            await api.request(verb.upper(), url, headers=token(who), json={}), 403, "scope", "token-of-other-scope"
        )
        assert SERVICE_SCOPE in told.hint, f"{verb} {path}"


async def test_a_token_for_all_services_is_for_this_one_too(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"{API}/offer", headers=token("admin"))).status_code == 200


async def test_more_workers_than_one_cluster_may_have_are_refused_in_words(
    api: httpx.AsyncClient, session: Session
) -> None:
    asked: dict[str, str | int] = {"profile": "cpu", "workers": 1001}
    answer = await api.get(f"{API}/session/clusters/quote", params=asked, headers=token("session"))
    assert problem(answer, 409, "too-many").message == "1001 workers are too many for one cluster."


async def test_more_prices_at_once_than_may_wait_are_refused_with_when_to_ask_again(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(*arguments: Any) -> Quote:
        assert go_on.wait(30)
        return quote(*arguments)

    monkeypatch.setattr(cluster_quotes, "quote", slow)
    wish: dict[str, str | int] = {"profile": "cpu", "workers": 4}
    asked = [
        asyncio.create_task(api.get(f"{API}/session/clusters/quote", params=wish, headers=token("session")))
        for _ in range(MOST_WAITING + 2)
    ]
    try:
        (refused,), waiting = await asyncio.wait(asked, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    finally:
        go_on.set()
    assert "Ask again in a second." in problem(refused.result(), 429, "busy", "questions-wait").hint
    assert refused.result().headers["Retry-After"] == "1"
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def test_a_session_announces_its_port_and_the_hub_hears_it_at_once(
    api: httpx.AsyncClient, session: Session, store: SessionStore, site: Settings
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await listen(notify_path(site), heard.put_nowait)
    try:
        body = {"port": 4000, "phases": {"imports": 1.5}}
        answer = await api.post(f"{API}/session/ready", headers=token("session"), json=body)
        assert answer.status_code == 204, answer.text
        assert await asyncio.wait_for(heard.get(), 10) == session.id
    finally:
        listener.close()
    row = store.get(session.id)
    assert row is not None
    assert (row.port, row.phases) == (4000, {"imports": 1.5})


async def test_whose_script_asks_first_begins_and_the_hub_hears_that_the_other_is_over(
    api: httpx.AsyncClient, session: Session, store: SessionStore, site: Settings
) -> None:
    kept = {name: getattr(session, name) for name in ("kind", "project", "account", "profile", "image", "hours")}
    other = store.create(user=session.user, server_name="other", alternative_to=session.id, **kept)
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await listen(notify_path(site), heard.put_nowait)
    try:
        for _ in range(2):  # the answer may be lost
            answer = await api.post(f"{API}/session/begin", headers=token("session"))
            assert answer.status_code == 204, answer.text
        assert await asyncio.wait_for(heard.get(), 10) == other.id
        assert heard.empty()
    finally:
        listener.close()
    over = store.get(other.id)
    assert over is not None
    assert over.end_reason == "other-started"


async def test_whose_script_asks_second_does_not_begin(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    kept = {name: getattr(session, name) for name in ("kind", "project", "account", "profile", "image", "hours")}
    other = store.create(user=session.user, server_name="other", alternative_to=session.id, **kept)
    assert store.begin(other.id)
    problem(await api.post(f"{API}/session/begin", headers=token("session")), 410, "session-over")


async def test_an_announcement_counts_also_while_no_hub_listens(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    for _ in range(2):
        answer = await api.post(f"{API}/session/ready", headers=token("session"), json={"port": 4000})
        assert answer.status_code == 204
    row = store.get(session.id)
    assert row is not None
    assert row.port == 4000


async def test_another_port_after_the_first_is_refused(api: httpx.AsyncClient, session: Session) -> None:
    await api.post(f"{API}/session/ready", headers=token("session"), json={"port": 4000})
    answer = await api.post(f"{API}/session/ready", headers=token("session"), json={"port": 4001})
    told = problem(answer, 409, "announced")
    assert session.id in told.message


@pytest.mark.parametrize("who", ["person", "bare"])
async def test_a_persons_token_is_not_a_sessions(api: httpx.AsyncClient, session: Session, who: str) -> None:
    problem(await api.post(f"{API}/session/ready", headers=token(who), json={"port": 4000}), 403, "scope")
    problem(await api.get(f"{API}/session", headers=token(who)), 403, "scope")


async def test_nobody_announces_or_reads_for_another(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    problem(await api.post(f"{API}/session/ready", headers=token("eves"), json={"port": 4000}), 410, "session-over")
    row = store.get(session.id)
    assert row is not None
    assert row.port is None


async def test_a_session_that_is_over_is_told_so(api: httpx.AsyncClient, session: Session, store: SessionStore) -> None:
    store.end(session.id, reason="stopped", text=verbatim(""))
    problem(await api.post(f"{API}/session/ready", headers=token("session"), json={"port": 4000}), 410, "session-over")
    problem(await api.get(f"{API}/session", headers=token("session")), 410, "session-over")


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "not json",
        "",
        '{"port": 80}',
        '{"port": 65536}',
        '{"port": "4000"}',
        '{"port": 4000.5}',
        '{"port": true}',
        '{"port": 4000, "host": "10.0.0.9"}',
        '{"port": 4000, "phases": {"<script>": 1}}',
        '{"port": 4000, "phases": {"a": NaN}}',
        '{"port": 4000, "phases": {"a": -1}}',
        '{"port": 4000, "phases": {' + ", ".join(f'"{"a" * n}": 1' for n in range(1, 12)) + "}}",
        '{"port": 4000, "\\u001b[31m<script>": 1}',
        '{"port": ' + "9" * 5000 + "}",
        "[" * 100_000,
    ],
)
async def test_a_malformed_announcement_is_refused_without_repeating_it(
    api: httpx.AsyncClient, session: Session, store: SessionStore, body: str
) -> None:
    headers = {**token("session"), "Content-Type": "application/json"}
    answer = await api.post(f"{API}/session/ready", headers=headers, content=body)
    assert answer.status_code in {400, 413, 422}
    told = Problem.model_validate(answer.json())
    assert "script" not in told.message
    assert told.message.isprintable()
    assert len(told.message) < 300
    row = store.get(session.id)
    assert row is not None
    assert row.port is None


async def test_a_session_reads_its_project_job_and_end_but_no_secret(
    api: httpx.AsyncClient, session: Session, store: SessionStore
) -> None:
    store.update(session.id, job_id=7, submitted_at=NOW)
    answer = await api.get(f"{API}/session", headers=token("session"))
    assert answer.status_code == 200, answer.text
    info = answer.json()
    assert (info["project_title"], info["account"], info["phase"]) == ("Physics", "phys", "running")
    assert (info["job_id"], info["node"], info["ends_at"]) == (7, "gpu1", NOW + 3600)
    assert "secret" not in answer.text
    assert info["site"] == {
        "name": "Fabric Hub", "help_url": "", "docs_url": "", "support_email": "", "welcome": True,
    }  # fmt: skip


async def test_the_offer_is_the_callers_own(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{API}/offer", headers=token("eves"))
    assert [project["name"] for project in answer.json()["projects"]] == ["physics", "course"]


async def test_a_database_that_cannot_be_used_is_a_503_in_words(
    api: httpx.AsyncClient, session: Session, store: SessionStore, site: Settings
) -> None:
    store.close()
    database = site.hub.state_dir / "sessions.sqlite"
    database.write_bytes(b"garbage" * 1000)
    told = problem(
        await api.get(f"{API}/session", headers=token("session")), 503, "database", "sessions-database-unusable"
    )
    assert "Tell the operator" in told.hint


async def test_the_api_describes_itself(api: httpx.AsyncClient) -> None:
    document = (await api.get(f"{API}/openapi.json")).json()
    assert {f"{API}/health", f"{API}/session", f"{API}/session/ready", f"{API}/offer"} <= set(document["paths"])
    assert "Problem" in json.dumps(document["components"])


async def agrees(api: httpx.AsyncClient, path: str, schema: str, bodies: list[dict[str, Any]]) -> None:
    """The service takes a session's body exactly when its own document says that it does."""
    document = (await api.get(f"{API}/openapi.json")).json()
    wanted = jsonschema.Draft202012Validator({**document, "$ref": f"#/components/schemas/{schema}"})
    for body in bodies:
        answer = await api.post(f"{API}/{path}", headers=token("session"), json=body)
        assert (answer.status_code == 422) == (not wanted.is_valid(body)), (body, answer.text)


_PHASES: list[dict[str, Any]] = [{"a": 1}, {"a": 1.5}, {"a": True}, {"a": "1"}, {"A": 1}, {"": 1}, {"a": -1}]


async def test_a_session_shows_what_its_person_was_told_and_has_not_read_for_a_day(
    api: httpx.AsyncClient, store: SessionStore, session: Session
) -> None:
    book, now = NoticeBook(store.engine), time.time()

    def tell(person: str, occasion: str, at: float, kind: Kind = Kind.DATASET) -> None:
        text = GRANTED(dataset=occasion, project="twin")
        told = Notice(kind=kind, person=person, subject="dataset:mri/twin", occasion=occasion, text=text)
        book.tell([told], lambda *_: (), at)

    async def shown(language: str = "en") -> list[str]:
        answer = await api.get(f"{API}/session", headers={**token("session"), "Accept-Language": language})
        return [one["text"] for one in answer.json()["announcements"]]

    tell(session.user, "mri", now)
    tell(session.user, "old", now - 2 * 86400)
    tell(session.user, "asked", now, Kind.ASKED)
    tell("somebody", "theirs", now)
    assert await shown() == ["Project twin may use dataset mri, as you asked."]
    assert await shown("nl") == ["Project twin mag dataset mri gebruiken, zoals je vroeg."]
    book.read(session.user, now, now)
    assert await shown() == []


async def test_the_document_says_which_announcements_are_taken(api: httpx.AsyncClient, session: Session) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"port": True},
        {"port": "4000"},
        {"port": 4000.0},
        {"port": 4000.5},
        {"other": 1},
        *({"phases": phases} for phases in _PHASES),
    ]
    await agrees(api, "session/ready", "Ready", [{"port": 4000, **more} for more in changes])


async def test_a_verb_that_a_path_has_not_is_answered_with_all_that_it_has(api: httpx.AsyncClient) -> None:
    document = (await api.get(f"{API}/openapi.json")).json()
    for path, verbs in document["paths"].items():
        answer = await api.patch(path.replace("{name}", "x"))
        assert answer.status_code == 405
        assert answer.headers["Allow"] == ", ".join(sorted(verb.upper() for verb in verbs)), path


def test_a_session_without_a_word_of_slurm_is_described_from_its_record(site: Settings) -> None:
    waiting = describe(site, a_session(job_id=None), None, NOW)
    assert (waiting.phase, waiting.ends_at, waiting.snapshot_age_s) == ("queued", None, None)
    up = describe(site, a_session(port=4000, node="gpu2", project="gone"), a_snapshot(unavailable_since=NOW), NOW)
    assert (up.phase, up.node, up.project_title, up.slurm_unavailable_since) == ("running", "gpu2", "gone", NOW)


def test_slurms_estimate_for_a_waiting_job_is_not_its_start(site: Settings) -> None:
    snapshot = a_snapshot(a_job(state="PENDING", started_at=NOW + 100))
    info = describe(site, a_session(), snapshot, NOW)
    assert (info.phase, info.started_at) == ("queued", None)


@pytest.mark.parametrize(
    ("verb", "path", "status", "code"),
    [("GET", "nothing", 404, "no-such-path"), ("DELETE", "session", 405, "no-such-verb")],
)
async def test_what_there_is_not_is_a_problem_like_any_other(
    api: httpx.AsyncClient, verb: str, path: str, status: int, code: str
) -> None:
    answer = await api.request(verb, f"{API}/{path}", headers=token("session"))
    reason = {404: "not-found", 405: "method-not-allowed"}[status]
    assert problem(answer, status, reason, code).message


async def test_a_session_reads_its_clusters_and_what_more_workers_would_cost(
    api: httpx.AsyncClient, session: Session
) -> None:
    answer = await api.get(f"{API}/session/clusters", headers=token("session"))
    assert answer.json()["job_name"] == f"fabric-main-{session.id}-dask"
    answer = await api.get(f"{API}/session/clusters/quote?profile=cpu&workers=4", headers=token("session"))
    assert answer.json()["cpus"] == 8
    answer = await api.get(f"{API}/session/clusters/quote?profile=cpu&workers=0", headers=token("session"))
    problem(answer, 422, "malformed")
    problem(await api.get(f"{API}/session/clusters", headers=token("person")), 403, "scope")
