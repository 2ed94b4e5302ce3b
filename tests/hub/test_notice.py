"""An operator ends a person's session with a reason and notice, and announces to everybody; nobody else does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from fabric_hub.sessions.announcements import AnnouncementBook
from fabric_hub.sessions.stops import StopBook
from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

STOP, ANNOUNCE, DISMISS = "/hub/operate/stop", "/hub/operate/announcements", "/hub/announcements/dismiss"
WHY = "Node gpu2 needs a <new> fan {why}."


def later() -> str:
    """In a week, as a browser's field gives it."""
    return (datetime.now() + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")  # noqa: DTZ005


@pytest.fixture
def operator(site: SmallSite) -> Person:
    return site.person("admin").log_in()


@pytest.fixture
def book(site: SmallSite) -> Iterator[AnnouncementBook]:
    book = AnnouncementBook(site.store.engine, seen_s=0.0)
    yield book
    for one in book.all():
        book.delete(one.id)


def send(person: Person, path: str, **fields: str) -> httpx.Response:
    """Send a form with the hub's own token."""
    found = re.search(r'xsrf_token: "([^"]+)"', person.browser.get("/hub/home").text)
    assert found
    headers = {"X-XSRFToken": found[1]}
    return person.browser.post(path, data=fields, headers=headers)


def home(person: Person) -> str:
    return words(person.browser.get("/hub/home"))


def of_session(site: SmallSite, session: str, path: str = "") -> dict[str, Any]:
    """What a session is told when it asks."""
    headers = {"Authorization": f"token {site.request(session).environment['JUPYTERHUB_API_TOKEN']}"}
    answer = site.http.get(f"/services/fabric/api/session{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_session_is_ended_at_once_and_its_person_reads_why(site: SmallSite, person: Person, operator: Person) -> None:
    person.log_in()
    person.start("run", profile="small")
    person.until_ready("run")
    session = site.session_of(person, "run")
    done = send(operator, STOP, session=session.id, minutes="0", reason=WHY)
    assert done.json()["text"].startswith(f"Session run of {person.name} ends at ")
    person.until_gone("run")
    assert re.search(rf"run Ended [\w: ]+ · ended by an operator: {re.escape(WHY)}", home(person))
    ended = site.store.get(session.id)
    assert ended is not None
    assert ended.end_reason == "operator"
    page = words(person.browser.get(f"/user/{person.name}/run/"))
    assert f"An operator ended this session: {WHY}" in page
    assert f"admin ends session {session.id} of {person.name} in 0 s: {WHY}" in site.log.read_text()
    again = send(operator, STOP, session=session.id, minutes="0", reason=WHY)
    assert (again.status_code, again.json()["said"]["code"]) == (404, "stop-no-session")


def test_notice_is_read_at_home_and_in_the_session_and_can_be_withdrawn(
    site: SmallSite, person: Person, operator: Person
) -> None:
    person.log_in()
    person.start(profile="small")
    person.until_ready()
    session = site.session_of(person)
    assert of_session(site, session.id)["stop_at"] is None
    before = person.browser.get("/hub/home/sessions").json()["version"]
    send(operator, STOP, session=session.id, minutes="60", reason="first")
    send(operator, STOP, session=session.id, minutes="15", reason=WHY)
    assert person.browser.get("/hub/home/sessions", params={"version": before}).json()["version"] != before
    assert re.search(rf"An operator ends this session at [\w: ]+ \([^)]+\): {re.escape(WHY)}", home(person))
    told, limits = of_session(site, session.id), of_session(site, session.id, "/quota")["time"]
    assert told["stop_at"] == told["ends_at"] == limits["ends_at"] == pytest.approx(time.time() + 900, abs=300)
    assert (limits["why"], limits["reasons"]["text"]["params"]["why"]) == ("operator", WHY)
    done = send(operator, f"{STOP}/withdraw", session=session.id)
    assert done.json()["text"] == f"Session default of {person.name} goes on."
    assert "An operator" not in home(person)
    assert of_session(site, session.id)["stop_at"] is None
    assert send(operator, f"{STOP}/withdraw", session=session.id).status_code == 404
    assert f"admin lets session {session.id} of {person.name} go on" in site.log.read_text()


def test_nobody_but_an_operator_with_the_hubs_own_token_stops_or_announces(
    site: SmallSite, person: Person, operator: Person, book: AnnouncementBook
) -> None:
    person.log_in()
    person.start(profile="small")
    person.until_ready()
    session = site.session_of(person)
    stop = {"session": session.id, "minutes": "0", "reason": WHY}
    words_of = {"do": "publish", "level": "info", "words_en": "No.", "ends": later()}
    mine = site.request(session.id).environment["JUPYTERHUB_API_TOKEN"]
    admins = operator.api.headers["Authorization"]
    for path, fields in ((STOP, stop), (f"{STOP}/withdraw", stop), (ANNOUNCE, words_of)):
        assert send(person, path, **fields).status_code == 403, "no operator"
        assert operator.browser.post(path, data=fields).status_code == 403, "without the hub's token"
        for token in (f"token {mine}", admins):
            assert site.http.post(path, data=fields, headers={"Authorization": token}).status_code == 403, "by a token"
        assert operator.browser.get(path).status_code in (200, 405), "a GET changes nothing"
    assert person.browser.get(ANNOUNCE).status_code == 403
    assert person.browser.post(DISMISS, data={"announcement": "x"}).status_code == 403
    assert StopBook(site.store.engine).of([session.id]) == {}
    assert book.all() == ()
    for fields, code in (
        ({**stop, "reason": " "}, "stop-no-reason"),
        ({**stop, "reason": "x" * 301}, "stop-reason-too-long"),
        ({**stop, "minutes": "1"}, "stop-no-such-notice"),
        ({**stop, "session": "nothing"}, "stop-no-session"),
    ):
        assert send(operator, STOP, **fields).json()["said"]["code"] == code


def test_an_announcement_is_looked_at_published_read_by_everybody_and_hidden_by_one(
    site: SmallSite, person: Person, operator: Person, book: AnnouncementBook
) -> None:
    typed = {
        "level": "info",
        "words_en": "<b>New</b> images: https://example.org/x.",
        "words_nl": "Nieuw.",
        "begins": "",
    }
    refused = send(operator, ANNOUNCE, do="preview", **typed, ends="2001-01-01T00:00")
    assert (refused.status_code, "is over already" in words(refused)) == (400, True)
    assert "&lt;b&gt;New&lt;/b&gt;" in refused.text, "what was typed stays in the form"
    looked = send(operator, ANNOUNCE, do="preview", **typed, ends=later())
    assert "Preview: this is how it will look" in words(looked)
    assert book.all() == ()

    published = send(operator, ANNOUNCE, do="publish", **typed, ends=later())
    assert [answer.status_code for answer in (*published.history, published)] == [303, 200]
    [made] = book.all()
    assert made.operator == "admin"
    login = site.http.get("/hub/login").text
    assert '&lt;b&gt;New&lt;/b&gt; images: <a href="https://example.org/x" rel="noopener noreferrer">' in login
    assert "data-dismisses" not in login
    assert "Nieuw." in site.http.get("/hub/login", headers={"Accept-Language": "nl"}).text
    person.log_in()
    assert f'data-dismisses="{made.id}"' in person.browser.get("/hub/home").text

    person.start(profile="small")
    person.until_ready()
    session = site.session_of(person)
    told = until(lambda: of_session(site, session.id)["announcements"], "the session hears of it")
    assert [(one["id"], one["level"], one["text"]) for one in told] == [(made.id, "info", made.words["en"])]
    assert send(person, DISMISS, announcement=made.id).status_code == 204
    assert made.id not in person.browser.get("/hub/home").text
    assert made.id in operator.browser.get("/hub/home").text
    until(lambda: of_session(site, session.id)["announcements"] == [], "nor does the session say it any more")

    send(operator, ANNOUNCE, do="end", announcement=made.id)
    assert made.id not in operator.browser.get("/hub/home").text
    assert "Over" in words(operator.browser.get(ANNOUNCE))
    send(operator, ANNOUNCE, do="delete", announcement=made.id)
    assert book.all() == ()
    assert send(operator, ANNOUNCE, do="delete", announcement=made.id).status_code == 404
    assert send(operator, ANNOUNCE, do="dance").status_code == 400
