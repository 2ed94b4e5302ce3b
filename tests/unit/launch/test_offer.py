from __future__ import annotations

from fabric_hub.config.settings import Settings
from fabric_hub.launch.offer import Offer, free_gpus, offer
from tests.support.builders import NOW, TODAY, a_node, a_snapshot

NODES = (a_node(), a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={}))


def state(made: Offer, profile: str) -> str:
    return str(next(one.state for one in made.profiles if one.name == profile))


def test_a_user_is_offered_the_projects_profiles_and_images_that_are_hers(site: Settings) -> None:
    made = offer(site, "eve", a_snapshot(nodes=NODES), TODAY)
    assert [project.name for project in made.projects] == ["physics", "course"]
    assert made.projects[1].profiles == ("gpu",)
    assert made.projects[1].images == ("torch",)
    assert [profile.name for profile in made.profiles] == ["cpu", "gpu", "here"]
    assert [(image.name, image.title) for image in made.images] == [("base", "Base"), ("torch", "torch")]


def test_who_is_in_no_project_is_offered_nothing(site: Settings) -> None:
    made = offer(site, "nobody", a_snapshot(nodes=NODES), TODAY)
    assert (made.projects, made.profiles, made.images) == ((), (), ())


def test_a_closed_project_is_shown_with_the_reason(site: Settings) -> None:
    assert str(offer(site, "bob", None, TODAY).projects[0].closed) == "ended on 31 January 2026"


def test_each_profile_says_whether_it_can_start_now(site: Settings) -> None:
    made = offer(site, "jan", a_snapshot(nodes=NODES), TODAY)
    assert state(made, "gpu") == "Available now"
    assert state(made, "here") == "Runs on the hub's own machine"
    elsewhere = offer(site, "jan", None, TODAY, local=False)
    assert state(elsewhere, "here") == "Not on this hub, which may not act for its users"
    full = tuple(node.model_copy(update={"cpus_free": 0}) for node in NODES)
    busy = offer(site, "jan", a_snapshot(nodes=full), TODAY)
    assert state(busy, "cpu") == "All in use. You'd wait in the queue."
    assert not any(profile.never for profile in busy.profiles)


def test_a_profile_that_can_never_run_is_marked(site: Settings) -> None:
    made = offer(site, "jan", a_snapshot(nodes=NODES[1:]), TODAY)
    assert [profile.name for profile in made.profiles if profile.never] == ["gpu"]
    assert state(made, "gpu") == "No node here has 1 h200 GPU and 8 CPUs."


def test_without_a_word_of_slurm_nothing_is_promised(site: Settings) -> None:
    made = offer(site, "jan", None, TODAY)
    assert state(made, "gpu") == "Not known now"
    assert (made.age_s, made.unavailable_since, made.gpus) == (None, None, ())


def test_the_age_and_the_silence_of_slurm_are_told(site: Settings) -> None:
    made = offer(site, "jan", a_snapshot(nodes=NODES, unavailable_since=NOW, problem="munge is down"), TODAY)
    assert (made.age_s, made.unavailable_since, str(made.problem)) == (1.0, NOW, "munge is down")
    assert [(gpu.type, gpu.free, gpu.total) for gpu in made.gpus] == [("h200", 2, 2)]


def test_free_gpus_are_counted_by_type_and_none_on_a_node_that_is_down() -> None:
    nodes = [a_node(gpus_free={"h200": 1}), a_node(name="gpu2", usable=False), a_node(name="x", gpus={"": 4})]
    assert free_gpus(nodes) == {"h200": (1, 4), "": (0, 4)}


def test_the_sites_settings_are_part_of_what_a_profile_is_said_to_ask_for(site: Settings) -> None:
    made = offer(site, "eve", a_snapshot(nodes=NODES), TODAY, req={"partition": "cpu", "memory": "8gb", "nprocs": "3"})
    assert {profile.name: str(profile.request) for profile in made.profiles} == {
        "cpu": "CPU · 2 cores · 4 GB memory",
        "gpu": "1 × H200 · 8 cores · 8 GB memory",  # noqa: RUF001 - the sign for times
        "here": "CPU · 1 core",
    }
    assert state(made, "gpu") == "No node here has 1 h200 GPU and 8 CPUs with 8 GB memory."


def test_a_setting_that_slurm_does_not_take_is_told_of_the_profiles_that_have_it_and_hides_no_other(
    site: Settings,
) -> None:
    made = offer(site, "jan", a_snapshot(nodes=NODES), TODAY, req={"memory": "lots"})
    assert state(made, "gpu") == "The hub's configuration sets req_memory to 'lots', which Slurm does not take."
    assert state(made, "cpu") == "Available now"
    assert [profile.name for profile in made.profiles if profile.never] == ["gpu"]
