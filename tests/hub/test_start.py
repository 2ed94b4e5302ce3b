"""A session through JupyterHub's REST API, from the request to the stop."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.person import Person, filled, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


def test_a_session_is_submitted_as_asked_and_can_be_opened_and_stopped(site: SmallSite, person: Person) -> None:
    asked: dict[str, Any] = {"project": "twin", "profile": "gpu-1", "image": "pytorch", "hours": 1.5, "datasets": []}
    assert person.start(**asked).status_code == 201
    server = person.until_ready()
    assert server["user_options"] == asked

    (request,) = site.requests_of(person)
    assert request.image == "pytorch"
    assert request.spec.account == "twin-acc"
    assert request.spec.partition == "gpu"
    assert request.spec.gres == ("gpu:h200:1",)
    assert (request.spec.cpus, request.spec.memory_mb, request.spec.minutes) == (4, 2048, 90)

    opened = site.http.get(server["url"] + "hello")
    assert opened.json() == {"path": f"/user/{person.name}/hello"}

    assert person.stop().status_code == 204
    assert person.servers() == {}
    assert site.state_of(request.session) == "CANCELLED"
    assert request.session in site.gateway.fake.removed


def test_what_is_left_out_gets_its_default(site: SmallSite, person: Person) -> None:
    assert person.start().status_code == 201
    server = person.until_ready()
    assert server["user_options"] == {
        "project": "twin", "profile": "gpu-1", "image": "base", "hours": 1.0, "datasets": []
    }  # fmt: skip
    (request,) = site.requests_of(person)
    assert (request.image, request.spec.account, request.spec.minutes) == ("base", "twin-acc", 60)


@pytest.mark.parametrize("options", [{"project": "twin", "profile": "small", "hours": "2.5"}, {}])
def test_opening_an_address_starts_nothing_and_fills_the_form(
    site: SmallSite, person: Person, options: dict[str, str]
) -> None:
    """A link, a redirect, an image or a frame on anybody's page makes a browser do this."""
    for server in ("", "from-a-link"):
        page = person.log_in().open_spawn_url(server, **options)
        assert (page.status_code, page.url.path.rpartition("/hub/")[2].startswith("spawn/")) == (200, True)
        assert filled(page) == {name: [value] for name, value in options.items()}
    legacy = person.browser.get(f"/hub/spawn/{person.name}", params=options)
    assert filled(legacy) == filled(page), "also without JupyterHub's prefix for options"
    listed = site.admin_api("GET", f"/users/{person.name}?include_stopped_servers").json()["servers"]
    assert "from-a-link" not in listed, "nor is there a server of that name now"
    assert person.servers() == {}
    assert site.requests_of(person) == []


def test_a_start_from_a_page_needs_the_hubs_own_token(site: SmallSite, person: Person) -> None:
    person.log_in()
    wish = {"project": "twin", "profile": "small"}
    for form in ({}, {"_xsrf": "2|1:0|made-up"}):
        assert person.browser.post(f"/hub/spawn/{person.name}", data={**wish, **form}).status_code == 403
        assert person.browser.post(f"/hub/api/users/{person.name}/server", json=wish, params=form).status_code == 403
    assert site.requests_of(person) == []


def test_what_another_sites_page_makes_a_browser_send_starts_nothing(site: SmallSite, person: Person) -> None:
    """A form, an image and a link of theirs, with what they know: everything but the token in the body."""
    token = person.log_in().browser.cookies["_xsrf"]
    wish, address = {"project": "twin", "profile": "small"}, f"/hub/spawn/{person.name}"
    theirs = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    ways = {"form": ("POST", "navigate"), "script": ("POST", "no-cors"), "link": ("GET", "navigate"),
            "image": ("GET", "no-cors")}  # fmt: skip
    for way, (method, mode) in ways.items():
        for query in (wish, {f"opt-{name}": value for name, value in wish.items()}, {**wish, "_xsrf": token}):
            answer = person.browser.request(
                method, address, params=query, headers={**theirs, "Sec-Fetch-Mode": mode},
                data=wish if method == "POST" else None, follow_redirects=False,
            )  # fmt: skip
            assert answer.status_code == (200 if method == "GET" and "navigate" in mode else 403) or way == "image"
    assert person.servers() == {}
    assert site.requests_of(person) == []


def test_neither_token_nor_choice_is_in_an_address_of_a_start(site: SmallSite, person: Person) -> None:
    page = person.log_in().open_spawn_url(project="twin", profile="small")
    actions = re.findall(r'action="([^"]*/hub/spawn[^"]*)"', page.text)
    assert actions
    assert not any("?" in action for action in actions), actions
    site.hold()
    token = re.search(r'xsrf_token: "([^"]+)"', page.text)
    assert token
    sent = {"project": "twin", "profile": "small", "_xsrf": token[1]}
    answer = person.browser.post(page.url.path, params={"opt-hours": "2"}, data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, f"/hub/spawn-pending/{person.name}")


