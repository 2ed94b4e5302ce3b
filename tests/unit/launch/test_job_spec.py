from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import choose
from fabric_hub.launch.job_spec import describe, fit, gpu_name, gpus_of, job_spec, profile_spec
from fabric_hub.launch.options import UserOptions
from fabric_hub.slurm.model import JobSpec
from tests.support.builders import TODAY, a_node


def spec_of(**profile: Any) -> JobSpec:
    return profile_spec(Profile(**profile), {})


GPU = spec_of(gpus=2, gpu_type="h200", cpus=8, memory="32G", partition="gpu")


@given(hours=st.floats(0.001, 8784))
def test_no_job_is_shorter_than_the_time_chosen(hours: float) -> None:
    minutes = profile_spec(Profile(max_hours=8784), {}, hours=hours).minutes
    assert minutes is not None
    assert minutes >= hours * 60 > minutes - 1.001


def test_a_choice_becomes_a_job_spec(site: Settings) -> None:
    spec = job_spec(site, choose(site, "jan", UserOptions(profile="gpu"), TODAY), {})
    assert (spec.account, spec.cpus, spec.gres, spec.minutes) == ("phys", 8, ("gpu:h200:1",), 120)
    small = job_spec(site, choose(site, "jan", UserOptions(), TODAY), {})
    assert (small.partition, small.memory_mb, small.gres) == ("cpu", 4096, ())


def test_the_sites_settings_are_in_it_where_the_profile_is_silent_and_never_in_place_of_the_account(
    site: Settings,
) -> None:
    req = {"partition": "long", "qos": "teaching", "reservation": "monday", "account": "x y"}
    gpu, cpu = (
        job_spec(site, choose(site, "jan", UserOptions(profile=name, hours=2), TODAY), req) for name in ("gpu", "cpu")
    )
    assert (gpu.partition, gpu.qos, gpu.reservation) == ("long", "teaching", "monday")
    assert (gpu.account, gpu.minutes) == ("phys", 120)
    assert (cpu.partition, cpu.qos) == ("cpu", "teaching")
    hooked = job_spec(site, choose(site, "jan", UserOptions(profile="gpu", hours=2), TODAY), {"runtime": "0:30:00"})
    assert hooked.minutes == 30, "a hook of the site's may give this start another time"
    with pytest.raises(FabricError, match="req_runtime to 'UNLIMITED'"):
        job_spec(site, choose(site, "jan", UserOptions(profile="gpu", hours=2), TODAY), {"runtime": "UNLIMITED"})


def test_a_setting_that_slurm_does_not_take_is_named(site: Settings) -> None:
    choice = choose(site, "jan", UserOptions(profile="gpu"), TODAY)
    with pytest.raises(FabricError, match="sets req_partition to something Slurm does not take"):
        job_spec(site, choice, {"partition": "long;id"})


def test_a_session_on_the_hubs_own_machine_has_none_of_the_sites_settings(site: Settings) -> None:
    assert profile_spec(site.profile["here"], {"gres": "gpu:4", "memory": "lots"}).gres == ()


@pytest.mark.parametrize(
    ("profile", "req", "gpus"),
    [
        ({}, {}, 0),
        ({"gpus": 2, "gpu_type": "h200"}, {}, 2),
        ({"shards": 3}, {}, 1),
        ({}, {"gres": "gpu:h200:2,gpu:a100:1"}, 3),
        ({}, {"ngpus": "4"}, 4),
        ({"gpus": 1}, {"ngpus": "4"}, 1),
    ],
)
def test_the_gpus_of_a_job_are_those_that_it_asks_for_whoever_says_so(
    profile: dict[str, Any], req: dict[str, str], gpus: int
) -> None:
    assert gpus_of(profile_spec(Profile(**profile), req)) == gpus


def test_a_job_fits_on_the_nodes_that_have_enough_left() -> None:
    busy = a_node(name="gpu2", gpus_free={"h200": 1})
    down = a_node(name="gpu3", usable=False)
    assert fit(GPU, [a_node(), busy, down]).now == 1
    assert fit(GPU, [busy, down]).now == 0
    assert fit(GPU, [busy, down]).why is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gpus": {"a100": 8}}, "No node here has 2 h200 GPUs and 8 CPUs with 32 GB memory."),
        ({"cpus": 4}, "2 h200 GPUs and 8 CPUs"),
        ({"memory_mb": 32_000}, "with 32 GB memory"),
        ({"partitions": ("other",)}, "Slurm has no node in partition gpu."),
    ],
)
def test_a_job_that_no_node_can_ever_run_is_said_so(change: dict[str, Any], words: str) -> None:
    assert words in str(fit(GPU, [a_node(**change)]).why)


def test_what_the_sites_settings_ask_for_must_fit_too() -> None:
    nodes = [a_node(), a_node(name="cpu1", partitions=("long",), gpus={}, gpus_free={})]
    asked = profile_spec(Profile(cpus=2), {"partition": "long", "gres": "gpu:h200:1"})
    assert str(fit(asked, nodes).why) == "No node here has 1 h200 GPU and 2 CPUs."
    nowhere = fit(profile_spec(Profile(cpus=2), {"partition": "longer"}), nodes)
    assert str(nowhere.why) == "Slurm has no node in partition longer."
    assert fit(profile_spec(Profile(cpus=2), {"partition": "long"}), nodes).now == 1


def test_a_gpu_of_any_type_may_serve_a_profile_without_one() -> None:
    nodes = [a_node(gpus={"h200": 2, "a100": 1}, gpus_free={"h200": 2, "a100": 1})]
    assert fit(spec_of(gpus=3), nodes).now == 1
    both = JobSpec(gres=("gpu:h200:2", "gpu:a100:2"))
    assert str(fit(both, nodes).why) == "No node here has 2 h200 GPUs, 2 a100 GPUs and 1 CPU."


def test_shards_are_counted_apart_from_gpus() -> None:
    assert str(fit(spec_of(shards=2), [a_node()]).why) == "No node here has 2 GPU shards and 1 CPU."
    assert fit(spec_of(shards=2), [a_node(shards=4, shards_free=3)]).now == 1


def test_a_request_is_told_in_words() -> None:
    def parts(spec: JobSpec) -> list[str]:
        return [str(part) for part in describe(spec)]

    assert parts(GPU) == ["2 × H200", "8 cores", "32 GB memory"]  # noqa: RUF001 - the sign for times
    assert parts(spec_of(gpus=1)) == ["1 GPU", "1 core"]
    assert parts(spec_of(memory="512M")) == ["CPU", "1 core", "512 MB memory"]
    assert parts(spec_of(shards=1)) == ["Shared GPU", "1 core"]
    assert parts(spec_of(shards=3, cpus=2, memory="1.5G")) == ["Shared GPU (3 shards)", "2 cores", "1.5 GB memory"]


def test_a_type_of_gpu_has_its_capitals_where_its_name_is_a_letter_and_a_number() -> None:
    kinds = ("h200", "a100", "gh200", "l40s", "rtx_4090", "1g.10gb", "H100")
    assert [gpu_name(kind) for kind in kinds] == ["H200", "A100", "GH200", "L40S", "rtx_4090", "1g.10gb", "H100"]
