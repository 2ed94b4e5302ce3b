"""What the hub's pages of datasets show to a person, from the catalogue; and what their form for a request may say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue, Declined
from fabric_hub.datasets.policy import CatalogueView, State
from fabric_hub.errors import FabricError
from fabric_hub.launch.dataset_page import DatasetPart, ProjectPart, for_pages, licence_in_words, wish_of
from fabric_hub.messages.text import verbatim
from tests.support.builders import NOW, a_catalogue, a_dataset

TODAY = date(2026, 11, 21)


def page(catalogue_site: Settings, catalogue: Catalogue, user: str = "jan") -> DatasetPart | None:
    return for_pages(catalogue_site, CatalogueView(catalogue=catalogue), user, TODAY, "/hub/datasets").find("wind-farm")


def in_physics(catalogue_site: Settings, catalogue: Catalogue) -> ProjectPart:
    found = page(catalogue_site, catalogue)
    assert found
    return next(one for one in found.projects if one.name == "physics")


def test_each_state_is_said_in_words_and_an_acceptance_with_its_purpose(catalogue_site: Settings) -> None:
    asked = AccessRequest(user="ada", project="physics", dataset="wind-farm")
    granted, open_now = a_catalogue(a_dataset()), a_catalogue(a_dataset(), accepted="1")
    told = [
        in_physics(catalogue_site, catalogue)
        for catalogue in (
            granted,
            open_now,
            a_catalogue(a_dataset(), granted=""),
            a_catalogue(a_dataset(), granted="", requests=(asked,)),
            granted.model_copy(update={"requests": (asked,)}),
        )
    ]
    assert [(one.title, str(one.says)) for one in told] == [
        ("Physics", "Terms to accept"),
        ("Physics", "Available"),
        ("Physics", "No access yet"),
        ("Physics", "Access requested"),
        ("Physics", "Terms to accept"),
    ]
    no = Declined(user="jan", dataset="wind-farm", project="physics", why="Not for courses.", at=NOW)
    refused = a_catalogue(a_dataset(), granted="").model_copy(update={"declined": (no,)})
    assert str(in_physics(catalogue_site, refused).says) == "Access refused"
    assert "Not for courses." in str(in_physics(catalogue_site, refused).told)
    research = next(one.text for one in a_dataset().purposes if one.name == "research")
    assert [one.purpose for one in told] == ["", research, "", "", ""]


def test_terms_that_changed_since_they_were_accepted_say_so(catalogue_site: Settings) -> None:
    catalogue = a_catalogue(a_dataset(), accepted="1")
    changed = a_dataset(agreement={"version": "2", "text": "New terms."})
    one = in_physics(catalogue_site, catalogue.model_copy(update={"datasets": (changed,)}))
    assert (one.state, one.changed, one.purpose) == (State.AGREEMENT, True, "")


def test_only_what_a_projects_member_may_know_of_has_a_page(catalogue_site: Settings) -> None:
    secret = a_catalogue(a_dataset(access="non-public"), granted="course")
    assert page(catalogue_site, secret) is None
    assert page(catalogue_site, secret, "eve")
    assert page(catalogue_site, a_catalogue(a_dataset()), "stranger") is None
    assert page(catalogue_site, a_catalogue(a_dataset()).model_copy(update={"datasets": ()})) is None


def test_projects_to_accept_in_and_to_ask_for_are_told_apart(catalogue_site: Settings) -> None:
    found = page(catalogue_site, a_catalogue(a_dataset()), "eve")
    assert found
    assert [one.name for one in found.where(State.AGREEMENT)] == ["physics"]
    assert [one.name for one in found.to_request] == ["course"]
    assert (found.size, str(found.access_name)) == ("1.2 MB", "Restricted")


def test_a_description_is_rendered_and_a_licence_has_its_short_name(catalogue_site: Settings) -> None:
    described = a_dataset(description="Values of every\n**ten** minutes.\n\n<b>Of</b> 2025.")
    found = page(catalogue_site, a_catalogue(described))
    assert found
    assert found.description_html == (
        "<p>Values of every\n<strong>ten</strong> minutes.</p>\n<p>&lt;b&gt;Of&lt;/b&gt; 2025.</p>\n"
    )
    assert [
        licence_in_words(address)
        for address in (
            "https://creativecommons.org/licenses/by-nc/4.0/",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
            "https://example.org/terms",
        )
    ] == ["CC BY-NC 4.0", "CC0 1.0", "CC BY 4.0", "https://example.org/terms"]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("none", "None"),
        ("pseudonymised", "Pseudonymised: people can be found again with more data (GDPR article 4)"),
        ("personal", "Personal data (GDPR article 4)"),
        ("special", "Special categories of personal data (GDPR article 9)"),
        (None, ""),
    ],
)
def test_what_a_dataset_holds_about_people_is_said_in_the_words_of_the_law(
    catalogue_site: Settings, held: str | None, words: str
) -> None:
    found = page(catalogue_site, a_catalogue(a_dataset(personal_data=held)))
    assert found
    assert str(found.personal) == words


@pytest.mark.parametrize(
    ("access", "name"), [("public", "Public"), ("restricted", "Restricted"), ("non-public", "Non-public")]
)
def test_an_access_has_one_name(catalogue_site: Settings, access: str, name: str) -> None:
    found = page(catalogue_site, a_catalogue(a_dataset(access=access)))
    assert found
    assert str(found.access_name) == name


def test_the_list_is_in_the_order_of_titles_and_says_when_it_may_be_old(catalogue_site: Settings) -> None:
    catalogue = a_catalogue(a_dataset("b-set", title="Zebras"), a_dataset("c-set", title="apples"))
    silent = CatalogueView(catalogue=catalogue, unavailable_since=NOW, problem=verbatim("It is not running."))
    told = for_pages(catalogue_site, silent, "jan", TODAY, "/hub/datasets")
    assert [one.title for one in told.datasets] == ["apples", "Zebras"]
    assert str(told.problem).startswith("The catalogue service has not answered since ")


def test_a_request_is_for_a_project_and_its_reason_is_one_line_or_none(catalogue_site: Settings) -> None:
    assert wish_of({"project": "physics", "why": "  "}).why is None
    assert wish_of({"project": "physics", "why": " For the grid. "}).why == "For the grid."
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"why": "x"}, "The request names no project."),
        ({"project": "physics", "why": "two\nlines"}, "The reason is not one line of text."),
        ({"project": "physics", "why": "x" * 301}, "The reason is not one line of text."),
    ]
    for fields, said in wrong:
        with pytest.raises(FabricError, match=said):
            wish_of(fields)
