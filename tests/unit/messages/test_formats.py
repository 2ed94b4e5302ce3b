"""Times and sizes are said in one notation, as people say them."""

from __future__ import annotations

from datetime import datetime

import pytest

from fabric_hub.messages.formats import about, are_of, clock, duration, short_duration, size, time_left


@pytest.mark.parametrize(
    ("said", "as_words"),
    [
        (duration(60), "1 minute"), (duration(2400), "40 minutes"), (duration(3600), "1 hour"),
        (duration(7260), "2 h 01 min"), (about(20), "less than a minute"), (about(90), "about 1 minute"),
        (duration(0), "0 minutes"), (duration(48 * 3600), "48 hours"), (about(7260), "about 2 h 01 min"),
        (short_duration(59), "0 min"), (short_duration(2400), "40 min"), (short_duration(3600), "1 h 00 min"),
        (short_duration(50 * 3600 + 60), "50 h 01 min"), (short_duration(-5), "0 min"),
        (time_left(-5), "0 min"), (time_left(4500), "1 h 15 min"), (time_left(86399), "23 h 59 min"),
        (time_left(86400), "1 d 0 h"), (time_left(3 * 86400 + 7200 + 59), "3 d 2 h"),
        (are_of("1 GPU-hour"), "is"), (are_of("1.5 GPU-hours"), "are"), (are_of("less than 1 GPU-minute"), "is"),
    ],
)  # fmt: skip
def test_times_are_said_in_the_singular_and_the_plural(said: str, as_words: str) -> None:
    assert said == as_words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (340, "340 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (20_480, "20 kB"),
        (1_234_567, "1.2 MB"),
        (9_949_999, "9.9 MB"),
        (9_950_000, "10 MB"),
        (999_999, "1.0 MB"),
        (48e9, "48 GB"),
        (5e15, "5.0 PB"),
        (2e18, "2000 PB"),
    ],
)
def test_a_size_is_told_in_words(count: int, words: str) -> None:
    assert size(count) == words


def test_a_moment_is_told_with_its_zone_and_with_its_day_unless_that_is_today() -> None:
    at = datetime(2020, 11, 27, 0, 17).astimezone()
    assert clock(at.timestamp()) == f"27 Nov 00:17 {at:%Z}"
    today = datetime.now().astimezone()
    assert clock(today.timestamp()).endswith(f"{today:%H:%M %Z}")
