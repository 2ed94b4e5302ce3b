"""Quota, use and time in words, as text and as HTML that stays."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fabric_lab.kernel import usage_format

from tests.support import panel_usage as usage


def test_what_is_used_and_left_is_said_with_the_forecast() -> None:
    text = usage_format.as_text(usage.quota(), time.time())
    assert "57 min left" in text
    assert "80.0 of 200 GPU-hours used, 120 left (40%)" in text
    assert "At the present rate (10.0 a day) this lasts until" in text
    assert "12.5 GPU-hours (no personal limit)" in text
    assert "81 GB of 100 GB used; 1,200 of 1,000,000 files (81%)" in text
    assert "Updated just now." in text


def test_how_long_a_budget_lasts_is_said_once_by_its_warning_or_by_its_line() -> None:
    warned = usage.quota(warnings=[{"id": "project:twin#7-days", "text": "It lasts until 3 May."}])
    assert "At the present rate" not in usage_format.as_text(warned, time.time())
    other = usage.quota(warnings=[{"id": "project:twins#7-days", "text": "Another lasts until 3 May."}])
    assert "At the present rate" in usage_format.as_text(other, time.time())


def test_a_time_is_said_as_on_the_hubs_pages_with_its_zone_and_its_date_when_it_is_another_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    noon = time.mktime((2026, 11, 26, 12, 0, 0, 0, 0, -1))
    at = usage.quota() | {"time": {"ends_at": noon + 3600}}
    assert "This session ends at 13:00 CET." in usage_format.as_text(at, noon)
    at["time"] = {"ends_at": noon + 13 * 3600}
    assert "This session ends at 27 Nov 01:00 CET." in usage_format.as_text(at, noon)
    monkeypatch.undo()
    time.tzset()


def test_a_budget_that_is_used_up_says_what_that_means() -> None:
    spent = {"limit": 200.0, "used": 203.0, "left": -3.0, "rate_per_day": 10.0, "lasts_until": 1.0}
    [row] = usage_format.balance("Digital Twin", spent)
    assert row.said == "203 of 200 GPU-hours used, 0.0 left"
    assert row.note == "Nothing is left: no new session with a GPU can start."


def test_a_budget_whose_own_limit_leaves_what_is_left_names_no_other_for_the_last_bits_of_a_number() -> None:
    told = {"limit": 50.0, "used": 0.04666681753264528, "left": 49.95333318246735, "limited_by": "account ml-course"}
    [row] = usage_format.balance("ML", told)
    assert row.said == "0.0 of 50.0 GPU-hours used, 50.0 left"


def test_what_has_no_limit_of_its_own_says_whose_leaves_how_much() -> None:
    told = {"limit": None, "used": 2.0, "left": 0.0, "rate_per_day": 1.0, "lasts_until": 1.0, "limited_by": "account a"}
    [row] = usage_format.balance("Your own", told)
    assert row == ("Your own", "2.0 GPU-hours used (no limit set); account a has 0.0 left", None, "")


def test_a_limit_above_that_leaves_less_is_said_with_its_own_numbers_and_pace() -> None:
    [row] = usage_format.balance("Twin", usage.limited_above(used=4990.0))
    assert row.said == "100 of 1,000 GPU-hours used; account faculty has 10.0 of 5,000 left"
    assert row.part == 0.998
    assert row.note.startswith("At the present rate of account faculty (50.0 a day) this lasts until ")
    [row] = usage_format.balance("Twin", usage.limited_above(used=5000.0))
    assert row.said == "100 of 1,000 GPU-hours used; account faculty has 0.0 of 5,000 left"
    assert (row.part, row.note) == (1.0, "Nothing is left: no new session with a GPU can start.")
    [row] = usage_format.balance("Twin", usage.limited_above(used=4990.0) | {"limit": None})
    assert row.said == "100 GPU-hours used (no limit set); account faculty has 10.0 of 5,000 left"
    assert row.part == 0.998


def test_a_limit_above_that_leaves_more_is_not_said_and_a_persons_own_says_whose_leaves_less() -> None:
    told = usage.limited_above(used=100.0) | {"left": 900.0, "limited_by": "account twin-acc", "lasts_until": 1.0}
    [row] = usage_format.balance("Twin", told)
    assert (row.said, row.part) == ("100 of 1,000 GPU-hours used, 900 left", 0.1)
    own = {"limit": 10.0, "used": 1.0, "left": 0.0, "limited_by": "account faculty", "of": "ann in account twin-acc"}
    [row] = usage_format.balance("Your own", own)
    assert row.said == "1.0 of 10.0 GPU-hours used; account faculty has 0.0 left"


def test_the_files_of_a_disk_count_when_they_are_scarcer_than_its_bytes() -> None:
    home = usage.quota()["storage"][0] | {"files_used": 990_000}
    assert usage_format.storage(home, time.time()).part == 0.99


def test_figures_that_are_old_are_said_to_be_old() -> None:
    assert usage_format.notes({"age_s": 3600.0}) == ["Updated 60 min ago. These figures are old."]


def test_what_is_not_known_is_left_out_and_why_is_said() -> None:
    silent: dict[str, Any] = {
        "gpu_hours": None,
        "storage": [],
        "problem": "The hub cannot be reached.",
        "time": {"ends_at": None},
    }
    assert usage_format.as_text(silent, time.time()) == "The hub cannot be reached."


def test_text_of_others_is_shown_as_text() -> None:
    bad = "<script>alert(1)</script>"
    shown = usage_format.as_html(usage.quota(project_title=bad, warnings=[{"text": bad}], problem=bad))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_bars_can_be_read_without_seeing_them() -> None:
    shown = usage_format.as_html(usage.quota())
    assert 'aria-label="Home: 81% used"' in shown
    assert shown.count("<meter") == 3
