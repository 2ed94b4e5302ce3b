"""Who may use which dataset, and in which words it is refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.datasets.model import Acceptance, Accepting, AccessRequest, Catalogue, Grant
from fabric_hub.datasets.policy import (
    CatalogueUnavailableError,
    CatalogueView,
    DatasetRefusedError,
    State,
    catalogue_of,
    may_use,
    may_use_all,
    open_request,
    standing,
    visible,
)
from fabric_hub.errors import FabricError
from tests.support.builders import NOW, TODAY, a_catalogue, a_dataset

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


def state(catalogue: Catalogue, name: str = "wind-farm", user: str = "jan", project: str = "physics") -> State:
    return standing(catalogue, name, user, project, TODAY).state


def granted(until: date | None) -> Catalogue:
    grants = (Grant(dataset="wind-farm", project="physics", until=until),)
    return a_catalogue(a_dataset(), accepted="1", grants=grants)


def refused(catalogue: Catalogue, accepting: Accepting | None = None, name: str = "wind-farm") -> DatasetRefusedError:
    with pytest.raises(DatasetRefusedError) as caught:
        may_use(catalogue, name, "jan", "physics", TODAY, accepting)
    return caught.value


def test_a_public_dataset_is_open_to_everybody() -> None:
    catalogue = a_catalogue(a_dataset(access="public", agreement=None, purposes=()), granted="")
    assert state(catalogue) is State.OPEN
    assert state(catalogue, user="eve", project="course") is State.OPEN


def test_a_public_dataset_with_an_agreement_is_open_to_who_accepted_it() -> None:
    assert state(a_catalogue(a_dataset(access="public"), granted="")) is State.AGREEMENT
    assert state(a_catalogue(a_dataset(access="public"), granted="", accepted="1")) is State.OPEN


@pytest.mark.parametrize("access", ["restricted", "non-public"])
def test_others_need_a_grant_and_the_acceptance_of_the_current_agreement(access: str) -> None:
    dataset = a_dataset(access=access)
    assert state(a_catalogue(dataset)) is State.AGREEMENT
    assert state(a_catalogue(dataset, accepted="1")) is State.OPEN
    assert state(a_catalogue(dataset, granted="", accepted="1")) in (State.NOT_GRANTED, State.UNKNOWN)


def test_a_grant_and_an_acceptance_count_for_their_project_and_their_user_only() -> None:
    catalogue = a_catalogue(a_dataset(), accepted="1")
    assert state(catalogue, project="course") is State.NOT_GRANTED
    assert state(catalogue, user="eve") is State.AGREEMENT


@pytest.mark.parametrize(
    ("until", "expected"),
    [(None, State.OPEN), (TOMORROW, State.OPEN), (TODAY, State.OPEN), (YESTERDAY, State.NOT_GRANTED)],
)
def test_a_grant_holds_to_the_end_of_its_last_day(until: date | None, expected: State) -> None:
    found = standing(granted(until), "wind-farm", "jan", "physics", TODAY)
    assert found.state is expected
    assert found.until == (until if expected is State.OPEN else None)


def test_a_new_version_of_the_agreement_is_asked_again_and_told_to_be_new() -> None:
    changed = a_dataset(agreement={"version": "2", "text": "Do good."})
    first, again = refused(a_catalogue(changed)), refused(a_catalogue(changed, accepted="1"))
    assert first.why is again.why is State.AGREEMENT
    assert "for project physics first" in first.message
    assert "changed since you accepted it: version 2 is new" in again.message
    assert state(a_catalogue(changed, accepted="2")) is State.OPEN


def test_what_is_not_granted_is_refused_in_the_words_of_what_does_not_exist() -> None:
    hidden = a_catalogue(a_dataset("secret-trial", access="non-public"), a_dataset("open-day"), granted="course")
    not_granted = refused(hidden, name="secret-trial")
    unknown = refused(hidden, name="no-such-thing")
    shown = refused(hidden, name="open-day")
    for error in (not_granted, unknown, shown):
        assert (error.reason, error.status) == ("dataset", 403)
    assert not_granted.text.replace("secret-trial", "X") == unknown.text.replace("no-such-thing", "X")
    assert not_granted.text.replace("secret-trial", "X") == shown.text.replace("open-day", "X")
    assert (not_granted.why, unknown.why, shown.why) == (State.UNKNOWN, State.UNKNOWN, State.NOT_GRANTED)


def test_a_draft_does_not_exist_yet() -> None:
    assert state(a_catalogue(a_dataset(published_at=None))) is State.UNKNOWN


@pytest.mark.parametrize("change", [{"retired_at": NOW}, {"latest": None}])
def test_a_retired_dataset_is_told_to_be_retired_with_whom_to_ask(change: dict[str, Any]) -> None:
    error = refused(a_catalogue(a_dataset(**change), accepted="1"))
    assert error.message == "Dataset wind-farm is retired."
    assert "Data desk (data@energy.example)" in error.hint


def test_a_retired_secret_stays_a_secret() -> None:
    catalogue = a_catalogue(a_dataset(access="non-public", retired_at=NOW), granted="course")
    assert refused(catalogue).why is State.UNKNOWN


def test_a_restricted_dataset_without_an_agreement_stays_shut() -> None:
    assert state(a_catalogue(a_dataset(agreement=None))) is State.NOT_GRANTED


def test_nobody_is_shown_what_their_projects_may_not_know_of() -> None:
    catalogue = a_catalogue(
        a_dataset("shown"), a_dataset("secret", access="non-public"), a_dataset("old", retired_at=NOW),
        granted="course",
    )  # fmt: skip
    assert list(visible(catalogue, "jan", ["physics"], TODAY)) == ["shown"]
    both = visible(catalogue, "eve", ["physics", "course"], TODAY)
    assert {name: list(standings) for name, standings in both.items()} == {
        "shown": ["physics", "course"],
        "secret": ["course"],
        "old": ["course"],
    }


def test_an_acceptance_with_a_start_is_what_the_catalogue_service_must_record() -> None:
    accepting = Accepting(version="1", purpose="teaching")
    found = may_use(a_catalogue(a_dataset()), "wind-farm", "jan", "physics", TODAY, accepting)
    assert found == Acceptance(user="jan", project="physics", dataset="wind-farm", agreement="1", purpose="teaching")
    assert may_use(a_catalogue(a_dataset(), accepted="1"), "wind-farm", "jan", "physics", TODAY, accepting) is None


def test_an_old_version_or_a_strange_purpose_accepts_nothing() -> None:
    catalogue = a_catalogue(a_dataset(agreement={"version": "2", "text": "x"}))
    old = refused(catalogue, Accepting(version="1", purpose="research"))
    assert old.message == "You accepted version 1 of the agreement of dataset wind-farm, but its current version is 2."
    strange = refused(catalogue, Accepting(version="2", purpose="advertising"))
    assert strange.message == "Dataset wind-farm may not be used for the purpose advertising."
    assert strange.hint == "Its purposes are research, teaching."
    assert old.reason == strange.reason == "agreement"


def test_no_acceptance_makes_up_for_a_grant() -> None:
    accepting = Accepting(version="1", purpose="research")
    assert refused(a_catalogue(a_dataset(), granted=""), accepting).why is State.NOT_GRANTED


def test_an_agreement_for_a_dataset_that_is_not_asked_for_is_refused() -> None:
    accepting = {"soil": Accepting(version="1", purpose="research")}
    with pytest.raises(FabricError, match="An agreement is accepted for dataset soil, which is not asked for"):
        may_use_all(a_catalogue(a_dataset(), a_dataset("soil")), ["wind-farm"], "jan", "physics", TODAY, accepting)


def test_without_a_word_of_the_catalogue_service_nothing_is_decided() -> None:
    catalogue = a_catalogue(a_dataset())
    with pytest.raises(CatalogueUnavailableError, match="has not answered yet"):
        catalogue_of(CatalogueView())
    with pytest.raises(CatalogueUnavailableError, match="has not answered since") as caught:
        catalogue_of(CatalogueView(catalogue=catalogue, unavailable_since=NOW))
    assert (caught.value.status, caught.value.reason) == (503, "catalogue-unavailable")
    with pytest.raises(FabricError, match="offers no datasets"):
        catalogue_of(None)
    assert catalogue_of(CatalogueView(catalogue=catalogue)) is catalogue


def test_a_request_is_its_projects() -> None:
    asked = AccessRequest(user="eve", project="course", dataset="wind-farm")
    catalogue = a_catalogue(a_dataset(), requests=(asked,))
    assert open_request(catalogue, "wind-farm", "eve", "course")
    assert open_request(catalogue, "wind-farm", "eve", "physics") is None


@given(
    access=st.sampled_from(["public", "restricted", "non-public"]),
    grant=st.sampled_from(["", "physics", "course"]),
    accepted=st.sampled_from(["", "1", "2"]),
    agreement=st.sampled_from([None, {"version": "1", "text": "x"}]),
    retired=st.booleans(),
    published=st.booleans(),
)
def test_only_what_is_published_granted_and_accepted_is_ever_open(
    access: str, grant: str, accepted: str, agreement: dict[str, str] | None, retired: bool, published: bool
) -> None:
    dataset = a_dataset(
        access=access, agreement=agreement, retired_at=NOW if retired else None, published_at=NOW if published else None
    )
    found = standing(a_catalogue(dataset, granted=grant, accepted=accepted), "wind-farm", "jan", "physics", TODAY)
    fine = published and not retired
    agreed = accepted == "1" if agreement else access == "public"
    assert (found.state is State.OPEN) == (fine and agreed and (access == "public" or grant == "physics"))
    assert bool(found.why) == bool(found.hint) == (found.state is not State.OPEN)
