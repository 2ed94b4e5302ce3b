from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.budgets.balance import SubmissionRoute
from fabric_hub.config.settings import Settings, parse
from fabric_hub.datasets.model import Accepting
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import Choice, acceptances, choose, gpu_ways
from fabric_hub.launch.options import UserOptions
from fabric_hub.projects.membership import closed, projects_of
from tests.support.builders import TODAY, a_catalogue, a_dataset, a_site, least_site_text


def refused(site: Settings, user: str, **options: Any) -> FabricError:
    with pytest.raises(FabricError) as caught:
        choose(site, user, UserOptions(**options), TODAY)
    assert 400 <= caught.value.status < 500
    return caught.value


def test_what_is_left_out_gets_its_default(site: Settings) -> None:
    assert choose(site, "jan", UserOptions(), TODAY) == Choice(
        project="physics", account="phys", profile="cpu", kind="slurm", image="base", hours=1.0
    )


def test_the_defaults_of_a_project_are_its_own_first_ones(site: Settings) -> None:
    choice = choose(site, "eve", UserOptions(project="course"), TODAY)
    assert (choice.profile, choice.image, choice.hours) == ("gpu", "torch", 2.0)


def test_starting_with_a_choice_gives_the_same_choice(site: Settings) -> None:
    choice = choose(site, "eve", UserOptions(project="course", hours=3.5), TODAY)
    assert choose(site, "eve", UserOptions.model_validate(choice.options()), TODAY) == choice


def test_a_member_of_several_projects_is_asked_which(site: Settings) -> None:
    error = refused(site, "eve")
    assert "Which project" in error.message
    assert "physics, course" in error.hint


def test_a_project_that_is_closed_does_not_count_when_one_is_picked(tmp_path: Path) -> None:
    site = a_site(tmp_path, "[project.later]\naccount='x'\nmembers.owner=['jan']\nstart=2027-01-01\n")
    assert choose(site, "jan", UserOptions(), TODAY).project == "physics"


def test_whoever_can_extend_nothing_is_told_whom_to_ask(tmp_path: Path) -> None:
    site = a_site(
        tmp_path, "[project.over]\naccount='x'\nmembers.owner=['zoe']\nmembers.member=['jan']\nend=2026-01-31\n"
    )
    assert refused(site, "jan", project="over").hint == "Ask its owner to extend it."
    for options in ({}, {"project": "over"}):
        assert refused(site, "zoe", **options).hint == "Ask the operators to extend it."


def test_a_project_that_has_not_begun_says_when_it_does(tmp_path: Path) -> None:
    site = a_site(tmp_path, "[project.later]\naccount='x'\nmembers.member=['kim']\nstart=2027-01-01\n")
    assert refused(site, "kim").text == "Project later starts on 1 January 2027. Ask its owner to start it earlier."


def test_anothers_project_and_none_at_all_are_refused_in_the_same_words(site: Settings) -> None:
    theirs, nobodys = refused(site, "jan", project="course"), refused(site, "jan", project="nothing")
    assert theirs.text.replace("course", "X") == nobodys.text.replace("nothing", "X")
    assert theirs.status == nobodys.status == 403


@pytest.mark.parametrize(
    ("user", "options", "reason", "words"),
    [
        ("nobody", {}, "project", "isn't in a project yet"),
        ("bob", {}, "project-closed", "ended on 31 January 2026"),
        ("bob", {"project": "past"}, "project-closed", "ended on 31 January 2026"),
        ("eve", {"project": "course", "profile": "cpu"}, "profile", "It has gpu."),
        ("eve", {"project": "course", "image": "base"}, "image", "It has torch."),
        ("jan", {"profile": "gpu", "hours": 4.5}, "hours", "at most 4 hours, not 4.5"),
        ("jan", {"datasets": ("mri",)}, "dataset", "offers no datasets"),
    ],
)
def test_every_refusal_names_the_object_and_what_to_do(
    site: Settings, user: str, options: dict[str, Any], reason: str, words: str
) -> None:
    error = refused(site, user, **options)
    assert error.reason == reason
    assert words in error.text
    assert error.hint


