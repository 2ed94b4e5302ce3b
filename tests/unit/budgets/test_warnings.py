from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.budgets.forecast import Threshold
from fabric_hub.budgets.warnings import CLEAR_S, MOST_TRIES, STALE_S, WarningBook, subjects_of
from fabric_hub.config.quotas import QuotasSettings
from fabric_hub.messages.reader import Reader
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts.budgets import SPACE, STORAGE_FULL
from fabric_hub.service.tasks import hook
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import NOW

WEEK = Threshold(subject="project:physics", name="7-days", level="warning", text=verbatim("It lasts a week."))
DAYS = Threshold(subject="project:physics", name="2-days", level="danger", text=verbatim("It lasts two days."))


@pytest.fixture
def book(store: SessionStore) -> WarningBook:
    return WarningBook(store.engine)


def told(book: WarningBook, *passed: Threshold, now: float) -> list[str]:
    """What the hook is told of now, when it takes everything."""
    book.note(passed, now)
    found = [untold.threshold for untold in book.untold(passed, now)]
    for threshold in found:
        book.told(threshold, now, well=True)
    return [threshold.name for threshold in found]


def test_each_threshold_is_told_once(book: WarningBook) -> None:
    assert told(book, WEEK, now=NOW) == ["7-days"]
    assert told(book, WEEK, now=NOW + 60) == []
    assert told(book, DAYS, now=NOW + 120) == ["2-days"]
    assert told(book, DAYS, now=NOW + 180) == []


def test_a_rate_that_moves_about_a_threshold_tells_nobody_twice(book: WarningBook) -> None:
    told(book, DAYS, now=NOW)
    assert told(book, now=NOW + 60) == []
    assert told(book, DAYS, now=NOW + CLEAR_S / 2) == []


def test_improvement_to_a_threshold_that_was_told_before_is_not_told(book: WarningBook) -> None:
    told(book, WEEK, now=NOW)
    for day in range(1, 10):
        told(book, DAYS, now=NOW + day * CLEAR_S / 2)
    assert told(book, WEEK, now=NOW + 5 * CLEAR_S) == []


def test_after_a_day_without_any_a_threshold_is_told_anew(book: WarningBook) -> None:
    told(book, WEEK, now=NOW)
    assert told(book, now=NOW + CLEAR_S + 1) == []
    assert told(book, WEEK, now=NOW + CLEAR_S + 2) == ["7-days"]


def test_a_hook_that_fails_is_tried_again_later_and_later_and_at_last_no_more(book: WarningBook) -> None:
    now, waits = NOW, []
    book.note([WEEK], now)
    while book.untold([WEEK], now):
        book.told(WEEK, now, well=False)
        asked = now
        while not book.untold([WEEK], now) and now < asked + 7200:
            now += 30
        book.note([WEEK], now)
        waits.append(now - asked)
    assert waits[:3] == [60, 120, 240]
    assert len(waits) == MOST_TRIES


def test_a_warning_keeps_its_id_and_says_since_when(book: WarningBook) -> None:
    book.note([WEEK], NOW)
    (found,) = book.note([WEEK], NOW + 600)
    assert (found.id, found.since, found.level) == ("project:physics#7-days", NOW, "warning")


def test_a_warning_is_kept_as_a_fact_and_an_earlier_releases_sentence_as_it_is(
    book: WarningBook, store: SessionStore
) -> None:
    full = STORAGE_FULL(title="Home", where="/home/jan", share=0.96, what=SPACE())
    book.note([Threshold(subject="storage:jan:/home/jan", name="95-percent", level="danger", text=full), WEEK], NOW)
    found = {one.id: one.text for one in book.in_force(NOW)}
    assert found == {"storage:jan:/home/jan#95-percent": full, WEEK.id: WEEK.text}
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE quota_warnings SET text = 'It is full.'"))
    assert {one.text.say(Reader("nl")) for one in book.in_force(NOW)} == {"It is full."}


def test_only_what_is_so_now_is_in_force_and_only_for_those_it_concerns(book: WarningBook) -> None:
    full = Threshold(subject="storage:jan:/home/jan", name="95-percent", level="danger", text=verbatim("Full."))
    other = Threshold(subject="storage:jan_2:/home", name="80-percent", level="warning", text=verbatim("Nearly."))
    book.note([WEEK, full, other], NOW)
    shared = Threshold(subject="project:physics:/projects", name="95-percent", level="danger", text=verbatim("Full."))
    book.note([DAYS, full, other, shared], NOW + 60)
    assert {one.id for one in book.in_force(NOW + 60)} == {DAYS.id, full.id, other.id, shared.id}
    mine = book.in_force(NOW + 60, subjects_of("jan", ["physics"]), "jan")
    assert {one.id for one in mine} == {DAYS.id, full.id, shared.id}
    assert book.in_force(NOW + 60, subjects_of("eve", ["course"]), "eve") == ()
    assert book.in_force(NOW + 61 + STALE_S) == ()


def a_hook(tmp_path: Path, code: str, *arguments: str, timeout_s: float = 20.0) -> QuotasSettings:
    program = tmp_path / "hook.py"
    program.write_text(code)
    return QuotasSettings(hook=(sys.executable, "-S", str(program), *arguments), hook_timeout_s=timeout_s)


async def test_the_hook_gets_json_on_standard_input_and_its_arguments_as_they_stand(tmp_path: Path) -> None:
    code = "import json, sys; json.dump([json.load(sys.stdin), sys.argv[2]], open(sys.argv[1], 'w'))"
    out = tmp_path / "out.json"
    message = {"text": "$(touch /tmp/never) 'é'"}
    assert await hook.tell(a_hook(tmp_path, code, str(out), "$HOME; true"), message)
    assert json.loads(out.read_text()) == [message, "$HOME; true"]


async def test_the_hook_sees_nothing_of_the_hubs_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    code = "import os, sys; sys.exit('JUPYTERHUB_API_TOKEN' in os.environ)"
    assert await hook.tell(a_hook(tmp_path, code), {})


async def test_a_hook_that_fails_hangs_or_is_not_there_is_logged_and_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not await hook.tell(a_hook(tmp_path, "raise SystemExit('no mail server')"), {})
        assert not await hook.tell(a_hook(tmp_path, "import time; time.sleep(60)", timeout_s=0.5), {})
        assert not await hook.tell(QuotasSettings(hook=(str(tmp_path / "nothing"),)), {})
    assert "no mail server" in caplog.text
    assert "was killed" in caplog.text
    assert "cannot be run" in caplog.text
