from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.hub.pages import machines
from fabric_hub.hub.pages.start_form import balances, for_people, render
from fabric_hub.hub.spawner.limits import fits_now
from fabric_hub.launch.dataset_offer import for_form
from fabric_hub.launch.offer import offer
from fabric_hub.messages.text import verbatim
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, PartitionLimits, Qos
from tests.support.builders import NOW, TODAY, a_catalogue, a_dataset, a_node, a_site, a_snapshot

from .test_failures import Tags

NODES = (a_node(), a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={}))


def page(
    site: Settings, user: str, today: date = TODAY, known: CatalogueView | None = None, *, local: bool = True,
    limits: Limits | None = None, **more: Any,
) -> str:  # fmt: skip
    offered = offer(site, user, a_snapshot(nodes=NODES), today, local=local)
    snapshot = a_snapshot(nodes=NODES)
    fits = fits_now(site, user, offered.projects, limits, None, {})
    data = for_people(site, user, offered, fits, balances(site, offered, limits, snapshot), local=local)
    found = machines.look(machines.offered(site, user), snapshot, limits, {})
    for profile in data["profiles"]:
        profile["machine"] = found.get(profile["name"])
    projects = [project["name"] for project in data["projects"]]
    data["datasets"] = for_form(site, known, user, projects, today).model_dump()
    return render({**data, "base": "", "server_name": "", "silent": "", **more})


def test_the_form_shows_what_may_start_and_what_is_free(site: Settings) -> None:
    html = page(site, "eve")
    for words in ('value="physics"', 'value="course"', 'id="profile-gpu"', "2 of 2 free", "H200"):
        assert words in html
    assert 'data-profiles="gpu" data-images="torch"' in html
    assert 'data-default-hours="2" data-max-hours="4"' in html


def test_a_profile_that_a_limit_refuses_in_all_projects_does_not_say_that_it_can_start(tmp_path: Path) -> None:
    site = a_site(tmp_path, "[project.x]\naccount='x'\nmembers.owner=['kim']\n")
    users = tuple(Association(account="x", user=name, parent="x") for name in ("kim", "other"))

    def told(used: int) -> str:
        account = Association(account="x", grp_tres_mins={GPU: Limit(limit=600, used=used)})
        limits = Limits(at=time.time(), associations=(account, *users), qos=(Qos(name="normal"),))
        text = Tags(page(site, "kim", limits=limits)).text
        return " ".join(text[text.index("1 × H200") :].split()[:30])  # noqa: RUF001 - the sign for times

    assert "Not now: the budget is used up" in told(600)
    assert "Not now" not in told(590), "a short session may start"


def test_the_form_asks_limits_of_the_partition_that_the_sites_settings_give_a_profile(site: Settings) -> None:
    users = (Association(account="phys"), Association(account="phys", user="jan", parent="phys"))
    short = PartitionLimits(name="short", max_time_s=60)
    limits = Limits(at=time.time(), associations=users, partitions=(short, PartitionLimits(name="cpu", default=True)))
    nodes = tuple(node.model_copy(update={"partitions": (*node.partitions, "short")}) for node in NODES)

    def refused(req: dict[str, str]) -> dict[str, str]:
        offered = offer(site, "jan", a_snapshot(nodes=nodes), TODAY, req=req)
        fits = fits_now(site, "jan", offered.projects, limits, None, req)
        return {name: str(fit.refused.message) for name, fit in fits["physics"].items() if fit.refused}

    assert refused({}) == {}
    # profile cpu names a partition of its own
    assert refused({"partition": "short"}) == {"gpu": "Partition short allows a job at most 1 minute, not 6 minutes."}
    assert refused({"partition": "not a name"}) == {}, "what Slurm does not take the offer tells"