def test_a_site_without_profiles_or_images_says_so(tmp_path: Path) -> None:
    text = least_site_text(tmp_path, "[project.p]\naccount='a'\nmembers.owner=['jan']\n")
    error = refused(parse(text), "jan")
    assert (error.reason, error.message) == ("profile", "Project p has no profiles.")
    error = refused(parse(text + "[profile.x]\nkind='local'\n"), "jan")
    assert (error.reason, error.message) == ("image", "This site offers no image.")


@pytest.mark.parametrize(
    ("today", "why"),
    [
        (date(2026, 2, 28), "starts on 1 March 2026"),
        (date(2026, 3, 1), ""),
        (date(2026, 6, 30), ""),
        (date(2026, 7, 1), "ended on 30 June 2026"),
    ],
)
def test_first_and_last_day_are_part_of_a_project(tmp_path: Path, today: date, why: str) -> None:
    site = a_site(tmp_path, "[project.x]\naccount='x'\nstart=2026-03-01\nend=2026-06-30\n")
    assert str(closed(site.project["x"], today) or "") == why


def test_projects_are_told_in_the_files_order_and_only_to_members(site: Settings) -> None:
    assert list(projects_of(site, "eve")) == ["physics", "course"]
    assert projects_of(site, "EVE") == {}


def test_sessions_with_gpus_are_submitted_by_the_partition_and_qos_of_their_profiles(tmp_path: Path) -> None:
    more = "".join(
        f'[profile.{name}]\ngpus = {gpus}\nqos = "grant"\n' for name, gpus in (("big", 4), ("huge", 8), ("none", 0))
    )
    site = a_site(tmp_path, more)
    assert gpu_ways(site, site.project["physics"]) == (
        SubmissionRoute("", "", ("gpu",)),
        SubmissionRoute("", "grant", ("big", "huge")),
    )
    assert gpu_ways(site, site.project["course"]) == (SubmissionRoute("", "", ("gpu",)),)


def test_a_choice_has_its_datasets_once_each_and_in_order(site: Settings) -> None:
    known = CatalogueView(catalogue=a_catalogue(a_dataset(), a_dataset("soil"), accepted="1"))
    choice = choose(site, "jan", UserOptions(datasets=("soil", "wind-farm", "soil")), TODAY, known)
    assert choice.datasets == ("soil", "wind-farm")
    assert choose(site, "jan", UserOptions.model_validate(choice.options()), TODAY, known) == choice


def test_a_dataset_that_the_chosen_project_cannot_use_is_refused(site: Settings) -> None:
    known = CatalogueView(catalogue=a_catalogue(a_dataset(), accepted="1"))
    with pytest.raises(FabricError, match="Project course has no access to a dataset wind-farm") as caught:
        choose(site, "eve", UserOptions(project="course", datasets=("wind-farm",)), TODAY, known)
    assert (caught.value.reason, caught.value.status) == ("dataset", 403)


def test_an_acceptance_is_no_part_of_the_choice_but_is_to_be_recorded(site: Settings) -> None:
    known = CatalogueView(catalogue=a_catalogue(a_dataset()))
    options = UserOptions(datasets=("wind-farm",), agreements={"wind-farm": Accepting(version="1", purpose="research")})
    choice = choose(site, "jan", options, TODAY, known)
    assert "agreements" not in choice.options()
    (found,) = acceptances("jan", choice.project, options, TODAY, known)
    assert (found.user, found.project, found.dataset, found.purpose) == ("jan", "physics", "wind-farm", "research")


def test_a_silent_catalogue_service_holds_up_nobody_who_wants_no_data(site: Settings) -> None:
    silent = CatalogueView(unavailable_since=1.0)
    assert choose(site, "jan", UserOptions(), TODAY, silent).datasets == ()
    with pytest.raises(FabricError, match="has not answered since") as caught:
        choose(site, "jan", UserOptions(datasets=("wind-farm",)), TODAY, silent)
    assert caught.value.status == 503
