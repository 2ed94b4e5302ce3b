"""Moments on a page: what the browser's script says, and what the hub says where it does not run."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import time
from zoneinfo import ZoneInfo

import pytest

from fabric_hub.hub.configuration import STATIC
from fabric_hub.messages import formats, html
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import sentences, verbatim
from fabric_hub.messages.texts import starts as texts

NOW = "2026-11-30T18:04:20Z"
WORDS = {
    "now": "now",
    "minutes": "in {minutes} min",
    "hours": "in {hours} h {minutes} min",
    "days": "in {days} d {hours} h",
}
CALLS = """
const {say} = require(process.argv[1]);
const [now, words, calls] = JSON.parse(process.argv[2]);
console.log(JSON.stringify(calls.map(([kind, at, ...rest]) => say(kind, at, Date.parse(now), words, ...rest))));
"""


def said(*calls: Sequence[str]) -> list[str | None]:
    """What ``static/clock.js`` says, by Node as browsers do."""
    node = shutil.which("node")
    assert node, "the proxy needs Node, too"
    arguments = [node, "-e", CALLS, str(STATIC / "clock.js"), json.dumps([NOW, WORDS, calls])]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    told: list[str | None] = json.loads(done.stdout)
    return told


def test_a_moment_is_said_in_the_readers_zone_with_the_day_where_it_is_not_today() -> None:
    assert said(
        ("time", "2026-11-30T18:46:00Z", "en", "Europe/Amsterdam"),
        ("time", "2026-11-30T18:46:00+00:00", "en", "America/New_York"),
        ("time", "2026-11-30T23:30:00Z", "en", "Europe/Amsterdam"),
        ("time", "2026-12-01T23:30:00Z", "nl", "Asia/Tokyo"),
        ("time", "2026-11-29T23:30:00Z", "en", "Europe/Amsterdam"),
        ("date", "2026-11-30T23:30:00Z", "en", "Europe/Amsterdam"),
        ("date", "2026-11-30T23:30:00Z", "nl", "Europe/Amsterdam"),
        ("time", "soon", "en", "Europe/Amsterdam"),
    ) == ["19:46", "13:46", "01 Dec 00:30", "02 dec 08:30", "00:30", "1 December 2026", "1 december 2026", None]


def test_a_moment_to_come_is_counted_down_to_now() -> None:
    assert said(
        ("in", "2026-12-04T22:04:20Z", "en"),
        ("in", "2026-11-30T20:06:20Z", "en"),
        ("in", "2026-11-30T19:04:20Z", "en"),
        ("in", "2026-11-30T18:46:00Z", "en"),
        ("in", "2026-11-30T18:04:40Z", "en"),
        ("in", "2026-11-30T17:00:00Z", "en"),
    ) == ["in 4 d 4 h", "in 2 h 02 min", "in 1 h 00 min", "in 42 min", "now", "now"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "19:46|30 November 2026|in 2 h 02 min|now"), ("nl", "19:46|30 november 2026|over 2 uur 02 min|nu")],
)
def test_without_the_script_the_hub_has_said_the_same(language: str, expected: str) -> None:
    clock, day, later, past = expected.split("|")
    with reading(Reader(language, ZoneInfo("Europe/Amsterdam"))):
        assert clock in html.time_clock(1796064360)  # with its day, unless it is today
        assert html.time_day(1796064360) == (
            f'<time datetime="2026-11-30T18:46:00+00:00" data-clock="date">{day}</time>'
        )
        assert later in html.time_in(time() + 2 * 3600 + 150)
        assert past in html.time_in(time() - 10)


def test_a_sentence_on_a_page_has_its_moments_as_elements_and_is_escaped_around_them() -> None:
    text = sentences(texts.EXPECTED(at=1796064360), verbatim("<b>\ue0001\ue001"))
    with reading(Reader("en", ZoneInfo("America/New_York"))):
        shown = html.as_html(text)
        plain = text.say()
    words = plain.partition("Expected start: ")[2].partition(".")[0]
    element = f'<time datetime="2026-11-30T18:46:00+00:00" data-clock="time">{words}</time>'
    assert words.endswith("13:46")
    assert shown == f"Expected start: {element}. &lt;b&gt;\ue0001\ue001"
    assert "\ue002" not in formats.clock(1796064360), "nobody else's sentences are marked"
    assert html.as_html("a < b") == "a &lt; b"


def test_every_script_of_the_pages_is_one_that_a_browser_can_read() -> None:
    scripts: list[Path] = sorted(STATIC.glob("*.js"))
    assert scripts
    for script in scripts:
        subprocess.run([shutil.which("node") or "node", "--check", str(script)], check=True, timeout=60)
