"""The page Sessions keeps itself true, for its own person alone, and changes nothing that nobody asked for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

LIVE = "/hub/home/sessions"


def live(person: Person, version: str = "") -> dict[str, Any]:
    answer = person.browser.get(LIVE, params={"version": version} if version else {})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def read(html: str) -> str:
    return words(httpx.Response(200, html=html))


def token_of(page: httpx.Response) -> str:
    found = re.search(r'xsrf_token: "([^"]+)"', page.text)
    assert found
    return found[1]


def test_the_page_follows_a_session_from_the_queue_to_its_end(site: SmallSite, person: Person) -> None:
    first = read(person.log_in().browser.get("/hub/home").text)
    assert "Start your first session" in first
    before = live(person)
    assert live(person, before["version"]) == {"version": before["version"]}, "nothing is said twice"

    site.hold()
    started = person.start_later("run", profile="gpu-1")
    queued = until(lambda: html if "Queued" in read(html := live(person)["html"]) else None, "it is shown as queued")
    assert "Cancel session run" in queued
    session = site.session_of(person, "run")
    site.begin(session.id)
    assert started.result(60).status_code in (201, 202)
    person.until_ready("run")
    running = until(lambda: html if "Running" in read(html := live(person)["html"]) else None, "it is shown as running")
    assert "Open JupyterLab" in read(running)
    assert "hasn&#39;t said so" in running.replace("\\u0027", "&#39;"), "nobody knows yet what would be lost"

    said = {"idle_s": 0, "busy": True, "gpu_percent": [63.0], "kernels_busy": 1, "others_busy": False, "unsaved": 2}
    token = site.request(session.id).environment["JUPYTERHUB_API_TOKEN"]
    headers = {"Authorization": f"token {token}"}
    assert site.http.post("/services/fabric/api/session/idle", json=said, headers=headers).status_code == 200
    told = live(person)["html"]
    assert "GPU 63%, the session reports" in read(told)
    assert '["A cell is running.", "2 files have unsaved changes."]' in told

    person.stop("run")
    ended = until(lambda: html if "Start again" in read(html := live(person)["html"]) else None, "it is shown as ended")
    assert re.search(r"run Ended [\w: ]+ · stopped", read(ended))


def test_only_its_person_sees_the_list_and_takes_something_off_it_with_the_hubs_own_token(
    site: SmallSite, person: Person
) -> None:
    person.start("one", profile="small")
    person.until_ready("one")
    session = site.session_of(person, "one")
    person.stop("one")
    for stranger in (site.http, person.api):
        answer = stranger.get(f"{site.address}{LIVE}")
        assert (answer.status_code, answer.json()["said"]["code"]) == (403, "login-again"), "by the login's cookie only"
    page = person.log_in().browser.get("/hub/home")
    address = f"/hub/new-session?name=one&opt-project={session.project}&opt-profile={session.profile}"
    assert address in page.text.replace("&amp;", "&")
    remove = {"session": session.id}
    other = site.somebody().log_in()
    assert person.browser.post("/hub/home/remove", data=remove).status_code == 403
    theirs = {"X-XSRFToken": token_of(other.browser.get("/hub/home"))}
    refused = other.browser.post("/hub/home/remove", data=remove, headers=theirs)
    assert (refused.status_code, refused.json()["said"]["code"]) == (404, "no-ended-session")
    assert session.id in live(person)["html"]
    mine = {"X-XSRFToken": token_of(page)}
    assert person.browser.post("/hub/home/remove", data=remove, headers=mine).status_code == 204
    assert session.id not in live(person)["html"]
    listed = site.admin_api("GET", f"/users/{person.name}?include_stopped_servers").json()["servers"]
    assert "one" not in listed
    assert site.store.get(session.id), "the record keeps it"


def test_a_new_session_leads_to_the_form_of_a_valid_free_name_and_starts_nothing(
    site: SmallSite, person: Person
) -> None:
    person.log_in()
    form = f"/hub/spawn/{person.name}"
    for typed, address in (
        ("", form),
        ("default", form),
        ("Träning Run", f"{form}/traning-run"),
        ("../x", f"{form}/x"),
    ):
        page = person.browser.get("/hub/new-session", params={"name": typed, "opt-profile": "small", "other": "1"})
        assert (page.url.path.rstrip("/"), page.url.params.get("opt-profile")) == (address, "small"), typed
        assert "other" not in page.url.params
    assert person.servers() == {}
    person.start(profile="small")
    person.until_ready()
    for typed in ("", "default"):
        assert person.browser.get("/hub/new-session", params={"name": typed}).url.path == f"{form}/session-2"
    assert 'value="session-2"' in person.browser.get("/hub/home").text
    person.stop()


def test_who_starts_again_what_is_still_stopping_gets_its_name_as_soon_as_that_is_given_up(
    site: SmallSite, person: Person
) -> None:
    person.log_in()
    form = f"/hub/spawn/{person.name}"
    person.start(profile="small")
    person.until_ready()
    session = site.session_of(person)
    assert 'value="session-2"' in person.browser.get("/hub/home").text
    site.gateway.fake.lingers = True
    stopped = person.stop_later()
    until(lambda: "Start again" in read(live(person)["html"]), "it is offered again")
    assert person.servers()[""]["pending"] == "stop"
    assert 'value="default"' in person.browser.get("/hub/home").text, "the name that is given up"
    assert person.browser.get("/hub/new-session", params={"name": "two"}).url.path == f"{form}/two", "no need to wait"
    with ThreadPoolExecutor(1) as hand:
        again = hand.submit(person.browser.get, "/hub/new-session", params={"name": "default"})
        site.gateway.call(lambda fake: fake.end(session.id, "CANCELLED"))
        assert again.result(60).url.path.rstrip("/") == form
    assert stopped.result(60).status_code in (202, 204)


def test_a_session_goes_on_in_a_new_one_with_its_choices_for_its_own_person_alone(
    site: SmallSite, person: Person
) -> None:
    person.start("one", profile="small")
    person.until_ready("one")
    first = site.session_of(person, "one")
    card = live(person.log_in())["html"]
    assert "Continue session one in a new one" in card
    wish = {"session": first.id}
    assert person.browser.get("/hub/home/continue", params=wish).status_code == 405, "an address starts nothing"
    assert person.browser.post("/hub/home/continue", data=wish).status_code == 403
    other = site.somebody().log_in()
    theirs = {"X-XSRFToken": token_of(other.browser.get("/hub/home"))}
    refused = other.browser.post("/hub/home/continue", data=wish, headers=theirs)
    assert (refused.status_code, refused.json()["said"]["code"]) == (404, "not-continued")

    mine = {"X-XSRFToken": token_of(person.browser.get("/hub/home"))}
    answers = [
        person.browser.post("/hub/home/continue", data=data, headers=mine) for data in (wish, {**wish, "end": "yes"})
    ]
    page = f"/hub/spawn-pending/{person.name}/one-2"
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"url": page})] * 2
    person.until_ready("one-2")
    second = site.session_of(person, "one-2")
    assert second.follows == first.id
    assert (second.project, second.profile, second.hours) == (first.project, first.profile, first.hours)
    assert site.session_of(person, "one").ends_when_followed is True, "asked again, it is as it was asked last"
