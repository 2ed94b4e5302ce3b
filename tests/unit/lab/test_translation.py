"""In which language and how a session's Python speaks to people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fabric_lab.client import HubClient
from fabric_lab.common import formats, node, translation
from fabric_lab.common.translation import LANGUAGE, _, ngettext
from fabric_lab.dask.pools import Place
from fabric_lab.dask.queues import clean
from fabric_lab.dask.worker_status import Problem
from fabric_lab.kernel import usage_format

from tests.support import panel_usage as usage
from tests.support.answering_hub import TOKEN, AnsweringHub

EXTENSIONS = Path(translation.__file__).parents[2]
NOON = 1_796_036_400.0  # 30 November 2026, 12:00 in Amsterdam
UNREACHABLE = "The hub cannot be reached. Your notebook and kernels are not affected."


@pytest.fixture
def dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANGUAGE, "nl")
    monkeypatch.setenv(formats.ZONE, "Europe/Amsterdam")


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LANGUAGE, "en")
    monkeypatch.setenv(formats.ZONE, "Europe/Amsterdam")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "nl_NL.UTF-8"}, "nl"),
        ({"LANG": "nl_NL.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:nl:en"}, "nl"),
        ({LANGUAGE: "nl", "LANG": "en_US.UTF-8"}, "nl"),
        ({LANGUAGE: "nl-BE"}, "nl"),
        ({LANGUAGE: "en", "LANG": "nl_NL.UTF-8"}, "en"),
        ({LANGUAGE: "fr"}, "en"),
        ({LANGUAGE: "../../x"}, "en"),
        ({LANGUAGE: "nl/../nl"}, "en"),
        ({LANGUAGE: "/etc"}, "en"),
        ({LANGUAGE: "nl\n"}, "en"),
    ],
)
def test_the_hubs_choice_counts_before_the_locale_and_what_is_no_language_is_english(
    environment: dict[str, str], language: str
) -> None:
    assert translation.language(environment) == language


def test_a_name_that_leads_out_of_the_catalogues_reads_none_even_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "x" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / f"{translation.DOMAIN}.mo").write_bytes(b"not a catalogue")
    (tmp_path / "of" / "ours").mkdir(parents=True)
    monkeypatch.setattr(translation, "LOCALE_DIR", tmp_path / "of" / "ours")
    monkeypatch.setenv(LANGUAGE, "../../x")
    assert _(UNREACHABLE) == UNREACHABLE


def test_a_text_is_in_the_sessions_language(dutch: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _(UNREACHABLE) == "De hub is niet bereikbaar. Je notebook en kernels hebben daar geen last van."
    assert ngettext("{n} {kind}-hour", "{n} {kind}-hours", 2) == "{n} {kind}-uren"
    monkeypatch.setenv(LANGUAGE, "en")
    assert _(UNREACHABLE) == UNREACHABLE


def test_numbers_sizes_and_times_are_written_as_in_english(english: None) -> None:
    assert [formats.number(value) for value in (2.0, 1.5, 1240, 0.125)] == ["2", "1.5", "1,240", "0.125"]
    assert [formats.hours(value) for value in (87.5, 1240.4)] == ["87.5", "1,240"]
    assert [formats.size(value) for value in (340, 1.23e6, 48e9)] == ["340 B", "1.2 MB", "48 GB"]
    assert (formats.amount(1, "GPU"), formats.amount(3.5, "CPU")) == ("1 GPU-hour", "3.5 CPU-hours")
    assert formats.day(NOON) == "30 November 2026"
    assert formats.clock(NOON, NOON) == "12:00 CET"
    assert formats.clock(NOON, NOON + 86400) == "30 Nov 12:00 CET"
    assert [formats.ago(seconds) for seconds in (5, 720, 3 * 3600)] == ["just now", "12 min ago", "3 h ago"]
    ends = [formats.left(NOON, NOON - seconds) for seconds in (0, 30, 57 * 60, 7200, 7500)]
    assert ends == ["ending now", "less than a minute left", "57 min left", "2 h left", "2 h 5 min left"]


def test_numbers_sizes_and_times_are_written_as_in_dutch(dutch: None) -> None:
    assert [formats.number(value) for value in (2.0, 1.5, 1240, 0.125)] == ["2", "1,5", "1.240", "0,125"]
    assert [formats.hours(value) for value in (87.5, 1240.4)] == ["87,5", "1.240"]
    assert [formats.size(value) for value in (340, 1.23e6, 48e9)] == ["340 B", "1,2 MB", "48 GB"]
    assert (formats.amount(1, "GPU"), formats.amount(3.5, "CPU")) == ("1 GPU-uur", "3,5 CPU-uren")
    assert formats.day(NOON - 250 * 86400) == "25 maart 2026"
    assert formats.clock(NOON, NOON) == "12:00 CET"
    assert formats.clock(NOON - 250 * 86400, NOON) == "25 mrt 12:00 CET"
    assert [formats.ago(seconds) for seconds in (5, 720, 3 * 3600)] == ["zojuist", "12 min geleden", "3 uur geleden"]
    ends = [formats.left(NOON, NOON - seconds) for seconds in (0, 30, 57 * 60, 7200, 7500)]
    assert ends == ["eindigt nu", "nog geen minuut", "nog 57 min", "nog 2 uur", "nog 2 uur 5 min"]


def test_a_zone_that_is_none_is_the_nodes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = formats.clock(NOON, NOON)
    for name in ("Mars/Olympus", "../../etc/localtime", "Europe", "/etc/localtime"):
        monkeypatch.setenv(formats.ZONE, name)
        assert formats.clock(NOON, NOON) == here
    assert formats.zone_name({formats.ZONE: "America/Argentina/Buenos_Aires"}) == "America/Argentina/Buenos_Aires"
    assert formats.zone_name({formats.ZONE: "Europe/Amsterdam\r\nX-Evil: 1"}) == ""


def test_the_widget_of_quota_is_dutch_as_text_and_as_saved(dutch: None) -> None:
    shown = usage_format.as_text(usage.quota(), time.time())
    assert "nog 57 min" in shown
    assert "80,0 van 200 GPU-uren gebruikt, nog 120 (40%)" in shown
    assert "81 GB van 100 GB gebruikt; 1.200 van 1.000.000 bestanden (81%)" in shown
    assert "Bijgewerkt: zojuist." in shown
    html = usage_format.as_html(usage.quota())
    assert 'aria-label="Gebruik en limieten"' in html
    assert 'aria-label="Home: 81% gebruikt"' in html


def test_a_problem_of_one_worker_and_of_several_is_a_sentence_in_both_languages(
    dutch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem("unbegun", Place(9, 1))
    assert problem.sentence(["w-0"]) == "Worker w-0 (job 9_1) is gestopt voordat zijn programma begon."
    assert problem.sentence(["w-0", "w-1"]) == "2 workers (job 9_1) zijn gestopt voordat hun programma begon."
    monkeypatch.setenv(LANGUAGE, "en")
    assert problem.sentence(["w-0"]) == "Worker w-0 (job 9_1) ended before its program began."


def test_a_nodes_refusal_is_said_by_its_label_in_dutch_and_in_its_own_words_in_english(
    dutch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        {"dataset": "wind-farm", "reason": "expired", "message": "The grant of wind-farm has ended."},
        {"dataset": "crop-trials", "reason": "disk", "message": "Input/output error"},
    ]
    line = json.dumps({"opened": [], "refused": told}).encode()
    said = [one.message for one in node.parse(line).refused]
    assert said == ["De toekenning van wind-farm is verlopen. Vraag een nieuwe aan.", "Input/output error"]
    monkeypatch.setenv(LANGUAGE, "en")
    assert node.parse(line).refused[0].message == "The grant of wind-farm has ended."


def test_the_service_is_asked_in_the_sessions_language_and_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    with AnsweringHub() as hub:
        client = HubClient({"FABRIC_SERVICE_URL": f"{hub.url}/services/fabric/api"}, TOKEN)
        monkeypatch.setenv(LANGUAGE, "nl")
        monkeypatch.setenv(formats.ZONE, "Europe/Amsterdam")
        assert client.ask().body is not None
        monkeypatch.setenv(LANGUAGE, "../../x")
        monkeypatch.setenv(formats.ZONE, "Europe/Amsterdam\r\nX-Evil: 1")
        assert client.ask().body is not None
    assert hub.readers == {("nl", "Europe/Amsterdam"), ("en", "")}


def test_a_clusters_daemon_and_workers_are_told_the_language_and_no_more_of_the_session() -> None:
    session = {LANGUAGE: "nl", formats.ZONE: "Europe/Amsterdam", "LANG": "C.UTF-8", "FABRIC_SESSION": "abc"}
    assert clean(session) == {LANGUAGE: "nl", formats.ZONE: "Europe/Amsterdam", "LANG": "C.UTF-8"}


def test_what_every_session_imports_first_loads_no_catalogue() -> None:
    script = (
        "import json, sys; from fabric_lab import client; from fabric_lab.common import node\n"
        "print(json.dumps(sorted({'babel', 'gettext', 'zoneinfo'} & {*sys.modules})))"
    )
    environment = {"PYTHONPATH": str(EXTENSIONS), "PATH": os.defpath, LANGUAGE: "nl"}
    done = subprocess.run([sys.executable, "-S", "-c", script], env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout) == []
