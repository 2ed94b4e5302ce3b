"""A steward's page: grant in two clicks, revoke, review and describe a dataset; for nobody else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.datasets.model import Acceptance
from tests.support.dataset_hub import AGREEMENT, DatasetHub
from tests.support.person import Person, words
from tests.support.small_site import PROJECTS

pytestmark = pytest.mark.hub

PAGE = "/hub/steward"


@pytest.fixture(scope="module")
def hub(sandbox: Path) -> Iterator[DatasetHub]:
    with DatasetHub(sandbox / "stewards", from_hub=["grants"]) as made:
        made.publish("river", access="restricted", agreement=AGREEMENT)
        yield made


@pytest.fixture
def steward(hub: DatasetHub) -> Person:
    return hub.site.person("curator").log_in()


def send(person: Person, path: str = PAGE, **fields: Any) -> httpx.Response:
    answer = person.browser.get("/hub/projects")
    page = answer.text
    found = re.search(r'name="_xsrf" value="([^"]+)"', page) or re.search(r'xsrf_token: "([^"]+)"', page)
    assert found, answer.status_code
    return person.browser.post(path, data={"_xsrf": found[1], **fields})


def grants(hub: DatasetHub, name: str) -> list[tuple[str, str | None]]:
    return [
        (one.project, str(one.until) if one.until else None)
        for one in hub.catalogue_service.store.grants()
        if one.dataset == name
    ]


async def test_what_is_asked_for_is_granted_in_two_clicks_and_revoked_within_5_seconds(
    hub: DatasetHub, steward: Person
) -> None:
    asker = hub.site.somebody().log_in()
    asked = send(asker, "/hub/datasets/river", do="request", project="twin", why="For my thesis")
    assert asked.status_code == 200
    # one click on My datasets in the menu, which only stewards have, and one on Grant
    assert f'href="{PAGE}"' in steward.browser.get("/hub/projects").text
    assert f'href="{PAGE}"' not in asker.browser.get("/hub/projects").text
    page = steward.browser.get(PAGE)
    for said in ("The river", f"{asker.name} asked on", "For my thesis", "No project has access now."):
        assert said in words(page)
    assert "grid" not in page.text
    done = send(steward, do="grant", dataset="river", project="twin", until="")
    assert done.status_code == 200, words(done)
    assert "Access granted. The nodes know." in words(done)
    assert grants(hub, "river") == [("twin", None)]

    hub.catalogue_service.store.accept(
        Acceptance(user=asker.name, project="twin", dataset="river", agreement="1", purpose="research")
    )
    earlier = send(steward, do="grant", dataset="river", project="twin", until="2399-12-31")
    assert "Version 1, in force: accepted by 1" in words(earlier)
    assert grants(hub, "river") == [("twin", "2399-12-31")]
    reviewed = send(steward, do="review", dataset="river", project="twin")
    assert "Your review is on record. The next one is in a year." in words(reviewed)

    begun = time.monotonic()
    revoked = send(steward, do="revoke", dataset="river", project="twin")
    took = time.monotonic() - begun
    assert "Access revoked. The nodes know." in words(revoked)
    assert grants(hub, "river") == []
    assert took < 5.0, took

    send(asker, "/hub/datasets/river", do="request", project="twin", why="For another thesis")
    declined = send(steward, do="decline", dataset="river", project="twin", why="It is over.")
    assert "Declined. Who asked reads your reason on the dataset's page." in words(declined)
    assert grants(hub, "river") == []


def test_nobody_else_has_the_page_and_what_the_hub_may_not_grant_is_told_with_its_command(
    hub: DatasetHub, steward: Person
) -> None:
    other = hub.site.somebody().log_in()
    assert other.browser.get(PAGE).status_code == 404
    assert send(other, do="revoke", dataset="wind-farm", project="twin").status_code == 404
    assert send(other, f"{PAGE}/new", name="river").status_code == 404
    refused = send(steward, do="revoke", dataset="wind-farm", project="twin")
    assert refused.status_code == 403
    assert "curator is not a steward of the dataset wind-farm." in words(refused)
    assert grants(hub, "wind-farm") == [("twin", None)]
    unasked = send(steward, do="grant", dataset="river", project="closed-shop")
    assert unasked.status_code == 404
    assert send(steward, do="anything", dataset="river").status_code in (400, 422)
    wrong = send(steward, do="grant", dataset="river", project="twin", until="soon")
    assert wrong.status_code == 422
    assert "The field until has a value that it cannot have." in words(wrong)


def test_a_dataset_is_described_as_a_draft_that_nobody_else_sees(hub: DatasetHub, steward: Person) -> None:
    refused = send(steward, f"{PAGE}/new", name="Not a name", title="Lake")
    assert refused.status_code == 422
    assert 'value="Lake"' in refused.text
    elsewhere = send(steward, f"{PAGE}/new", name="pond", title="Pond")
    assert "curator is not a steward of the dataset pond." in words(elsewhere)
    fields = {"name": "lake", "title": "Lake levels", "publisher": "Waterboard", "access": "restricted"}
    saved = send(steward, f"{PAGE}/new", **fields, themes=["ENVI", "HEAL"], purposes="Flood research", terms="Be good.")
    assert "The draft is saved. Nobody else sees it before it is published." in words(saved)
    assert "What it lacks before it can be published:" in words(saved)
    draft = hub.catalogue_service.store.dataset("lake")
    assert (draft.title, draft.themes, draft.published_at) == ("Lake levels", ("ENVI", "HEAL"), None)
    assert [one.name for one in draft.purposes] == ["flood-research"]
    assert "Lake levels" in steward.browser.get(f"{PAGE}/new?draft=lake").text
    assert all(one.name != "lake" for one in hub.catalogue_service.catalogue().datasets)
    published = send(steward, f"{PAGE}/new", name="river", title="Sea", access="public")
    assert published.status_code == 409
    assert "The dataset river was published; the hub does not change its description." in words(published)
    assert hub.catalogue_service.store.dataset("river").access == "restricted"


def test_a_start_in_a_project_that_asks_for_assurance_is_refused_in_words(sandbox: Path) -> None:
    asks = {"assurance": ["https://refeds.org/assurance/IAP/medium"]}
    twin = {**PROJECTS["twin"], "title": "Twin", "asks": asks}
    with DatasetHub(sandbox / "assured", project={"twin": twin}) as made:
        person = made.site.somebody().log_in()
        refused = person.start(project="twin")
        assert refused.status_code == 403
        assert "Twin is for people who log in by their institution, and you have not." in refused.json()["message"]
        assert made.site.requests_of(person) == []
