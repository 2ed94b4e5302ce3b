"""Who is a dataset's steward, and which grants wait for their word."""

from __future__ import annotations

from datetime import date

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue, HeldGrant
from fabric_hub.datasets.policy import CatalogueView, DatasetRefusedError, is_held, may_request
from fabric_hub.datasets.stewards import is_steward, stewards, stewards_of, waiting_for
from fabric_hub.launch.dataset_page import for_pages, why_no_page
from tests.support.builders import a_catalogue, a_dataset

TODAY = date(2026, 11, 21)


def held(dataset: str = "wind-farm", project: str = "physics", until: date | None = None) -> HeldGrant:
    return HeldGrant(dataset=dataset, project=project, until=until, by="anna", at=1.0, held_at=2.0)


def shut(*grants: HeldGrant, access: str = "restricted") -> Catalogue:
    return a_catalogue(a_dataset(access=access), granted="").model_copy(update={"held": grants})


@pytest.fixture
def site(catalogue_site: Settings) -> Settings:
    """With a steward of wind-farm, and one of all others."""
    assert catalogue_site.catalogue
    named = catalogue_site.catalogue.model_copy(update={"stewards": {"wind-farm": ("eve",), "*": ("ida",)}})
    return catalogue_site.model_copy(update={"catalogue": named})


def test_a_dataset_with_stewards_of_its_own_has_no_others(site: Settings, catalogue_site: Settings) -> None:
    assert site.catalogue
    assert catalogue_site.catalogue
    assert stewards_of(site.catalogue, "wind-farm") == ("eve",)
    assert stewards_of(site.catalogue, "weather") == ("ida",)
    assert stewards(site.catalogue) == {"eve", "ida"}
    assert not is_steward(site.catalogue, "wind-farm", "ida")
    assert not is_steward(catalogue_site.catalogue, "wind-farm", "eve")
    assert not is_steward(None, "wind-farm", "eve")
    assert stewards(None) == frozenset()


def test_a_steward_reads_what_waits_for_them_and_nothing_that_has_ended(site: Settings) -> None:
    catalogue = shut(
        held(), held(project="gone"), held(project="course", until=date(2026, 11, 20)), held(dataset="weather")
    )
    told = [(one.dataset_title, one.project_title) for one in waiting_for(site, catalogue, "eve", TODAY)]
    assert told == [(a_dataset().title, "gone"), (a_dataset().title, "Physics")]
    assert [one.dataset_title for one in waiting_for(site, catalogue, "ida", TODAY)] == ["weather"]
    assert waiting_for(site, catalogue, "jan", TODAY) == ()
    assert not is_held(catalogue, "wind-farm", "course", TODAY)
    assert is_held(catalogue, "wind-farm", "course", date(2026, 11, 20))


def test_a_member_reads_that_it_waits_and_asks_for_nothing(site: Settings) -> None:
    asked = AccessRequest(user="jan", project="physics", dataset="wind-farm")
    catalogue = shut(held()).model_copy(update={"requests": (asked,)})
    found = for_pages(site, CatalogueView(catalogue=catalogue), "jan", TODAY, "/hub/datasets").find("wind-farm")
    assert found
    part = next(one for one in found.projects if one.name == "physics")
    assert (str(part.says), part.waits, part.why.code) == ("Waits for the steward", True, "dataset-held")
    without = for_pages(site, CatalogueView(catalogue=shut(held())), "jan", TODAY, "/hub/datasets").find("wind-farm")
    assert without
    assert "physics" not in [one.name for one in without.to_request]
    with pytest.raises(DatasetRefusedError, match="must be confirmed after a restore"):
        may_request(catalogue, "wind-farm", "jan", "physics", TODAY)


def test_of_what_is_non_public_only_its_project_reads_that_a_restore_shut_it(site: Settings) -> None:
    view = CatalogueView(catalogue=shut(held(), access="non-public"))
    said = {
        (user, name): why_no_page(site, view, user, TODAY, name).message
        for user, name in (("jan", "wind-farm"), ("stranger", "wind-farm"), ("jan", "nothing"))
    }
    assert "must be confirmed after a restore" in said["jan", "wind-farm"]
    assert said["stranger", "wind-farm"] == "You don't have access to dataset wind-farm."
    assert said["jan", "nothing"] == "You don't have access to dataset nothing."
