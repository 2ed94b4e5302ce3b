from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.script import site_options
from fabric_hub.launch.batchspawner_compat import merge, minutes, refuse_without_effect
from fabric_hub.slurm.model import JobSpec

REQ = ["partition", "queue", "account", "qos", "reservation", "cluster", "memory", "nprocs", "runtime", "gres", "ngpus",
       "options", "prologue", "epilogue", "host", "username"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("90:01", 91),
        ("1:30:00", 90),
        ("0:00:01", 1),
        ("2-0", 2880),
        ("1-2:30", 1590),
        ("1-2:30:01", 1591),
        (" 8:00:00 ", 480),
    ],
)
def test_a_time_is_read_as_sbatch_reads_it(text: str, expected: int) -> None:
    assert minutes(text) == expected


def test_a_time_that_a_hook_sets_is_the_starts_own() -> None:
    assert merge(JobSpec(minutes=60), {"runtime": "1:30:00"}).minutes == 90
    with pytest.raises(FabricError, match="req_runtime to 'UNLIMITED'"):
        merge(JobSpec(minutes=60), {"runtime": "UNLIMITED"})
    with pytest.raises(FabricError, match="sets req_runtime to something Slurm does not take"):
        merge(JobSpec(minutes=60), {"runtime": "400-0"})


def test_what_a_hook_sets_without_effect_refuses_the_start_by_name() -> None:
    refuse_without_effect(["req_qos", "req_runtime", "req_account"], "LAB", "twin", "lab")
    with pytest.raises(FabricError, match="A hook of this site sets batch_script, req_constraint, which has no effect"):
        refuse_without_effect(["req_qos", "req_constraint", "batch_script"], None, "twin", "lab")
    with pytest.raises(FabricError, match="A hook of this site wants account other, but"):
        refuse_without_effect(["req_account"], "other", "twin", "lab")


@pytest.mark.parametrize("text", ["", "UNLIMITED", "-1", "1:2:3:4", "1h", "1-", "1.5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        minutes(text)


def test_a_profile_that_says_nothing_takes_the_sites_settings() -> None:
    req = {
        "partition": "gpu",
        "account": "a",
        "qos": "q",
        "reservation": "r",
        "memory": "8gb",
        "nprocs": "4",
        "gres": "gpu:h200:1,shard:2",
        "options": "--hint=nomultithread --comment='two words'",
        "prologue": "module load x",
    }
    assert merge(JobSpec(account="lab", minutes=5), req) == JobSpec(
        partition="gpu",
        account="lab",
        qos="q",
        reservation="r",
        memory_mb=8192,
        cpus=4,
        minutes=5,
        gres=("gpu:h200:1", "shard:2"),
        options=("--hint=nomultithread", "'--comment=two words'"),
        prologue="module load x",
    )


def test_a_profile_that_says_something_keeps_it() -> None:
    said = JobSpec(partition="p", account="a", qos="q", cpus=2, memory_mb=1, minutes=5, gres=("gpu:1",))
    req = {"partition": "x", "queue": "x", "account": "x", "qos": "x", "nprocs": "9", "memory": "9"}
    assert merge(said, {**req, "gres": "gpu:9", "ngpus": "9"}) == said


def test_sbatchs_own_options_for_what_limits_are_asked_about_count_first_as_they_do_for_sbatch() -> None:
    req = {"partition": "x", "options": "-p long --qos=high -c4 --mem 8G --gres=gpu:h200:2 -t 1-0 --exclusive"}
    assert merge(JobSpec(partition="p", account="a", cpus=2, minutes=60), req) == JobSpec(
        partition="long", account="a", qos="high", cpus=4, memory_mb=8192, gres=("gpu:h200:2",), minutes=1440,
        options=("--exclusive",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lines", "words"),
    [
        ("-N 1 --comment='two words'", ("-N 1", "'--comment=two words'"), ["-N", "1", "--comment=two words"]),
        ("-C 'a&b' --nice", ("-C 'a&b'", "--nice"), ["-C", "a&b", "--nice"]),
        ("--mem=0 --gres=disk:1", ("--mem=0", "--gres=disk:1"), ["--mem=0", "--gres=disk:1"]),
        ("--time=UNLIMITED", ("--time=UNLIMITED",), ["--time=UNLIMITED"]),
        ("-t 0", ("--time=0",), ["--time=0"]),
    ],
)
def test_any_other_option_reaches_sbatch_word_for_word(text: str, lines: tuple[str, ...], words: list[str]) -> None:
    assert merge(JobSpec(), {"options": text}).options == lines
    assert site_options(lines) == words


def test_what_would_be_taken_for_a_script_the_gateway_still_refuses() -> None:
    for text in ("run.sh", "--nice -- run.sh", "-p long -- run.sh"):
        with pytest.raises(FabricError, match="does not begin with an option"):
            site_options(merge(JobSpec(), {"options": text}).options)


def test_batchspawners_older_names_still_mean_something() -> None:
    assert merge(JobSpec(), {"queue": "gpu", "ngpus": "2"}) == JobSpec(partition="gpu", gres=("gpu:2",))
    assert merge(JobSpec(), {"memory": "500"}).memory_mb == 500


@pytest.mark.parametrize("req", [{}, {"partition": "", "memory": " ", "nprocs": None, "ngpus": "0"}])
def test_what_is_empty_changes_nothing(req: dict[str, object]) -> None:
    spec = JobSpec(cpus=3)
    assert merge(spec, req) is spec


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partition", "a b"),
        ("qos", "$(id)"),
        ("memory", "lots"),
        ("memory", "-5G"),
        ("memory", "infG"),
        ("memory", "1e999G"),
        ("memory", "nanG"),
        ("nprocs", "many"),
        ("nprocs", "0"),
        ("gres", "gpu:1,license:2"),
        ("options", "--comment='open"),
        ("options", "--exclusive -p"),
        ("options", "'--x\n#SBATCH --uid=0'"),
    ],
)
def test_a_setting_that_slurm_would_not_take_is_named(name: str, value: str) -> None:
    with pytest.raises(FabricError) as caught:
        merge(JobSpec(), {name: value})
    assert (caught.value.reason, caught.value.status) == ("configuration", 500)
    assert f"req_{name}" in caught.value.message


@settings(max_examples=500)
@given(
    st.dictionaries(st.sampled_from(REQ), st.none() | st.text(max_size=20) | st.integers() | st.floats(), max_size=5)
)
def test_any_setting_becomes_a_valid_spec_or_a_refusal(req: dict[str, object]) -> None:
    refusal = None
    try:
        spec = merge(JobSpec(), req)
        assert JobSpec.model_validate(spec.model_dump()) == spec
    except FabricError as error:
        refusal = error
    assert refusal is None or "req_" in refusal.message
