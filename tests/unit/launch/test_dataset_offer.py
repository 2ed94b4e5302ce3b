"""What people are shown of the catalogue: their projects' part of it, and no path of the cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue, Declined, HeldGrant
from fabric_hub.datasets.policy import CatalogueView, State
from fabric_hub.launch.dataset_offer import SessionDataset, for_form, for_person, for_session, not_enforced, silence
from fabric_hub.messages.text import verbatim
from tests.support.builders import NOW, TODAY, a_catalogue, a_dataset


def session_of(
    catalogue_site: Settings, catalogue: Catalogue | None, **changes: object
) -> list[tuple[str, State, bool]]:
    told = for_session(
        catalogue_site, CatalogueView(catalogue=catalogue), "jan", "physics", ("wind-farm",), TODAY, "/hub/spawn/jan"
    )
    return [(one.name, one.state, one.chosen) for one in told.datasets]


def test_a_session_is_told_of_its_own_projects_part(catalogue_site: Settings) -> None:
    catalogue = a_catalogue(a_dataset(), a_dataset("soil"), a_dataset("secret", access="non-public"), granted="course")
    mine = catalogue.model_copy(update={"grants": (*a_catalogue(a_dataset()).grants, *catalogue.grants)})
    assert session_of(catalogue_site, mine) == [
        ("wind-farm", State.AGREEMENT, True),
        ("soil", State.NOT_GRANTED, False),
    ]


def test_no_path_of_the_cluster_and_no_unpublished_version_is_told(catalogue_site: Settings) -> None:
    dataset = a_dataset()
    draft = dataset.versions[0].model_copy(update={"version": "2025", "published_at": None})
    old = dataset.versions[0].model_copy(update={"version": "2023", "retired_at": NOW})
    catalogue = a_catalogue(dataset.model_copy(update={"versions": (old, *dataset.versions, draft)}))
    told = for_session(catalogue_site, CatalogueView(catalogue=catalogue), "jan", "physics", (), TODAY, "")
    assert "secret-place" not in told.model_dump_json()
    assert [version.version for version in told.datasets[0].versions] == ["2024"]
    assert told.datasets[0].path == "/data/wind-farm"


def test_a_person_sees_what_each_of_their_projects_may(catalogue_site: Settings) -> None:
    asked = AccessRequest(user="ada", project="physics", dataset="wind-farm")
    catalogue = a_catalogue(a_dataset(), granted="course", requests=(asked,))
    (one,) = for_person(
        catalogue_site, CatalogueView(catalogue=catalogue), "eve", ["physics", "course"], TODAY, ""
    ).datasets
    assert {name: (told.state, told.requested) for name, told in one.standing.items()} == {
        "physics": (State.NOT_GRANTED, True),
        "course": (State.AGREEMENT, False),
    }


def in_physics(catalogue_site: Settings, catalogue: Catalogue, user: str = "jan") -> SessionDataset:
    known = CatalogueView(catalogue=catalogue)
    return for_session(catalogue_site, known, user, "physics", (), TODAY, "").datasets[0]


def test_a_request_is_told_to_its_author_with_the_reason_and_to_others_without_their_name(
    catalogue_site: Settings,
) -> None:
    november = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()
    asked = AccessRequest(user="ada", project="physics", dataset="wind-farm", why="For my thesis", at=november)
    mine = asked.model_copy(update={"user": "jan", "why": None, "at": november + 86_400})
    free, waiting = a_catalogue(a_dataset(), granted=""), a_catalogue(a_dataset(), granted="", requests=(asked,))
    told = [
        in_physics(catalogue_site, free),
        in_physics(catalogue_site, waiting),
        in_physics(catalogue_site, waiting, "ada"),
        in_physics(catalogue_site, waiting.model_copy(update={"requests": (asked, mine)})),
        in_physics(catalogue_site, a_catalogue(a_dataset(), requests=(asked,)), "ada"),  # granted meanwhile
    ]
    assert [(one.may_request, str(one.told)) for one in told] == [
        (True, ""),
        (False, "Requested 29 Nov by another member of the project. You'll see the decision here."),
        (False, "Requested 29 Nov by you: “For my thesis”. You'll see the decision here."),
        (False, "Requested 30 Nov by you. You'll see the decision here."),
        (False, ""),
    ]


def test_a_refusal_is_told_with_its_reason_to_who_asked_until_it_is_overtaken(catalogue_site: Settings) -> None:
    no = Declined(user="jan", dataset="wind-farm", project="physics", why="Not for courses.", at=NOW)
    shut, free = a_catalogue(a_dataset(), granted=""), a_catalogue(a_dataset())
    asked = AccessRequest(user="ada", project="physics", dataset="wind-farm", at=NOW)
    told = [
        in_physics(catalogue_site, shut.model_copy(update={"declined": (no,)})),
        in_physics(catalogue_site, shut.model_copy(update={"declined": (no,)}), "ada"),
        in_physics(catalogue_site, free.model_copy(update={"declined": (no,)})),
        in_physics(catalogue_site, shut.model_copy(update={"declined": (no,), "requests": (asked,)})),
    ]
    assert [(one.refused, one.may_request) for one in told] == [
        (True, True), (False, True), (False, False), (False, False),
    ]  # fmt: skip
    assert str(told[0].told).endswith(": Not for courses.")
    assert [str(one.told) for one in told[1:3]] == ["", ""], "who did not ask reads nothing of it"
    assert str(told[3].told).startswith("Requested ")


def test_what_waits_for_the_steward_is_not_to_be_requested(catalogue_site: Settings) -> None:
    held = HeldGrant(dataset="wind-farm", project="physics", held_at=NOW)
    catalogue = a_catalogue(a_dataset(), granted="").model_copy(update={"held": (held,)})
    one = in_physics(catalogue_site, catalogue)
    assert (one.state, one.waits, one.may_request, str(one.told)) == (State.NOT_GRANTED, True, False, "")
    assert "must be confirmed after a restore" in str(one.why)


def test_the_form_lists_what_can_be_used_and_counts_what_can_be_asked_for(catalogue_site: Settings) -> None:
    catalogue = a_catalogue(
        a_dataset("weather", access="public", agreement=None), a_dataset(), a_dataset("soil"), accepted="1"
    )
    changed = a_dataset(agreement={"version": "2", "text": "New terms."})
    catalogue = catalogue.model_copy(update={"datasets": (catalogue.datasets[0], changed, catalogue.datasets[2])})
    form = for_form(catalogue_site, CatalogueView(catalogue=catalogue), "jan", ["physics", "course"], TODAY)
    physics, course = form.projects["physics"], form.projects["course"]
    assert (physics.open, physics.agreement, physics.changed, physics.others) == (
        ("weather", "soil"), ("wind-farm",), ("wind-farm",), 0,
    )  # fmt: skip
    assert (course.open, course.agreement, course.others) == (("weather",), (), 2)
    assert [one.name for one in form.datasets] == ["weather", "wind-farm", "soil"]
    assert form.datasets[1].size == "1.2 MB"


def test_while_the_catalogue_service_is_silent_the_form_offers_none_and_says_since_when(
    catalogue_site: Settings,
) -> None:
    known = CatalogueView(
        catalogue=a_catalogue(a_dataset(), accepted="1"), unavailable_since=NOW, problem=verbatim("It is not running.")
    )
    form = for_form(catalogue_site, known, "jan", ["physics"], TODAY)
    assert form.datasets == ()
    assert str(form.problem).startswith("The catalogue service has not answered since ")
    assert str(form.problem).endswith("It is not running. Sessions start without datasets until it does.")
    assert str(silence(CatalogueView())) == "The catalogue service has not answered yet."
    # a session is shown the last list, with the same words
    told = for_session(catalogue_site, known, "jan", "physics", (), TODAY, "")
    assert [one.name for one in told.datasets] == ["wind-farm"]
    assert str(told.problem) in str(form.problem)


def test_a_site_without_datasets_shows_no_part_for_them(catalogue_site: Settings) -> None:
    assert for_form(catalogue_site, None, "jan", ["physics"], TODAY).offered is False


def test_where_nobody_is_kept_apart_that_is_said(tmp_path: Path, catalogue_site: Settings) -> None:
    assert not not_enforced(catalogue_site)
    shared = catalogue_site.model_copy(
        update={"users": catalogue_site.users.model_copy(update={"shared_account": True})}
    )
    assert str(not_enforced(shared)) == (
        "Access to datasets is not enforced here: all sessions run as one account, so whoever can start a session can"
        " read every dataset."
    )
    local = catalogue_site.model_copy(update={"slurm": None})
    assert str(not_enforced(local)) == (
        "Access to datasets is not enforced here: sessions run on the hub's own machine, without Slurm's nodes."
    )
    told = for_session(shared, CatalogueView(catalogue=a_catalogue()), "jan", "physics", (), TODAY, "")
    assert told.enforced is False
    assert told.notice == not_enforced(shared)
