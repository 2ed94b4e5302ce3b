"""What a session's own token can do: report its port, read itself, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.scopes import SESSION_SCOPE
from tests.support.announcing_server import AnnouncingServer
from tests.support.person import Person
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def owner(_running: SmallSite) -> Person:
    return _running.somebody()


@pytest.fixture(scope="module")
def running(_running: SmallSite, owner: Person) -> AnnouncingServer:
    """A session that has announced itself."""
    return _running.started(owner)


@pytest.fixture
def silent(site: SmallSite, person: Person) -> Iterator[AnnouncingServer]:
    """A session whose job runs and whose server has not announced itself."""
    site.answers = False
    person.start_later()
    server = AnnouncingServer(site.request(site.session_of(person).id), site.http)
    yield server
    server.close()
    person.stop()


def _hub(site: SmallSite, server: AnnouncingServer, verb: str, path: str, **options: object) -> httpx.Response:
    headers = {"Authorization": f"token {server.token}"}
    return site.http.request(verb, f"/hub/api{path}", headers=headers, **options)  # type: ignore[arg-type]


def test_the_scopes_are_exactly_the_intended_ones(site: SmallSite, owner: Person, running: AnnouncingServer) -> None:
    granted = {
        SESSION_SCOPE,
        f"access:servers!server={owner.name}/",
        "access:services!service=fabric",
        f"users:activity!user={owner.name}",
    }
    # JupyterHub's own: what the ones above imply, and who one is
    implied = {f"read:users:{what}!user={owner.name}" for what in ("activity", "name", "groups")}
    assert set(_hub(site, running, "GET", "/user").json()["scopes"]) == granted | implied


@pytest.mark.parametrize("body", [{"exec_prefix": "touch owned"}, {"port": 4321}, {}])
def test_batchspawners_api_is_gone(site: SmallSite, running: AnnouncingServer, body: dict[str, object]) -> None:
    assert _hub(site, running, "POST", "/batchspawner", json=body).status_code == 404


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/users"),
        ("GET", "/users/admin"),
        ("GET", "/users/person60"),
        ("POST", "/users/person60/server"),
        ("POST", "/users/{me}/server"),
        ("POST", "/users/{me}/servers/more"),
        ("DELETE", "/users/{me}/server"),
        ("POST", "/users/{me}/tokens"),
        ("GET", "/users/{me}/tokens"),
        ("PATCH", "/users/{me}"),
        ("GET", "/proxy"),
        ("POST", "/shutdown"),
        ("GET", "/services"),
        ("GET", "/groups"),
    ],
)
def test_it_cannot_read_others_nor_start_anything(
    site: SmallSite, owner: Person, running: AnnouncingServer, verb: str, path: str
) -> None:
    answer = _hub(site, running, verb, path.format(me=owner.name), json={} if verb != "GET" else None)
    assert answer.status_code in (403, 404), answer.text


def test_its_scopes_name_nobody_elses_session(site: SmallSite, person: Person, running: AnnouncingServer) -> None:
    """What a session's server asks before it lets anybody in (test_separation.py tries it on a real one)."""
    site.answers = False
    person.start_later()
    site.session_of(person)
    answer = _hub(site, running, "GET", "/user").json()
    assert all(person.name not in scope for scope in answer["scopes"])
    person.stop()


def test_a_port_of_the_system_is_refused(silent: AnnouncingServer) -> None:
    for port in (0, 22, 1023, 65536, -1, "8080", 8080.5, None, True):
        assert silent.tell(json={"port": port}).status_code == 422, port


def test_it_cannot_announce_a_host_or_another_session(silent: AnnouncingServer) -> None:
    for more in ({"host": "10.0.0.1"}, {"ip": "10.0.0.1"}, {"session": "aaaaaaaaaaaa"}, {"node": "gpu2"}):
        refused = silent.tell(json={"port": silent.port, **more})
        assert refused.status_code == 422
        assert refused.json()["reason"] == "malformed"


def test_the_first_port_counts(site: SmallSite, silent: AnnouncingServer) -> None:
    assert silent.announce().status_code == 204
    assert silent.announce().status_code == 204, "an answer may be lost: the same port again is no mistake"
    other = silent.tell(json={"port": silent.port + 1 if silent.port < 65535 else 1024})
    assert other.status_code == 409
    assert other.json()["message"].endswith("has already announced another port.")
    session = site.store.get(silent.request.session)
    assert session
    assert session.port == silent.port


def test_only_a_sessions_token_can_announce(site: SmallSite, silent: AnnouncingServer, person: Person) -> None:
    url, http = silent.service + "/session/ready", silent.http
    assert http.post(url, json={"port": 5000}).status_code == 401
    assert http.post(url, json={"port": 5000}, headers={"Authorization": "token wrong"}).status_code == 401
    answer = http.post(url, json={"port": 5000}, headers={"Authorization": person.api.headers["Authorization"]})
    assert answer.status_code == 403
    assert answer.json()["message"] == "This is for a session's own token only."
    session = site.store.get(silent.request.session)
    assert session
    assert session.port is None


def test_the_way_of_sessions_to_the_service_is_theirs_only_and_leads_nowhere_else(
    site: SmallSite, running: AnnouncingServer
) -> None:
    assert running.service == f"https://127.0.0.1:{site.settings.hub.hub_port}/hub/fabric/api"
    assert running.tell("GET", "/session").status_code == 200
    assert running.tell("GET", "/offer").status_code == 404, "what is not about a session"
    assert running.tell("GET", "/session/%2e%2e/offer").status_code == 404
    with pytest.raises(httpx.TransportError):
        site.http.get(f"{running.service}/session")  # without a certificate
    through_the_proxy = site.http.get("/hub/fabric/api/session", headers={"Authorization": f"token {running.token}"})
    assert through_the_proxy.status_code == 404


def test_a_session_can_read_itself(site: SmallSite, owner: Person, running: AnnouncingServer) -> None:
    answer = running.tell("GET", "/session").json()
    assert answer["session"] == running.request.session
    assert (answer["user"], answer["project"], answer["account"]) == (owner.name, "twin", "twin-acc")
    assert (answer["node"], answer["gpus"], answer["phase"]) == ("gpu1", 1, "running")


def test_a_session_that_the_service_ends_takes_its_token_along(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    server = site.sessions[site.session_of(person).id]
    assert _hub(site, server, "GET", "/user").status_code == 200
    site.store.end(server.request.session, reason="refused", text=verbatim(""))
    assert asyncio.run(notify(notify_path(site.settings), server.request.session))
    until(lambda: _hub(site, server, "GET", "/user").status_code == 403, "the hub has revoked the token")
    assert server.tell("GET", "/session").status_code == 401


def test_the_token_of_a_session_that_is_over_is_worth_nothing(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    (request,) = site.requests_of(person)
    server = site.sessions[request.session]
    assert server.tell("GET", "/session").status_code == 200
    person.stop()
    person.until_gone()
    assert server.tell("GET", "/session").status_code in (401, 410)
    # the service asks the hub again after a while; the hub's own word is final at once
    until(lambda: _hub(site, server, "GET", "/user").status_code == 403, "the hub has revoked the token")