def test_a_profile_that_this_hub_can_offer_nobody_is_not_on_the_form(tmp_path: Path) -> None:
    mine = "[profile.machine]\ntitle='This machine'\nkind='local'\n[project.x]\naccount='x'\nmembers.owner=['eve']\n"
    site = a_site(tmp_path, mine)
    shown, hidden = (page(site, "eve", local=local) for local in (True, False))
    assert 'id="profile-machine"' in shown
    assert "This machine" not in hidden
    assert "machine" not in re.search(r'data-profiles="([^"]*)"', hidden)[1].split()  # type: ignore[index]
    assert 'id="profile-gpu"' in hidden


def test_who_is_in_no_project_is_told_whom_to_ask(site: Settings) -> None:
    html = page(site, "nobody")
    assert "Ask a project owner to add you." in html
    assert "<fieldset" not in html


def test_a_closed_project_cannot_be_picked(site: Settings) -> None:
    html = page(site, "bob")
    assert re.search(r'id="project-past"[^>]* disabled>', html)
    assert '<p class="fabric-why">ended on 31 January 2026</p>' in html


def test_a_silent_slurm_is_told_on_the_form(site: Settings) -> None:
    assert "not answered since 09:00" in page(site, "jan", silent="Slurm has not answered since 09:00.")
    assert "alert-warning" not in page(site, "jan")


def test_whatever_a_title_or_a_name_holds_it_stays_text(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>'
    site = a_site(tmp_path, f"[project.x]\naccount='x'\ntitle='{evil}'\nmembers.owner=['eve']\n")
    clean, dirty = Tags(page(site, "eve")), Tags(page(site, "eve", server_name=evil, silent=evil, base=evil))
    assert evil in clean.text
    assert clean.tags.count("script") == dirty.tags.count("script") == 1


def test_a_form_that_lacks_a_value_is_an_error_not_a_blank() -> None:
    with pytest.raises(UndefinedError):
        render({"projects": []})


def test_datasets_are_shown_with_size_access_details_and_the_agreement_that_they_need(site: Settings) -> None:
    html = page(site, "jan", known=CatalogueView(catalogue=a_catalogue(a_dataset())))
    assert 'data-open="" data-agreement="wind-farm" data-changed="" data-others=""' in html
    assert "1.2 MB · Restricted · " in html
    assert 'href="/hub/datasets/wind-farm" target="_blank" aria-label="Details of ' in html
    assert "creativecommons" not in html, "its licence is one of its details"
    assert 'name="accept-wind-farm" id="accept-wind-farm" value="1"' in html
    assert '<option value="teaching">Teaching</option>' in html
    assert "Do no harm." in html


def test_a_site_without_datasets_has_no_part_for_them_on_its_form(site: Settings) -> None:
    assert "fabric-datasets" not in page(site, "jan")


def test_a_secret_of_another_project_is_nowhere_in_the_page(site: Settings) -> None:
    catalogue = a_catalogue(a_dataset("trial-x", title="Trial X", access="non-public"), granted="course")
    assert "trial" not in page(site, "jan", known=CatalogueView(catalogue=catalogue)).lower()
    assert "trial-x" in page(site, "eve", known=CatalogueView(catalogue=catalogue))


def test_a_silent_catalogue_service_is_told_on_the_form(site: Settings) -> None:
    html = page(
        site,
        "jan",
        known=CatalogueView(catalogue=a_catalogue(a_dataset()), unavailable_since=NOW, problem=verbatim("It is gone.")),
    )
    assert "The catalogue service has not answered since" in html
    assert "wind-farm" not in html


def test_whatever_a_catalogue_holds_it_stays_text(site: Settings) -> None:
    evil = '"><script>alert(1)</script>'
    dataset = a_dataset(
        title=evil, keywords=(evil,), description=evil, agreement={"version": "1", "text": evil},
        purposes=({"name": "research", "text": evil},),
    )  # fmt: skip
    tags = Tags(page(site, "jan", known=CatalogueView(catalogue=a_catalogue(dataset))))
    assert tags.tags.count("script") == 1
    assert evil in tags.text