def test_what_was_started_last_starts_again_and_a_preset_takes_the_hubs_own_token(
    site: SmallSite, person: Person
) -> None:
    assert site.http.get("/hub/start/machines").status_code == 302, "nothing is told to who has not logged in"
    wish = {"project": "twin", "profile": "small", "hours": "2", "preset": "Evenings", "do": "save"}
    person.log_in()
    assert person.browser.post("/hub/start/presets", data=wish).status_code == 403
    assert person.browser.post("/hub/start/presets", data={**wish, "_xsrf": "2|1:0|made-up"}).status_code == 403
    machines = person.browser.get("/hub/start/machines", params={"hours": "2"}).json()["machines"]
    assert machines["small"].keys() == {"state", "word", "at"}
    assert 'name="again"' not in person.browser.get(f"/hub/spawn/{person.name}").text
    person.form(again="project=twin&profile=small&hours=2")
    person.until_ready()
    (request,) = site.requests_of(person)
    assert (request.spec.cpus, request.spec.minutes) == (2, 120)
    last = 'name="again" value="project=twin&amp;profile=small'
    until(lambda: last in person.browser.get(f"/hub/spawn/{person.name}/more").text, "it is offered again")


def test_one_person_cannot_have_more_sessions_than_the_site_allows_nor_keep_others_waiting(site: SmallSite) -> None:
    greedy, other = site.somebody(), site.somebody()
    most = site.settings.users.max_sessions
    site.answers = False  # the greedy one's sessions are starting, for all that follows
    with ThreadPoolExecutor(3 * most) as hands:
        asked = [hands.submit(greedy.start, f"s{number}", profile="small") for number in range(3 * most)]
        until(lambda: len(site.requests_of(greedy)) >= 2, "the first ones are submitted")
        site.answers = True
        assert other.start(profile="small").status_code in (201, 202)
        other.until_ready()
        answers = [one.result() for one in asked]
    # a hub that is busy answers "it is starting", and refuses a moment later
    refused = [one.json()["message"] for one in answers if one.status_code not in (201, 202)]
    assert all(f"nobody may have more than {most} at once" in message for message in refused)
    until(lambda: len(greedy.servers()) == most, "all others are refused", 60)
    assert len(site.requests_of(greedy)) == len(site.jobs_of(greedy)) == most
    page = until(
        lambda: text if f"You have {most} sessions" in (text := words(greedy.log_in().form("one-more"))) else None,
        "the page says why",
    )
    assert "Stop one of them first: s" in page
    assert "one-more" not in words(greedy.browser.get("/hub/home")), "a refused one is on nobody's list"
    for name in greedy.servers():
        greedy.stop(name)


def test_form_url_and_rest_ask_for_the_same(site: SmallSite) -> None:
    wish: dict[str, Any] = {"project": "twin", "profile": "small", "image": "pytorch", "hours": "2.5"}
    by_form, by_url, by_rest = site.somebody().log_in(), site.somebody().log_in(), site.somebody()
    by_form.form(**wish)
    by_url.start_from_url(**wish)
    by_rest.start(**{**wish, "hours": 2.5})
    specs = []
    for person in (by_form, by_url, by_rest):
        person.until_ready()
        (request,) = site.requests_of(person)
        specs.append((request.image, request.spec))
    assert specs[0] == specs[1] == specs[2]
    assert specs[0][1].minutes == 150


def test_a_session_is_ready_only_when_its_server_is_up(site: SmallSite, person: Person) -> None:
    site.hold()
    person.start_later()
    session = site.session_of(person)
    before = person.servers()[""]
    assert (before["pending"], before["ready"]) == ("spawn", False)
    site.begin(session.id)
    after = person.until_ready()
    assert (after["pending"], after["ready"]) == (None, True)


def test_progress_tells_every_step(site: SmallSite, person: Person) -> None:
    site.hold()
    site.answers = False
    site.gateway.fake.reason = "Resources"
    person.start_later()
    session = site.session_of(person)
    seen = []
    for event in person.progress():
        seen.append((event["progress"], event["message"]))
        if event["progress"] == 20:
            site.gateway.call(lambda fake: fake.begin(session.id))
        if event["progress"] == 60:
            site.serve(site.request(session.id))
    steps = [step for step, _ in seen]
    assert steps == sorted(steps)
    assert {20, 60, 100} <= set(steps)
    said = dict(seen)
    assert said[20].startswith("You're next. Your session starts as soon as there is room in partition ")
    assert said[60] == "Starting JupyterLab on gpu1."
    assert seen[-1][1] == f"Server ready at /user/{person.name}/"


def test_cancelling_while_it_waits_takes_the_job_out_of_the_queue(site: SmallSite, person: Person) -> None:
    site.hold()
    person.start_later()
    session = site.session_of(person)
    assert person.stop().status_code in (202, 204)
    site.until_state(session.id, "CANCELLED")
    person.until_gone()
    assert site.jobs_of(person) == []
    site.reset()
    assert person.start().status_code == 201  # and it can be started again at once
    person.until_ready()
    assert len(site.requests_of(person)) == 2


def test_two_requests_at_the_same_moment_submit_one_job(site: SmallSite, person: Person) -> None:
    site.hold()
    both = [person.start_later() for _ in range(2)]
    assert [one.result().status_code for one in both] == [202, 202]
    assert len(site.requests_of(person)) == 1


def test_named_sessions_live_beside_each_other(site: SmallSite, person: Person) -> None:
    assert person.start().status_code == 201
    assert person.start("second", profile="small").status_code == 201
    person.until_ready()
    person.until_ready("second")
    first, second = site.session_of(person), site.session_of(person, "second")
    assert first.id != second.id
    assert person.stop("second", remove=True).status_code == 204
    assert list(person.servers()) == [""]
    assert site.state_of(second.id) == "CANCELLED"
    assert site.state_of(first.id) == "RUNNING"
