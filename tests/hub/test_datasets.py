"""Datasets at the hub's three doors, with the real catalogue service: what may be used starts, the rest is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.slurm.model import Job, SubmitRequest
from tests.support.announcing_server import AnnouncingServer
from tests.support.dataset_hub import AGREEMENT, DatasetHub, ticked
from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


@pytest.fixture
def site(dataset_hub: DatasetHub) -> SmallSite:
    return dataset_hub.site


def accepting(name: str, version: str = "1", purpose: str = "research") -> dict[str, Any]:
    return {"datasets": [name], "agreements": {name: {"version": version, "purpose": purpose}}}


def submitted(site: SmallSite, person: Person) -> tuple[str, ...]:
    person.until_ready()
    return site.requests_of(person)[-1].datasets


def again(person: Person) -> None:
    person.stop()
    person.until_gone()


def service(site: SmallSite, person: Person, verb: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": person.api.headers["Authorization"]}
    return site.http.request(verb, f"/services/fabric/api{path}", headers=headers, json=body)


def test_form_url_and_rest_ask_for_the_same_datasets(site: SmallSite) -> None:
    by_form, by_url, by_rest = site.somebody().log_in(), site.somebody().log_in(), site.somebody()
    by_form.form(datasets="weather")
    by_url.start_from_url(datasets="weather")
    by_rest.start(datasets=["weather"])
    for one in (by_form, by_url, by_rest):
        assert submitted(site, one) == ("weather",)
        assert one.servers()[""]["user_options"]["datasets"] == ["weather"]
        assert site.session_of(one).datasets == ("weather",)


@pytest.mark.parametrize(("name", "why"), [("nowhere", "unknown"), ("trial", "unknown"), ("grid", "not-granted")])
def test_what_is_not_granted_and_what_does_not_exist_are_refused_alike_at_every_door(
    dataset_hub: DatasetHub, site: SmallSite, person: Person, name: str, why: str
) -> None:
    person.log_in()
    by_rest = person.start(datasets=[name])
    assert by_rest.status_code == 403
    told = by_rest.json()["message"]
    assert told == f"Project twin has no access to a dataset {name}. Check the name, or request access."
    for page in (person.form(datasets=name), person.open_spawn_url(datasets=name)):
        assert page.status_code == 403
        for sentence in told.split(". "):
            assert sentence in words(page)
        assert 'id="fabric-start"' in page.text
    assert site.requests_of(person) == []
    until(lambda: ("denied", name, why) in dataset_hub.audit_log(person), "the audit log has the refusal")


def test_a_secret_is_on_no_page_of_who_has_no_grant(site: SmallSite, person: Person) -> None:
    page = person.log_in().browser.get(f"/hub/spawn/{person.name}")
    assert "The wind-farm" in page.text
    assert "trial" not in page.text
    names = [one["name"] for one in service(site, person, "GET", "/datasets").json()["datasets"]]
    assert sorted(names) == ["grid", "solar-park", "weather", "wind-farm"]


def test_an_agreement_is_asked_once_and_recorded_before_the_job_is_submitted(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    person.log_in()
    page = person.browser.get(f"/hub/spawn/{person.name}")
    assert 'name="accept-wind-farm"' in page.text
    assert "Do no harm." in words(page)
    refused = person.form(datasets="wind-farm")
    assert refused.status_code == 403
    assert "(version 1) for project twin first" in words(refused)
    assert site.requests_of(person) == []

    seen: list[list[tuple[str, str, str]]] = []
    before = site.gateway.fake.on_submit

    def look(job: Job, request: SubmitRequest) -> None:
        seen.append(dataset_hub.purposes(person))
        before(job, request)

    site.gateway.fake.on_submit = look
    try:
        person.form(**ticked("wind-farm", purpose="teaching"))
        assert submitted(site, person) == ("wind-farm",)
    finally:
        site.gateway.fake.on_submit = before
    assert seen == [[("wind-farm", "1", "teaching")]]

    again(person)
    until(
        lambda: 'name="accept-wind-farm"' not in _option(person.browser.get(f"/hub/spawn/{person.name}").text),
        "the form no longer asks",
    )
    person.form(datasets="wind-farm")
    assert submitted(site, person) == ("wind-farm",)
    assert dataset_hub.purposes(person) == [("wind-farm", "1", "teaching")]
    assert ("accepted", "wind-farm", None) in dataset_hub.audit_log(person)


def _option(page: str) -> str:
    """The page, unless its chosen project has the dataset's agreement accepted."""
    return page if 'data-agreement="solar-park wind-farm"' in page else ""


def test_rest_accepts_with_the_persons_own_token(dataset_hub: DatasetHub, site: SmallSite, person: Person) -> None:
    assert "Accept the agreement of wind-farm" in person.start(datasets=["wind-farm"]).json()["message"]
    assert person.start(**accepting("wind-farm", version="0")).status_code == 403
    assert "may not be used for the purpose spying" in person.start(**accepting("wind-farm", purpose="spying")).text
    assert dataset_hub.purposes(person) == []
    assert person.start(**accepting("wind-farm")).status_code == 201
    assert submitted(site, person) == ("wind-farm",)
    assert dataset_hub.purposes(person) == [("wind-farm", "1", "research")]
    assert "agreements" not in person.servers()[""]["user_options"]


