"""What the start page says of machines, of costs and of what is chosen, and what it keeps of a person."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm

from fabric_hub.config.settings import Settings
from fabric_hub.hub.pages import machines, presets
from fabric_hub.hub.pages.machines import card_state, look
from fabric_hub.hub.pages.start_form import not_a_clients
from fabric_hub.hub.patches.starts import plain_address
from fabric_hub.hub.spawner import runtime
from fabric_hub.launch.offer import offer
from fabric_hub.launch.options import UserOptions, as_query, from_form, parse_options
from fabric_hub.launch.outlook import Outlook
from fabric_hub.launch.start_fit import nearest, start_fits
from fabric_hub.messages.text import NOTHING
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, PartitionLimits, Qos
from tests.support.builders import NOW, TODAY, a_node, a_site, a_snapshot

from .test_start_form import NODES, page

OPTIONS: dict[str, Any] = {
    "project": "physics",
    "profile": "gpu",
    "image": "torch",
    "hours": 2.5,
    "datasets": ["a", "b"],
}


@pytest.mark.parametrize(
    ("found", "state", "word"),
    [
        (None, "ended", "Not known now"),
        (Outlook(1, 4), "free", "1 of 4 free"),
        (Outlook(0, 4, NOW), "busy", "All in use"),
        (Outlook(0, 4), "busy", "All in use"),
        (Outlook(0, 0), "failed", "Out of service"),
        (Outlook(0, 4, NOW, for_s=7290.0), "busy", "Free for 2 h 01 min"),
        (Outlook(0, 4, NOW, for_s=3600.0, maintenance=True), "busy", "Free for 1 hour, until maintenance"),
    ],
)
def test_a_card_has_a_dot_a_word_and_about_when(found: Outlook | None, state: str, word: str) -> None:
    told = card_state(found)
    assert (told["state"], told["word"], told["at"]) == (state, word, round(NOW) if found and found.at else None)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_found", machines._Found())


def test_the_cards_are_of_the_job_that_a_start_would_make(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_KEPT_TIMES", 0.0)
    cards = look(site.profile, a_snapshot(nodes=NODES), None, {})
    assert {name: card["word"] for name, card in cards.items()} == {"cpu": "8 of 8 free", "gpu": "2 of 2 free"}
    soon = {"name": "r", "starts_at": time.time() + 7200, "ends_at": time.time() + 9000, "nodes": "gpu1"}
    held = a_snapshot(nodes=NODES, reservations=(soon,))
    assert look(site.profile, held, None, {}, hours=1)["gpu"]["state"] == "free"
    assert look(site.profile, held, None, {}, hours=3)["gpu"]["state"] == "busy"
    silent = a_snapshot(nodes=NODES, unavailable_since=NOW)
    assert look(site.profile, silent, None, {})["gpu"]["word"] == "Not known now"


def test_a_profile_without_a_partition_is_looked_for_in_slurms_own(site: Settings) -> None:
    limits = Limits(partitions=(PartitionLimits(name="cpu", default=True), PartitionLimits(name="gpu")))
    both = (a_node(), a_node(name="cpu1", partitions=("cpu",), gpus={"h200": 1}, gpus_free={"h200": 1}))
    assert look(site.profile, a_snapshot(nodes=both), limits, {})["gpu"]["word"] == "1 of 1 free"


def limited(used: int, **partition: Any) -> Limits:
    users = tuple(Association(account="phys", user=name, parent="phys") for name in ("jan", "eve"))
    account = Association(account="phys", grp_tres_mins={GPU: Limit(limit=600, used=used)})
    parts = (PartitionLimits(name="gpu", default=True, **partition), PartitionLimits(name="cpu"))
    return Limits(at=time.time(), associations=(account, *users), qos=(Qos(name="normal"),), partitions=parts)


def test_what_does_not_fit_comes_with_the_nearest_choice_that_does(site: Settings) -> None:
    def near(used: int, profile: str = "gpu", hours: float = 2) -> str:
        fits = start_fits(site, "jan", "physics", limited(used), None, {}, time.time())
        return str(nearest(site, "physics", profile, hours, fits))

    assert near(540) == "In project Physics, gpu fits for up to 1 hour."
    assert near(600) == "In project Physics you can have Small for up to 8 hours."
    nothing = a_site(site.hub.state_dir, "[project.one]\naccount='phys'\nmembers.owner=['jan']\nprofiles=['gpu']\n")
    fits = start_fits(nothing, "jan", "one", limited(600), None, {}, time.time())
    assert nearest(nothing, "one", "gpu", 2, fits) == NOTHING


def test_the_form_knows_for_how_long_each_profile_fits_and_what_an_hour_costs(site: Settings) -> None:
    html = page(site, "jan", limits=limited(540, billing_weights={"cpu": 1.0, "gres/gpu": 16.0}))
    found = re.search(r'id="project-physics".*?data-fits="([^"]*)"', html, re.DOTALL)
    assert found
    fits = json.loads(found[1].replace("&#34;", '"'))
    assert fits["gpu"] == {"hours": 1.0, "why": "The budget lasts no longer."}
    assert fits["cpu"] == {"hours": 8.0}
    assert "1 GPU-hour · 24 billing units per hour" in html
    assert "2 CPU-hours per hour" in html
    assert "1.0 of 10.0 GPU-hours left" in html
    used_up = page(site, "jan", limits=limited(600))
    assert "you can have Small for up to 8 hours" in used_up
    assert "Not now: the budget is used up" in used_up


CLIENT = "[project.bakery]\ntitle='Bread'\nkind='client'\naccount='b'\nmembers.owner=['jan']\n"


def test_a_clients_project_is_never_chosen_because_it_was_the_last(tmp_path: Path) -> None:
    site = a_site(tmp_path, CLIENT + "[project.only]\nkind='client'\naccount='c'\nmembers.owner=['kim']\n")
    bakery, physics = UserOptions(project="bakery", profile="cpu"), UserOptions(project="physics")
    jan = offer(site, "jan", None, TODAY)
    assert not_a_clients(site, jan, bakery) == UserOptions()
    assert not_a_clients(site, jan, physics) == physics
    only = UserOptions(project="only")
    assert not_a_clients(site, offer(site, "kim", None, TODAY), only) == only, "there is no other to choose"
    assert '<span class="fabric-badge" data-kind="client">Client</span>' in page(site, "jan")


def test_a_saved_choice_goes_through_its_link_and_its_button_unchanged_and_accepts_nothing() -> None:
    query = as_query({**OPTIONS, "agreements": {"a": {"version": "1", "purpose": "x"}}})
    assert query == "project=physics&profile=gpu&image=torch&hours=2.5&datasets=a&datasets=b"
    wish = parse_options(from_form({"again": [query], "accept-a": ["1"], "project": ["other"]}))
    assert wish == parse_options(OPTIONS)
    assert as_query({"profile": "gpu"}, "opt-") == "opt-profile=gpu"


def test_an_address_keeps_where_it_leads_and_nothing_else() -> None:
    told = "/hub/spawn/ann?_xsrf=secret&opt-profile=gpu&next=%2Fhub%2Fuser%2Fann%2Flab%3Fa%3D1&profile=x"
    assert plain_address(told) == "/hub/spawn/ann?next=%2Fhub%2Fuser%2Fann%2Flab%3Fa%3D1"
    assert plain_address("/hub/spawn/ann?_xsrf=secret") == "/hub/spawn/ann"


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[runtime.HubRuntime]:
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_runtime", None)
    runtime.install(a_site(tmp_path, CLIENT))
    yield runtime.runtime()
    runtime.runtime().store.close()


def test_what_can_be_started_again_is_the_last_choice_and_presets_that_are_still_ones(
    shared: runtime.HubRuntime,
) -> None:
    settings = shared.settings
    assert presets.again(settings, "jan") == (UserOptions(), [])
    shared.choices.remember("jan", {"project": "bakery", "profile": "cpu", "hours": 2.0})
    shared.choices.save("jan", "Training", OPTIONS)
    shared.choices.save("jan", "Of a project that I left", {**OPTIONS, "project": "course"})
    shared.choices.save("jan", "Of a profile that is gone", {**OPTIONS, "profile": "tpu"})
    shared.choices.save("jan", "Of another release", {"walltime": 3})
    last, lines = presets.again(settings, "jan")
    assert last.project == "bakery"
    assert [(line["name"], line["project"], line["badge"]) for line in lines] == [
        ("", "Bread", "Client"), ("Training", "Physics", ""),
    ]  # fmt: skip
    html = page(settings, "jan", again=lines)
    assert 'form="fabric-again-form" name="again" value="project=bakery&amp;profile=cpu&amp;hours=2"' in html
    assert html.count('form="fabric-preset-form"') == 1, "the last choice is no preset to remove"


def test_with_a_person_goes_what_is_kept_of_them(shared: runtime.HubRuntime, tmp_path: Path) -> None:
    presets.forget_with_the_person()
    presets.forget_with_the_person()
    for name in ("ann", "jan"):
        shared.choices.remember(name, OPTIONS)
        shared.readers.remember(name, "nl")
    db = orm.new_session_factory(f"sqlite:///{tmp_path}/hub.sqlite")()
    ann = orm.User(name="ann")
    db.add(ann)
    db.commit()
    db.delete(ann)
    db.commit()
    assert shared.choices.of("ann") == (None, {})
    assert shared.readers.language("ann") is None
    assert shared.choices.of("jan")[0] == OPTIONS
    assert shared.readers.language("jan") == "nl"


def test_one_snapshot_is_gone_through_once_for_all_who_look(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def ask(spec: object, *_: object) -> Outlook:
        asked.append(spec)
        return Outlook(1, 1)

    monkeypatch.setattr(machines, "outlook", ask)
    monkeypatch.setattr(machines, "_KEPT_TIMES", 0.0)
    snapshot = a_snapshot(nodes=NODES)
    for _ in range(3):
        look(site.profile, snapshot, None, {})
    assert len(asked) == 2
    look(site.profile, a_snapshot(nodes=NODES, serial=2), None, {})
    assert len(asked) == 4
    monkeypatch.setattr(machines, "_KEPT_TIMES", 1e9)
    for serial in (3, 4, 5):
        look(site.profile, a_snapshot(nodes=NODES, serial=serial), None, {})
    assert len(asked) == 6, "what took long is kept longer than its snapshot"
