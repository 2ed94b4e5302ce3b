"""What only a month's sheet needs is written down as it comes: whether the site is ready, and GPUs without work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.budgets.months import MonthBook
from fabric_hub.cli import main
from fabric_hub.service.readiness import Observed, Part
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.months import MonthTasks
from fabric_hub.sessions.reports import FRESH_S, SessionReport
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import a_site, fields_of_a_session, site_text


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    yield opened
    opened.close()


def this_month() -> str:
    return f"{datetime.now().astimezone():%Y-%m}"


async def test_each_look_says_whether_everything_answered(tmp_path: Path, store: SessionStore) -> None:
    site, book = a_site(tmp_path), MonthBook(store.engine)
    found = [Observed(time.time(), (Part("hub", ok=True), Part("slurm", ok=ok))) for ok in (True, False, True)]

    async def readiness() -> Observed:
        return found.pop()

    tasks = MonthTasks(site, book, readiness)
    for _ in range(3):
        await tasks.look()
    ready = book.sheet(site, this_month()).ready
    assert (ready.looks, ready.ready) == (3, 2)
    tasks.close()
    assert book.known() == []


def test_gpus_without_work_are_counted_between_two_reports_of_a_session(tmp_path: Path, store: SessionStore) -> None:
    site, now = a_site(tmp_path), time.time()
    nobody_is_stopped: Any = None
    idle = IdleSessions(site, store, nobody_is_stopped)
    session = store.create(**fields_of_a_session(project="physics", profile="gpu", gpus=2))
    for after, percent in ((0, (0.0, 0.0)), (60, (0.0, 90.0)), (120, (2.0, 3.0)), (10_000, (80.0, 80.0, 0.0, 0.0))):
        idle.keep(session, SessionReport(at=now + after, gpu_percent=percent))
    idle.keep(session, SessionReport(at=now + 20_000))
    without = store.create(**fields_of_a_session(server_name="cpu", project="physics", profile="cpu", gpus=0))
    for after in (0, 60):
        idle.keep(without, SessionReport(at=now + after, gpu_percent=(0.0,)))
    sheet = MonthBook(store.engine).sheet(site, this_month())
    assert sheet.idle.watched == pytest.approx((2 * 60 + 2 * 60 + 2 * FRESH_S) / 3600)
    assert sheet.idle.idle == pytest.approx((60 + 2 * 60) / 3600)


def test_the_command_says_what_is_missing_and_gives_the_sheet_in_each_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site_file = tmp_path / "site.toml"
    site_file.write_text(site_text(tmp_path))
    store = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    store.create(**fields_of_a_session())
    store.close()
    wanted = ["month", this_month(), "--site", str(site_file)]
    told = []
    for form in ([], ["--csv"], ["--json"]):
        assert main([*wanted, *form]) == 3
        out = capsys.readouterr()
        assert "not on record" in out.err
        told.append(out.out)
    assert "Starts: 1 tried, 0 succeeded, 0 taken back, 1 waiting" in told[0]
    assert "Availability: not recorded" in told[0]
    assert told[1].startswith("month,table,time,name,measure,value,unit")
    assert '"tried": 1' in told[2]
    with pytest.raises(SystemExit):
        main(["month", "2026-13"])
    assert "'2026-13' is not a month (YYYY-MM)" in capsys.readouterr().err