def test_the_service_accepts_with_the_persons_own_token(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    body = {"project": "twin", "agreement": "1", "purpose": "teaching"}
    answer = service(site, person, "POST", "/datasets/wind-farm/acceptance", body)
    assert answer.status_code == 204, answer.text
    assert dataset_hub.purposes(person) == [("wind-farm", "1", "teaching")]
    until(lambda: person.start(datasets=["wind-farm"]).status_code == 201, "the hub has heard of it")


@pytest.mark.parametrize(
    "link",
    [
        ticked("wind-farm"),
        {"datasets": "wind-farm", "agreements": '{"wind-farm": {"version": "1", "purpose": "research"}}'},
    ],
)
def test_no_link_accepts_for_somebody(
    dataset_hub: DatasetHub, site: SmallSite, person: Person, link: dict[str, Any]
) -> None:
    page = person.log_in().open_spawn_url(**link)
    assert page.status_code == 403
    assert "A link cannot accept an agreement." in words(page)
    assert 'id="fabric-start"' in page.text
    assert dataset_hub.purposes(person) == []
    assert site.requests_of(person) == []


def test_a_form_without_the_hubs_own_token_accepts_nothing(dataset_hub: DatasetHub, person: Person) -> None:
    person.log_in()
    answer = person.browser.post(f"/hub/spawn/{person.name}", data=ticked("wind-farm"))
    assert answer.status_code == 403
    assert dataset_hub.purposes(person) == []


def test_an_operator_accepts_for_nobody(dataset_hub: DatasetHub, site: SmallSite, person: Person) -> None:
    answer = site.admin_api("POST", f"/users/{person.name}/server", json=accepting("wind-farm"))
    assert answer.status_code == 403
    assert f"Only {person.name} can accept the agreement of dataset wind-farm, in person." in answer.json()["message"]
    admin = site.person("admin")
    answer = admin.api.post(f"/users/{person.name}/server", json=accepting("wind-farm"))
    assert answer.status_code == 403
    assert dataset_hub.purposes(person) == []


def test_what_was_accepted_once_is_not_accepted_anew_with_the_options_of_last_time(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    refused = person.start(profile="huge", **accepting("solar-park"))  # for another reason than its datasets
    assert refused.status_code == 409
    person.until_gone()
    # without a body JupyterHub takes the options that it has kept
    kept = person.api.post(f"/users/{person.name}/server")
    assert kept.status_code == 403
    assert dataset_hub.purposes(person) == []


@pytest.fixture
def running(site: SmallSite, person: Person) -> AnnouncingServer:
    """A session with a public dataset."""
    return site.started(person, datasets=["weather"])


def test_a_sessions_own_token_accepts_nothing(
    dataset_hub: DatasetHub, site: SmallSite, person: Person, running: AnnouncingServer
) -> None:
    body = {"project": "twin", "agreement": "1", "purpose": "research"}
    headers = {"Authorization": f"token {running.token}"}
    refused = running.tell("POST", "/session/datasets/wind-farm")
    assert (refused.status_code, refused.json()["reason"]) == (403, "agreement")
    public = "/services/fabric/api/datasets"
    refused = site.http.post(f"{public}/wind-farm/acceptance", headers=headers, json=body)
    assert (refused.status_code, refused.json()["reason"]) == (403, "scope")
    assert site.http.get(public, headers=headers).status_code == 403
    for verb, path in (("POST", "/datasets/wind-farm/acceptance"), ("GET", "/datasets")):
        assert running.tell(verb, path).status_code in (403, 404), "where sessions call there is only /session"
    for path in (f"/users/{person.name}/servers/more", f"/users/{person.name}/server"):
        answer = site.http.post(f"/hub/api{path}", headers=headers, json=accepting("wind-farm"))
        assert answer.status_code in (403, 404), answer.text
    site.http.cookies.clear()
    page = site.http.get(f"/hub/spawn/{person.name}/more", headers=headers)
    form = site.http.post(f"/hub/spawn/{person.name}/more", headers=headers, data=ticked("wind-farm"))
    assert page.status_code in (302, 403, 404)
    assert form.status_code in (302, 403, 404)
    assert dataset_hub.purposes(person) == []


def test_a_running_session_adds_and_drops_what_it_may(
    dataset_hub: DatasetHub, site: SmallSite, person: Person, running: AnnouncingServer
) -> None:
    told = running.tell("GET", "/session/datasets").json()
    states = {one["name"]: (one["state"], one["chosen"]) for one in told["datasets"]}
    assert states == {
        "grid": ("not-granted", False),
        "solar-park": ("agreement", False),
        "weather": ("open", True),
        "wind-farm": ("agreement", False),
    }
    assert "/srv/" not in json.dumps(told)
    body = {"project": "twin", "agreement": "1", "purpose": "research"}
    assert service(site, person, "POST", "/datasets/wind-farm/acceptance", body).status_code == 204
    added = until(
        lambda: (answer := running.tell("POST", "/session/datasets/wind-farm")).status_code == 200 and answer,
        "the service has heard of the acceptance",
    )
    assert added.json() == {"datasets": ["weather", "wind-farm"]}
    assert running.tell("DELETE", "/session/datasets/weather").json() == {"datasets": ["wind-farm"]}
    assert site.session_of(person).datasets == ("wind-farm",)
    assert running.tell("POST", "/session/datasets/grid/request", json={"why": "Balance."}).status_code == 204
    assert ("requested", "grid", "Balance.") in dataset_hub.audit_log(person)
    assert running.tell("POST", "/session/datasets/trial/request", json={}).status_code == 403


def test_a_new_version_of_the_agreement_asks_again_and_says_so(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    dataset_hub.publish("tides", access="restricted", agreement=AGREEMENT, project="twin")
    person.log_in()
    until(lambda: "The tides" in person.browser.get(f"/hub/spawn/{person.name}").text, "the form has it")
    person.form(**ticked("tides"))
    assert submitted(site, person) == ("tides",)
    again(person)

    dataset_hub.new_agreement("tides", "2")
    page = until(
        lambda: (
            (page := person.browser.get(f"/hub/spawn/{person.name}")) and 'data-changed="tides"' in page.text and page
        ),
        "the form says that it changed",
    )
    assert "The agreement changed since you accepted it: version 2 is new." in words(page)
    assert "Be kind." in words(page)
    assert "changed since you accepted it: version 2 is new" in person.start(datasets=["tides"]).json()["message"]
    old = person.form(**ticked("tides"))
    assert old.status_code == 403
    assert "its current version is 2" in words(old)
    person.form(**ticked("tides", version="2"))
    assert submitted(site, person) == ("tides",)
    assert ("tides", "2", "research") in dataset_hub.purposes(person)


def test_a_revoked_grant_is_refused_at_the_next_start(dataset_hub: DatasetHub, site: SmallSite, person: Person) -> None:
    dataset_hub.publish("heat", access="restricted", agreement=AGREEMENT, project="twin")
    until(lambda: person.start(**accepting("heat")).status_code == 201, "the hub has heard of it")
    again(person)
    dataset_hub.catalogue_service.store.revoke("heat", "twin")

    def refusal() -> httpx.Response | None:
        answer = person.start(datasets=["heat"])
        if answer.status_code == 403:
            return answer
        again(person)
        return None

    refused = until(refusal, "the hub has heard of the revocation")
    assert "Project twin has no access to a dataset heat." in refused.json()["message"]


def test_a_silent_catalogue_service_holds_up_only_who_wants_data(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    person.log_in()
    assert "The weather" in person.browser.get(f"/hub/spawn/{person.name}").text
    dataset_hub.catalogue_service.down()
    try:
        page = until(
            lambda: (
                (page := person.browser.get(f"/hub/spawn/{person.name}")) and "datasets-problem" in page.text and page
            ),
            "the form says that the catalogue service is silent",
        )
        assert "The catalogue service has not answered since" in words(page)
        assert "Sessions start without datasets until it does." in words(page)
        refused = person.start(datasets=["weather"])
        assert refused.status_code == 503
        assert "The catalogue service has not answered since" in refused.json()["message"]
        assert person.start(datasets=[]).status_code == 201
        assert submitted(site, person) == ()
    finally:
        dataset_hub.catalogue_service.up()
    again(person)
    until(lambda: person.start(datasets=["weather"]).status_code == 201, "the hub hears the catalogue service again")
    assert submitted(site, person) == ("weather",)


def test_a_session_that_waits_keeps_its_datasets_when_the_hub_dies(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    site.hold()
    person.start_later(datasets=["weather"])
    session = site.session_of(person)
    site.kill()
    site.up()
    until(lambda: "" in person.servers(), "the session is taken up again")
    assert site.session_of(person).id == session.id
    assert site.session_of(person).datasets == ("weather",)
    site.begin(session.id)
    person.until_ready()
    assert len(site.requests_of(person)) == 1


def test_where_nobody_is_kept_apart_page_and_api_say_so(sandbox: Path) -> None:
    with DatasetHub(sandbox / "shared", users={"shared_account": True}) as shared:
        site = shared.site
        person = site.somebody().log_in()
        page = words(person.browser.get(f"/hub/spawn/{person.name}"))
        told = service(site, person, "GET", "/datasets").json()
        assert "Access to datasets is not enforced here: all sessions run as one account" in page
        assert told["enforced"] is False
        assert told["notice"] in page
        # and what is not granted is refused all the same
        assert person.start(datasets=["grid"]).status_code == 403
        assert person.start(datasets=["weather"]).status_code == 201
