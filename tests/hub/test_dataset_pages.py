"""A dataset's page at the hub: terms are accepted by a person there, and a steward decides, and nobody else."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.support.announcing_server import AnnouncingServer
from tests.support.dataset_hub import AGREEMENT, DatasetHub, ticked
from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

WIND = "/hub/datasets/wind-farm"
RIVER = "/hub/datasets/river"
WAITS = "The access of project twin to the dataset river must be confirmed after a restore of the hub."


@pytest.fixture
def site(dataset_hub: DatasetHub) -> SmallSite:
    return dataset_hub.site


@pytest.fixture
def reader(site: SmallSite) -> Person:
    return site.somebody().log_in()


@pytest.fixture
def running(site: SmallSite, reader: Person) -> AnnouncingServer:
    return site.started(reader)


def xsrf(reader: Person, path: str = WIND) -> str:
    found = re.search(r'name="_xsrf" value="([^"]+)"', reader.browser.get(path).text)
    assert found
    return found[1]


def accept(reader: Person, page: str = WIND, **fields: Any) -> httpx.Response:
    return reader.browser.post(WIND, data={"_xsrf": xsrf(reader, page), "do": "accept", "project": "twin", **fields})


def test_terms_are_accepted_while_a_session_runs_and_the_dataset_is_then_added_to_it(
    dataset_hub: DatasetHub, reader: Person, running: AnnouncingServer
) -> None:
    # the start page is no place for it: it leads into the running session
    assert reader.browser.get(f"/hub/spawn/{reader.name}", follow_redirects=False).status_code == 302
    told = running.tell("GET", "/session/datasets").json()
    assert told["datasets_page"] == "/hub/datasets"
    page = reader.browser.get(f"{told['datasets_page']}/wind-farm?project=twin")
    assert page.status_code == 200
    for said in ("The wind-farm", "Example Energy", "CC BY 4.0", "Do no harm.", "Teaching"):
        assert said in words(page)
    assert dataset_hub.purposes(reader) == []
    assert running.tell("POST", "/session/datasets/wind-farm").status_code == 403

    done = accept(reader, **ticked("wind-farm", purpose="teaching"))
    assert done.status_code == 200
    assert "Go back to JupyterLab and press Add" in words(done)
    assert 'id="dataset-accept"' not in done.text
    assert dataset_hub.purposes(reader) == [("wind-farm", "1", "teaching")]
    assert ("accepted", "wind-farm", None) in dataset_hub.audit_log(reader)
    until(lambda: running.tell("POST", "/session/datasets/wind-farm").status_code == 200, "it is added")
    # asked once: what is sent again changes nothing
    assert accept(reader, "/hub/datasets/grid", **ticked("wind-farm")).status_code == 200
    assert dataset_hub.purposes(reader) == [("wind-farm", "1", "teaching")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "(version 1) for project twin first"),
        (ticked("wind-farm", version="0"), "but its current version is 1"),
        (ticked("wind-farm", purpose="spying"), "may not be used for the purpose spying"),
        ({"project": "closed-shop", **ticked("wind-farm")}, "is not a member of project closed-shop"),
    ],
)
def test_it_is_refused_with_the_words_of_a_start(
    dataset_hub: DatasetHub, reader: Person, fields: dict[str, str], said: str
) -> None:
    sent = {"_xsrf": xsrf(reader), "do": "accept", "project": "twin", **fields}
    refused = reader.browser.post(WIND, data=sent)
    assert refused.status_code == 403
    assert said in words(refused)
    start = reader.form(**{"project": "twin", **fields, "datasets": "wind-farm"})
    assert said in words(start)
    assert dataset_hub.purposes(reader) == []


def test_nothing_is_accepted_by_a_link_without_the_hubs_own_token_or_without_login(
    dataset_hub: DatasetHub, site: SmallSite, reader: Person
) -> None:
    sent = {"do": "accept", "project": "twin", **ticked("wind-farm")}
    assert reader.browser.get(WIND, params={**sent, "_xsrf": xsrf(reader)}).status_code == 200
    assert reader.browser.post(WIND, data=sent).status_code == 403
    assert reader.browser.post(WIND, data={**sent, "_xsrf": "guessed"}).status_code == 403
    with httpx.Client(base_url=site.address, timeout=60, verify=False) as nobody:
        assert nobody.get(WIND).headers["location"].startswith("/hub/login")
        assert nobody.post(WIND, data=sent).status_code == 403
    assert dataset_hub.purposes(reader) == []


def test_no_token_opens_the_page_and_a_sessions_token_beside_the_login_accepts_nothing(
    dataset_hub: DatasetHub, site: SmallSite, reader: Person, running: AnnouncingServer
) -> None:
    sent = {"_xsrf": xsrf(reader), "do": "accept", "project": "twin", **ticked("wind-farm")}
    for token in (f"token {running.token}", reader.api.headers["Authorization"]):
        headers = {"Authorization": str(token)}
        with httpx.Client(base_url=site.address, timeout=60, verify=False, headers=headers) as client:
            assert client.get(WIND).status_code == 302
            assert client.post(WIND, data=sent).status_code == 403
    beside = {"Authorization": f"token {running.token}"}
    refused = reader.browser.post(WIND, data=sent, headers=beside)
    assert refused.status_code == 403
    assert dataset_hub.purposes(reader) == []
    asking = {**sent, "do": "request"}
    refused = reader.browser.post("/hub/datasets/grid", data=asking, headers=beside)
    assert refused.status_code == 403
    assert "Access is asked for in person here, by who has logged in." in words(refused)
    refused = reader.browser.post(WIND, data={**sent, "do": "confirm"}, headers=beside)
    assert refused.status_code == 403
    assert "A steward decides here in person, logged in at the hub." in words(refused)
    assert not [event for event in dataset_hub.audit_log(reader) if event[0] == "requested"]


def test_no_other_page_can_show_it_in_a_frame_and_no_copy_is_kept(reader: Person) -> None:
    page = reader.browser.get(WIND)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


def test_access_is_requested_once_and_the_page_says_so(dataset_hub: DatasetHub, reader: Person) -> None:
    grid = "/hub/datasets/grid"
    assert "No access yet" in words(reader.browser.get(grid))
    sent = {"_xsrf": xsrf(reader, grid), "do": "request", "project": "twin", "why": "Balance."}
    nothing = reader.browser.post(grid, data={"_xsrf": xsrf(reader, grid), "project": "twin"})
    assert nothing.status_code == 400
    assert "This form asks for nothing. Use the page's buttons." in words(nothing)
    long = reader.browser.post(grid, data={**sent, "why": "x" * 301})
    assert long.status_code == 400
    assert "The reason is not one line of text." in words(long)
    done = reader.browser.post(grid, data=sent)
    assert done.status_code == 200
    assert "Access is requested for project" in words(done)
    assert "Access requested" in words(done)
    assert 'id="dataset-request"' not in done.text
    assert ("requested", "grid", "Balance.") in dataset_hub.audit_log(reader)
    refused = reader.browser.post(WIND, data=sent)
    assert refused.status_code == 409
    assert "Project twin may use dataset wind-farm already." in words(refused)


def test_a_secret_and_what_does_not_exist_look_alike(dataset_hub: DatasetHub, reader: Person) -> None:
    secret, nothing = (reader.browser.get(f"/hub/datasets/{name}") for name in ("trial", "nosuch"))
    assert secret.status_code == nothing.status_code == 404
    assert words(secret).replace("trial", "NAME") == words(nothing).replace("nosuch", "NAME")
    everything = reader.browser.get("/hub/datasets")
    assert "The wind-farm" in everything.text
    assert "trial" not in everything.text
    token = xsrf(reader)
    for name in ("trial", "nosuch"):
        sent = {"_xsrf": token, "do": "accept", "project": "twin", **ticked(name)}
        refused = reader.browser.post(f"/hub/datasets/{name}", data=sent)
        assert refused.status_code == 403
        assert f"Project twin has no access to a dataset {name}." in words(refused)

        def told(name: str = name) -> bool:
            return ("denied", name, "unknown") in dataset_hub.audit_log(reader)

        until(told, "the audit log has the refusal")


def test_the_text_of_terms_is_text(dataset_hub: DatasetHub, reader: Person) -> None:
    evil = "<script>alert(1)</script> & {{ 7 * 7 }}"
    dataset_hub.publish("evil", access="restricted", agreement={**AGREEMENT, "text": evil}, project="twin")
    page = until(
        lambda: (page := reader.browser.get("/hub/datasets/evil")).status_code == 200 and page, "the page is there"
    )
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in page.text
    assert evil not in page.text


def test_a_silent_catalogue_service_is_said_and_nothing_is_accepted(dataset_hub: DatasetHub, reader: Person) -> None:
    token = xsrf(reader)
    dataset_hub.catalogue_service.down()
    try:
        page = until(
            lambda: (page := reader.browser.get(WIND)) and "datasets-problem" in page.text and page, "it is said"
        )
        assert "The catalogue service has not answered since" in words(page)
        sent = {"_xsrf": token, "do": "accept", "project": "twin", **ticked("wind-farm")}
        refused = reader.browser.post(WIND, data=sent)
        assert refused.status_code == 503
    finally:
        dataset_hub.catalogue_service.up()
    assert dataset_hub.purposes(reader) == []


# -- after a restore


@pytest.fixture(scope="module")
def river(_dataset_hub: DatasetHub) -> DatasetHub:
    """A dataset that a restore shut for a project and one that it shut for another."""
    for name, access in (("river", "restricted"), ("tide", "non-public")):
        _dataset_hub.publish(name, access=access, agreement=AGREEMENT, project="twin")
    for project in ("twin", "closed-shop"):
        _dataset_hub.grant("river", project)
        _dataset_hub.shut("river", project)
    _dataset_hub.shut("tide", "twin")
    return _dataset_hub


@pytest.fixture
def steward(river: DatasetHub, dataset_hub: DatasetHub) -> Person:
    """Who is in no project."""
    return dataset_hub.site.person("curator").log_in()


def test_a_member_reads_that_access_waits_for_the_steward_and_cannot_decide(river: DatasetHub, reader: Person) -> None:
    until(lambda: "Waits for the steward" in words(reader.browser.get(RIVER)), "the hub knows that it is shut")
    page = reader.browser.get(RIVER)
    assert "Waits for the steward" in words(page)
    assert WAITS in words(page)
    for absent in ('id="dataset-request"', 'id="dataset-steward"'):
        assert absent not in page.text
    assert "Wacht op de datasteward" in words(reader.browser.get(RIVER, headers={"Accept-Language": "nl"}))
    assert 'id="datasets-waiting"' not in reader.browser.get("/hub/datasets").text
    # not in a list, but who knows the name is told why
    until(lambda: reader.browser.get("/hub/datasets/tide").status_code == 403, "the hub knows of that, too")
    secret = reader.browser.get("/hub/datasets/tide")
    assert secret.status_code == 403
    assert "The access of project twin to the dataset tide must be confirmed" in words(secret)
    sent = {"_xsrf": xsrf(reader), "project": "twin", "do": "confirm"}
    refused = reader.browser.post(RIVER, data=sent)
    assert refused.status_code == 403
    assert f"{reader.name} is not a steward of the dataset river." in words(refused)
    asked = reader.browser.post(RIVER, data={**sent, "do": "request"})
    assert asked.status_code == 403
    assert WAITS in words(asked)
    assert len(river.held("river")) == 2


def test_the_steward_confirms_one_and_refuses_the_other_and_each_is_on_record(
    river: DatasetHub, steward: Person, reader: Person
) -> None:
    until(lambda: steward.browser.get("/hub/datasets").text.count(f'"{RIVER}"') >= 2, "the steward sees it")
    assert "The river for Digital twin" in words(steward.browser.get("/hub/datasets"))
    page = steward.browser.get(RIVER)
    assert page.status_code == 200
    assert "only the backup knew of it" in words(page)
    assert "Wacht op je beslissing" in words(steward.browser.get(RIVER, headers={"Accept-Language": "nl"}))
    sent = {"project": "twin", "do": "confirm"}
    # a link and another site's form decide nothing
    assert steward.browser.get(RIVER, params={**sent, "_xsrf": xsrf(steward, RIVER)}).status_code == 200
    assert steward.browser.post(RIVER, data=sent).status_code == 403
    assert river.held("river") == {"twin", "closed-shop"}

    sent["_xsrf"] = xsrf(steward, RIVER)
    done = steward.browser.post(RIVER, data=sent)
    assert done.status_code == 200
    assert "Confirmed: project Digital twin may use this dataset again." in words(done)
    assert river.held("river") == {"closed-shop"}
    until(lambda: "Terms to accept" in words(reader.browser.get(RIVER)), "the project has it again")
    again = steward.browser.post(RIVER, data=sent)
    assert again.status_code == 404
    assert "does not wait for a decision any more" in words(again)

    done = steward.browser.post(RIVER, data={**sent, "project": "closed-shop", "do": "refuse"})
    assert "Refused: project closed-shop has no access any more." in words(done)
    assert "Nothing waits for you." in words(done)
    assert river.held("river") == set()
    assert [one for one in river.audit_log(steward) if one[1] == "river"] == [
        ("confirmed", "river", None),
        ("revoked", "river", "the steward did not confirm what a restore had shut"),
    ]
