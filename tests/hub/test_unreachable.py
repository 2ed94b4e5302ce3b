"""A server that is up and that the hub cannot reach: who ended it, and why, are told as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabric_hub.sessions.store import Session
from tests.support.announcing_server import AnnouncingServer
from tests.support.http_server import Response
from tests.support.person import Person, words
from tests.support.silent_port import silent_port
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


@pytest.fixture(scope="module")
def impatient(sandbox: Path) -> Iterator[SmallSite]:
    """A hub that waits four seconds for a server that has announced itself."""
    with SmallSite(sandbox / "impatient", "c.Spawner.http_timeout = 4\n") as site:
        yield site


def closed(server: AnnouncingServer) -> None:
    server.close()


def without_tls(server: AnnouncingServer) -> None:
    server.server.tls = None


def failing(server: AnnouncingServer) -> None:
    server.server.answer = lambda _: Response(503)


def start(site: SmallSite, person: Person, spoil: Callable[[AnnouncingServer], None]) -> tuple[Session, int]:
    """A start whose server announces itself and cannot be used; its session, and the port."""
    site.answers = False
    person.start_later()
    session = site.session_of(person)
    server = site.sessions[session.id] = AnnouncingServer(site.request(session.id), site.http)
    spoil(server)
    site.gateway.call(lambda fake: fake.logs.update({session.id: ("Serving at port",)}))
    assert server.announce().status_code == 204
    return session, server.port


@pytest.mark.parametrize(
    ("spoil", "why", "hint"),
    [
        (closed, "nothing accepts connections there (connection refused)", "FABRIC_BIND"),
        (without_tls, "it answers, but not with the TLS of this hub", "clocks"),
        (failing, "it answers with an error (HTTP 503)", "The log below may say why"),
    ],
)
def test_it_is_said_where_and_how_the_server_could_not_be_reached(
    impatient: SmallSite, spoil: Callable[[AnnouncingServer], None], why: str, hint: str
) -> None:
    site, person = impatient, impatient.somebody()
    session, port = start(site, person, spoil)
    person.until_gone()
    ended = site.store.get(session.id)
    assert ended
    assert ended.end_reason == "unreachable"
    at = f"The session's server is up, but the hub cannot reach it on node gpu1, 127.0.0.1 port {port}: {why}"
    assert str(ended.end_text).startswith(at)
    assert hint in str(ended.end_text)
    assert ended.end_log == ("Serving at port",)
    page = person.log_in().browser.get(f"/hub/spawn-pending/{person.name}")
    assert at in words(page)
    assert "Serving at port" in words(page)
    site.until_state(session.id, "CANCELLED")


def test_a_server_whose_job_ended_meanwhile_is_not_called_unreachable(impatient: SmallSite) -> None:
    site, person = impatient, impatient.somebody()

    def die(server: AnnouncingServer) -> None:
        server.close()
        site.gateway.call(lambda fake: fake.end(server.request.session, "OUT_OF_MEMORY"))

    site.answers = False
    person.start_later()
    session = site.session_of(person)
    server = site.sessions[session.id] = AnnouncingServer(site.request(session.id), site.http)
    assert server.announce().status_code == 204
    die(server)
    person.until_gone()
    ended = site.store.get(session.id)
    assert ended
    assert ended.end_reason == "out-of-memory"


def test_who_stops_a_start_is_not_told_that_it_failed(impatient: SmallSite) -> None:
    site, person = impatient, impatient.somebody()
    session, _ = start(site, person, closed)
    person.stop()
    person.until_gone()
    ended = site.store.get(session.id)
    assert ended
    assert (ended.end_reason, str(ended.end_text)) == ("stopped", "The session was stopped at the hub.")


@pytest.mark.long
def test_a_session_that_a_new_hub_cannot_reach_goes_on_and_opens_again_by_itself(impatient: SmallSite) -> None:
    """As when the hub's host has booted before the network to the nodes is up."""
    site, person = impatient, impatient.somebody()
    site.reset()
    server = site.started(person)
    session = site.ready_session_of(person)
    words_of_it = (
        "when the hub started again. The session goes on running, and the hub keeps asking. "
        "It opens again by itself; you can also stop it"
    )

    def told() -> bool:
        return words_of_it in words(person.log_in().browser.get("/hub/home"))

    site.kill()
    server.close()
    with silent_port(server.port):
        site.up()
        until(told, "its page says that the hub does not reach it", 60)
    again = site.sessions[session.id] = AnnouncingServer(server.request, site.http, server.port)
    until(lambda: not told(), "the hub has noticed that it answers", 60)
    url = person.until_ready()["url"]
    assert site.http.get(url + "x").status_code == 200
    assert again.server.requests
    assert site.store.get(session.id) == session
    assert site.state_of(session.id) == "RUNNING"
    assert person.stop().status_code == 204
    site.until_state(session.id, "CANCELLED")
