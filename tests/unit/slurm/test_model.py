from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from fabric_hub import types
from fabric_hub.slurm import model
from fabric_hub.slurm.model import (
    Job,
    JobSpec,
    Phase,
    Reservation,
    SessionFile,
    Snapshot,
    SubmitRequest,
    job_name,
    phase_of,
)
from tests.support.builders import a_job

ENDED = ["BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"]


@pytest.mark.parametrize("state", ENDED)
def test_slurms_word_that_a_job_ended_ends_it(state: str) -> None:
    assert phase_of(state) is Phase.ENDED


@pytest.mark.parametrize("state", ["SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT", "", "NEW_IN_27.05"])
def test_a_state_not_known_to_be_over_counts_as_running(state: str) -> None:
    assert phase_of(state) is Phase.RUNNING


@given(st.text().filter(lambda text: text not in model._ENDED))
def test_no_other_word_ends_a_job(state: str) -> None:
    assert phase_of(state) is not Phase.ENDED


def test_a_job_carries_its_sessions_identity_in_its_name() -> None:
    assert a_job(name=job_name("main", "abcdefghijkl")).session == ("main", "abcdefghijkl")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "bash",
        "fabric-main-abcdefghijk",
        "fabric-main-abcdefghijkl\n",
        " fabric-main-abcdefghijkl",
        "fabric-main-abcdefghijk1",
        "fabric-MAIN-abcdefghijkl",
        "fabric-main-abcdefghijkl-x",
        "fabric--abcdefghijkl",
    ],
)
def test_a_name_that_is_only_like_a_sessions_is_none(name: str) -> None:
    assert a_job(name=name).session is None


@pytest.mark.parametrize(
    "kind", ["SessionId", "HubId", "HubUser", "SlurmName", "Slug", "ServerName", "Gres", "EnvName"]
)
@given(st.data())
def test_no_name_takes_what_a_shell_or_a_line_would_read(kind: str, data: Any) -> None:
    bad = data.draw(st.sampled_from([*"\n\r\0\t ;|&$`'\"\\<>(){}*?!#~/%=", "\u2028", "\uff41", "\u0430"]))
    text = data.draw(st.text("ab1", max_size=3)) + bad + data.draw(st.text("ab1", max_size=3))
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(types, kind)).validate_python(text)


@pytest.mark.parametrize("kind", ["SessionId", "HubId", "HubUser", "SlurmName", "Slug", "Gres", "EnvName"])
@pytest.mark.parametrize("value", ["-x", "--uid=0", "", b"gpu", 1, None])
def test_no_name_begins_like_an_option_or_is_another_type(kind: str, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(types, kind)).validate_python(value)


@pytest.mark.parametrize(
    "field",
    [
        {"partition": "gpu\n#SBATCH --uid=0"},
        {"account": "a b"},
        {"gres": ["gpu:1;id"]},
        {"gres": ["gpu:0"]},
        {"constraint": "a\nb"},
        {"options": ["--x\n--y"]},
        {"minutes": 0},
        {"cpus": 0},
        {"uid": 0},
    ],
)
def test_a_job_spec_refuses_what_is_not_of_its_kind(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JobSpec.model_validate(field)


@pytest.mark.parametrize("name", ["../x", "a/b", ".bashrc", "", "-x", "a\0"])
def test_a_sessions_file_stays_in_its_directory(name: str) -> None:
    with pytest.raises(ValidationError):
        SessionFile(name=name, content="")


def test_an_environments_names_are_names() -> None:
    for name in ("A B", "A=B", "1A", "A\n"):
        with pytest.raises(ValidationError):
            SubmitRequest(session="abcdefghijkl", user="jan", image="base", spec=JobSpec(), environment={name: "x"})


def test_values_cannot_be_changed_and_take_no_unknown_field() -> None:
    job = a_job()
    with pytest.raises(ValidationError):
        job.state = "FAILED"
    with pytest.raises(ValidationError):
        Job.model_validate({**job.model_dump(), "uid": 0})


def test_a_snapshots_age_is_counted_from_the_question() -> None:
    assert Snapshot(now=100.0, jobs_at=90.0).age_s == 10.0
    assert Snapshot(now=100.0, jobs_at=101.0).age_s == 0.0
    assert Snapshot(now=100.0).age_s is None


def a_reservation(name: str, starts_at: float, ends_at: float, **changes: Any) -> Reservation:
    return Reservation(name=name, starts_at=starts_at, ends_at=ends_at, nodes="gpu1", **changes)


@pytest.mark.parametrize(
    ("job", "ends_at"),
    [
        ({}, 900.0),
        ({"reservation": "monday"}, 500.0),
        ({"reservation": "friday"}, 900.0),  # ends after the job
        ({"reservation": "gone"}, 900.0),
        ({"reservation": "mon"}, 900.0),
        ({"reservation": "free"}, 900.0),  # its jobs go on when it is over
        ({"reservation": "monday", "ends_at": None}, 500.0),
        ({"reservation": "gone", "ends_at": None}, None),
        ({"reservation": "friday,monday"}, 500.0),
        ({"reservation": "later,friday"}, 900.0),  # "later" ends first, but has not begun
        ({"reservation": "with, comma"}, 300.0),
        ({"reservation": "monday", "state": "PENDING", "ends_at": None}, None),
        ({"reservation": "monday", "state": "TIMEOUT", "ends_at": 600.0}, 600.0),
    ],
)
def test_a_job_ends_at_its_limit_or_with_its_reservation(job: dict[str, Any], ends_at: float | None) -> None:
    snapshot = Snapshot(
        now=100.0,
        reservations=(
            a_reservation("friday", 0, 1000),
            a_reservation("monday", 0, 500),
            a_reservation("later", 200, 400),
            a_reservation("free", 0, 200, flexible=True),
            a_reservation("with, comma", 0, 300),
        ),
    )
    assert snapshot.end_of(a_job(**{"started_at": 0.0, "ends_at": 900.0} | job)) == ends_at


def test_slurm_may_let_a_job_go_on_after_its_reservation() -> None:
    job = a_job(ends_at=900.0, reservation="monday")
    snapshot = Snapshot(now=100.0, reservations=(a_reservation("monday", 0, 500),))
    ends = [snapshot.model_copy(update={"over_run_s": seconds}).end_of(job) for seconds in (0.0, 120.0, 500.0)]
    assert ends == [500.0, 620.0, 900.0]


def test_a_job_that_waits_for_any_of_several_reservations_waits_for_the_first_to_begin() -> None:
    snapshot = Snapshot(now=100.0, reservations=(a_reservation("b", 300, 400), a_reservation("a", 200, 900)))
    found = snapshot.reservation_of(a_job(state="PENDING", reservation="b,a"))
    assert found is not None
    assert found.name == "a"
