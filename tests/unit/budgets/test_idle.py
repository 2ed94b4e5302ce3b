"""The idle policy, against traces of GPUs that are at work, load data, or are forgotten.

The traces are made, second by second, after what such work looks like; none was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from fabric_hub.budgets.idle import (
    GAP_S,
    IdleDecision,
    Report,
    Watch,
    judge,
    report_every_s,
    returned_gpu_hours,
    stop_message,
)
from fabric_hub.budgets.schemas import IdlePolicy
from fabric_hub.messages.formats import clock
from tests.support.builders import NOW

POLICY = IdlePolicy(minutes=30, gpu_percent=5, warn_minutes=10)
MINUTE = 60.0


def played(
    reports: Iterable[Report], *, policy: IdlePolicy = POLICY, gpus: int = 1, every_s: float = MINUTE
) -> list[IdleDecision]:
    """What a session is answered that sends these reports, one after the other."""
    watch: Watch | None = None
    answers = []
    for number, report in enumerate(reports):
        watch, decision = judge(policy, gpus, watch, report, NOW + number * every_s)
        answers.append(decision)
        if decision.state == "stop":
            break
    return answers


def quiet(minutes: int, percent: float = 0.0) -> list[Report]:
    return [Report(idle_s=number * MINUTE, busy=False, gpu_percent=(percent,)) for number in range(minutes)]


def test_a_forgotten_notebook_is_warned_ten_minutes_before_and_stopped_after_thirty() -> None:
    states = [answer.state for answer in played(quiet(60))]
    assert states == ["idle"] * 20 + ["warn"] * 10 + ["stop"]


def test_the_warning_says_when_it_is_stopped_and_how_to_keep_it() -> None:
    warned = next(answer for answer in played(quiet(60)) if answer.state == "warn")
    assert warned.stop_at == NOW + 30 * MINUTE
    assert warned.text.code == "idle-gpus"
    assert "Run something to keep it" in str(warned.text)
    assert warned.quiet_since == NOW
    assert str(warned.text).startswith(
        f"{warned.what} since {clock(NOW)}. This session is stopped at {clock(NOW + 30 * MINUTE)} "
    )


@pytest.mark.parametrize(("warn_minutes", "every_s"), [(10, 60), (5, 60), (2, 24), (0.1, 5)])
def test_a_session_reports_about_once_a_minute_and_more_often_where_it_is_warned_later(
    warn_minutes: float, every_s: float
) -> None:
    assert report_every_s(IdlePolicy(minutes=30, gpu_percent=5, warn_minutes=warn_minutes)) == every_s


def test_a_busy_kernel_is_never_stopped_whatever_its_gpu_does() -> None:
    answers = played([Report(idle_s=9e5, busy=True, gpu_percent=(0.0,))] * 500)
    assert {(answer.state, str(answer.text)) for answer in answers} == {("active", "Not idle: something runs in it.")}


def test_a_gpu_above_the_threshold_is_never_stopped_though_nobody_touches_the_notebook() -> None:
    assert {answer.state for answer in played(quiet(500, percent=5.0))} == {"active"}


def test_one_busy_gpu_of_several_is_enough() -> None:
    reports = [Report(idle_s=9e5, busy=False, gpu_percent=(0.0, 0.0, 41.0, 0.0))] * 100
    answers = played(reports, gpus=4)
    assert {(answer.state, str(answer.text)) for answer in answers} == {("active", "Not idle: a GPU is 41% in use.")}


def test_a_gpu_that_works_once_in_a_while_begins_the_time_anew() -> None:
    trace = (quiet(25) + quiet(1, percent=80.0)) * 10
    assert "stop" not in {answer.state for answer in played(trace)}


def training(minutes: int) -> list[float]:
    """Epochs of 4 minutes at 85 to 98 %, each followed by 90 s of validation and checkpoint on the CPU."""
    epoch = [85.0 + second % 14 for second in range(240)] + [0.0] * 90
    return (epoch * minutes)[: minutes * 60]


def loading(minutes: int) -> list[float]:
    """Data come slowly: one batch of a second at 30 % in every 50 seconds."""
    return ([30.0] + [0.0] * 49) * (minutes * 60 // 50)


def downloading_then_training(minutes: int) -> list[float]:
    """Twenty minutes without the GPU (a download), then work at 60 %."""
    return [0.0] * 1200 + [60.0] * (minutes * 60 - 1200)


def a_viewer(minutes: int) -> list[float]:
    """Nothing runs, but the driver shows 1 to 3 % for a second now and then."""
    return ([1.0 + second % 3 for second in range(2)] + [0.0] * 58) * minutes


def reported(trace: list[float], *, busy: bool) -> list[Report]:
    """What a session reports of a trace: the highest use of each minute; nobody has touched it since it began."""
    minutes = [trace[begin : begin + 60] for begin in range(0, len(trace), 60)]
    return [
        Report(idle_s=0.0 if busy else number * MINUTE, busy=busy, gpu_percent=(max(seconds),))
        for number, seconds in enumerate(minutes)
    ]


@pytest.mark.parametrize("trace", [training, loading, downloading_then_training])
@pytest.mark.parametrize("busy", [True, False], ids=["in a cell", "detached from the kernel"])
def test_work_that_runs_for_a_day_with_pauses_is_never_stopped(trace: Callable[[int], list[float]], busy: bool) -> None:
    states = {answer.state for answer in played(reported(trace(24 * 60), busy=busy))}
    assert "stop" not in states
    assert not busy or states == {"active"}


def test_a_driver_that_twitches_is_no_work() -> None:
    assert played(reported(a_viewer(24 * 60), busy=False))[-1].state == "stop"


def test_a_training_that_ended_at_night_is_stopped_half_an_hour_later() -> None:
    night = reported(training(120) + [0.0] * 3600 * 8, busy=False)
    answers = played(night)
    assert answers[-1].state == "stop"
    assert len(answers) == pytest.approx(120 + 31, abs=3)


def test_a_person_who_comes_back_after_the_warning_keeps_the_session() -> None:
    trace = [*quiet(25), *(Report(idle_s=number * MINUTE, busy=False, gpu_percent=(0.0,)) for number in range(15))]
    answers = played(trace)
    assert answers[24].state == "warn"
    assert {answer.state for answer in answers[25:]} == {"idle"}


def test_gpus_that_cannot_be_read_are_never_held_against_a_session() -> None:
    reports = [Report(idle_s=9e5, busy=False, gpu_percent=None)] * 100
    why = "Not idle: the use of its GPUs cannot be read."
    assert {(answer.state, str(answer.text)) for answer in played(reports)} == {("active", why)}


def test_a_session_without_gpus_is_judged_by_what_people_do() -> None:
    reports = [Report(idle_s=number * MINUTE, busy=False, gpu_percent=None) for number in range(60)]
    assert played(reports, gpus=0)[-1].state == "stop"


def test_what_happened_in_a_gap_of_reports_is_not_known_so_the_time_begins_anew() -> None:
    watch, decision = judge(POLICY, 1, None, Report(idle_s=0, busy=False, gpu_percent=(0,)), NOW)
    for number in range(1, 29):
        watch, decision = judge(POLICY, 1, watch, Report(idle_s=9e5, busy=False, gpu_percent=(0,)), NOW + number * 60)
    assert decision.state == "warn"
    later = NOW + 28 * 60 + GAP_S + 1
    watch, decision = judge(POLICY, 1, watch, Report(idle_s=9e5, busy=False, gpu_percent=(0,)), later)
    assert (decision.state, decision.idle_for_s) == ("idle", 0)


def test_a_hub_that_was_started_again_stops_nobody_for_what_it_has_not_seen() -> None:
    _, decision = judge(POLICY, 1, None, Report(idle_s=9e5, busy=False, gpu_percent=(0,)), NOW)
    assert (decision.state, decision.stop_at) == ("idle", NOW + 30 * MINUTE)


def test_nobody_is_stopped_without_the_whole_warning() -> None:
    long_warning = IdlePolicy(minutes=30, gpu_percent=5, warn_minutes=29)
    # reports come four minutes apart: the first that is late enough to warn comes late
    answers = played([Report(idle_s=9e5, busy=False, gpu_percent=(0.0,))] * 20, policy=long_warning, every_s=240)
    warned = [number for number, answer in enumerate(answers) if answer.state == "warn"]
    assert answers[-1].state == "stop"
    assert (len(answers) - 1 - warned[0]) * 240 >= 29 * MINUTE


def test_reports_that_travel_differently_long_do_not_begin_the_time_anew() -> None:
    trace = [Report(idle_s=number * MINUTE - (number % 3), busy=False, gpu_percent=(0.0,)) for number in range(2, 60)]
    assert played(trace)[-1].state == "stop"


@pytest.mark.parametrize(("ends_in_h", "returned"), [(3.0, 6.0), (-1.0, 0.0), (None, 0.0)])
def test_what_was_returned_is_the_rest_of_the_time_limit(ends_in_h: float | None, returned: float) -> None:
    ends_at = None if ends_in_h is None else NOW + ends_in_h * 3600
    assert returned_gpu_hours(2, ends_at, NOW) == returned


def test_the_farewell_says_how_long_and_what_was_returned() -> None:
    assert "It was idle for 30 minutes, so it was stopped." in str(stop_message(1800, 2, 6.0, "physics"))
    assert "idle for 1 minute," in str(stop_message(40, 2, 6.0, "physics"))
    assert "6.0 GPU-hours to project physics" in str(stop_message(1800, 2, 6.0, "physics"))
    assert str(stop_message(40, 0, 0.0, "physics")).endswith(
        " Start again when you like; files that were saved are still there."
    )
    assert "GPU" not in str(stop_message(1800, 0, 0.0, "physics"))
