from __future__ import annotations

from datetime import date, timedelta

import pytest

from fabric_hub.budgets.forecast import DAY_S, budget_passed, forecast, rate_per_day, storage_passed
from fabric_hub.budgets.schemas import Balance, DayUse, StorageUse
from fabric_hub.messages.texts.budgets import OF_PROJECT
from fabric_hub.messages.texts.projects import ITS_OWNER
from tests.support.builders import NOW, TODAY


def days(*hours: float, until: date = TODAY) -> tuple[DayUse, ...]:
    """So many hours on each of the days that end yesterday."""
    return tuple(
        DayUse(day=until - timedelta(days=len(hours) - number), gpu_hours=used) for number, used in enumerate(hours)
    )


def a_balance(left: float, *, limit: float = 100.0, running: float = 0.0, to_come: float = 0.0) -> Balance:
    return Balance(limit=limit, used=limit - left, left=left, running=running, to_come=to_come)


def test_the_rate_is_that_of_the_last_week() -> None:
    assert rate_per_day(days(*[100.0] * 21, *[7.0] * 7), TODAY) == 7.0


def test_today_is_not_a_whole_day_and_does_not_count() -> None:
    assert rate_per_day((*days(*[2.0] * 7), DayUse(day=TODAY, gpu_hours=50)), TODAY) == 2.0


def test_a_week_of_holiday_does_not_make_a_budget_eternal() -> None:
    assert rate_per_day(days(*[4.0] * 21, *[0.0] * 7), TODAY) == 3.0


def test_a_project_of_three_days_is_judged_by_three_days() -> None:
    assert rate_per_day(days(3.0, 0.0, 3.0), TODAY) == 2.0
    assert rate_per_day(days(0.0, 0.0, 3.0, 0.0, 3.0), TODAY) == 2.0


def test_days_that_are_missing_had_no_use() -> None:
    first = DayUse(day=TODAY - timedelta(days=7), gpu_hours=14.0)
    assert rate_per_day((first,), TODAY) == 2.0


def test_without_history_there_is_no_rate_and_no_date() -> None:
    assert rate_per_day((), TODAY) is None
    told = forecast(a_balance(50), None, NOW)
    assert (told.rate_per_day, told.lasts_until) == (None, None)


def test_a_budget_lasts_until_what_is_left_divided_by_the_rate() -> None:
    assert forecast(a_balance(50), 10.0, NOW).lasts_until == NOW + 5 * DAY_S


def test_an_hour_with_a_gpu_is_no_reason_to_warn_anybody() -> None:
    first = a_balance(50, running=1, to_come=1.0)
    assert forecast(first, None, NOW).lasts_until is None
    told = forecast(first, 1.0, NOW)
    assert (told.rate_per_day, told.lasts_until) == (1.0, NOW + 50 * DAY_S)


def test_jobs_that_may_take_all_that_is_left_before_they_end_do_count() -> None:
    told = forecast(a_balance(48, running=2, to_come=48), 1.0, NOW)
    assert (told.rate_per_day, told.lasts_until) == (1.0, NOW + DAY_S)
    warned = budget_passed("project:x", OF_PROJECT(project="x"), told, NOW, whom=ITS_OWNER())
    assert warned is not None
    assert warned.text.code == "budget-in-use"
    assert str(warned.text).endswith(
        "48.0 of 100 GPU-hours are left, and jobs that run now on 2 GPUs may take all of them."
    )
    assert forecast(a_balance(48, running=2, to_come=48), None, NOW).lasts_until == NOW + DAY_S
    assert forecast(a_balance(48, running=2, to_come=47), None, NOW).lasts_until is None


def test_days_before_are_the_rate_that_a_warning_tells() -> None:
    told = budget_passed(
        "project:x", OF_PROJECT(project="x"), forecast(a_balance(48, running=1), 30.0, NOW), NOW, whom=ITS_OWNER()
    )
    assert told is not None
    assert str(told.text).endswith("48.0 of 100 GPU-hours are left, 30.0 a day are used.")


def test_no_limit_and_no_use_have_no_date_and_a_used_up_budget_ends_now() -> None:
    assert forecast(Balance(limit=None, used=5, left=None), 10.0, NOW).lasts_until is None
    assert forecast(a_balance(50), 0.0, NOW).lasts_until is None
    assert forecast(a_balance(0), None, NOW).lasts_until == NOW


@pytest.mark.parametrize(
    ("lasts_days", "name", "level"),
    [(15, None, None), (13.9, "14-days", "warning"), (6, "7-days", "warning"), (1.5, "2-days", "danger")],
)
def test_a_budget_is_told_of_at_fourteen_seven_and_two_days(
    lasts_days: float, name: str | None, level: str | None
) -> None:
    told = budget_passed(
        "project:physics",
        OF_PROJECT(project="physics"),
        forecast(a_balance(lasts_days), 1.0, NOW),
        NOW,
        whom=ITS_OWNER(),
    )
    assert (told and told.name, told and told.level) == (name, level)
    if told:
        assert "at the present rate" in str(told.text)
        assert str(told.text).isprintable()


def test_a_budget_that_is_used_up_says_so_and_what_to_do() -> None:
    told = budget_passed(
        "project:physics", OF_PROJECT(project="physics"), forecast(a_balance(0), 1.0, NOW), NOW, whom=ITS_OWNER()
    )
    assert told is not None
    assert told.name == "used-up"
    assert told.text.params["title"].code == "budget-of-project"
    assert str(told.text) == (
        "The budget of project physics has run out: 100 of 100 GPU-hours are used. Ask its owner for more."
    )


@pytest.mark.parametrize(
    ("used", "files", "name"), [(79, 0, None), (80, 0, "80-percent"), (96, 0, "95-percent"), (1, 990, "95-percent")]
)
def test_storage_is_told_of_at_eighty_and_ninety_five_percent_of_space_or_files(
    used: int, files: int, name: str | None
) -> None:
    use = StorageUse(title="Home", path="/home/jan", used=used, limit=100, files_used=files, files_limit=1000)
    told = storage_passed("jan", use)
    assert (told and told.name) == name
    if told and files:
        assert "is 99% full by number of files." in str(told.text)


def test_storage_without_a_limit_is_never_full() -> None:
    assert storage_passed("jan", StorageUse(title="Home", path="/home", used=10**15)) is None


def test_two_quotas_of_one_file_system_are_two_warnings_that_can_be_told_apart() -> None:
    mine = StorageUse(title="/scratch", path="/scratch", used=96, limit=100)
    ours = mine.model_copy(update={"scope": "project", "used": 85})
    titled = mine.model_copy(update={"title": "Scratch of twin"})
    told = [storage_passed("jan", use) for use in (mine, ours, titled)]
    assert len({one.subject for one in told if one}) == 3
    assert "(/scratch) is 96% full" in str(told[0] and told[0].text)
    assert "(/scratch, a project's quota) is 85% full" in str(told[1] and told[1].text)
