"""Reports of problems: kept, sent once whatever dies when, bounded by person, and removed in time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import text_of
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.problem_text import as_text, lines_of
from fabric_hub.sessions.problems import (
    REFERENCE,
    Facts,
    ProblemReport,
    ReportDesk,
    SendState,
    new_reference,
    retry_after,
)
from tests.support.builders import NOW


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> ReportDesk:
    return ReportDesk(open_database(f"sqlite:///{tmp_path}/sessions.sqlite"), clock)


def a_report(user: str = "jan", at: float = NOW, **facts: Any) -> ProblemReport:
    told = {"reference": new_reference(), "page": "/hub/home", **facts}
    return ProblemReport(user=user, at=at, words="It stops.", facts=Facts(**told))


def take(desk: ReportDesk, report: ProblemReport, *, send: bool = True, most: int = 5) -> ProblemReport:
    return desk.take(report, send=send, most_per_hour=most)


def state(desk: ReportDesk, report: ProblemReport) -> SendState:
    kept = desk.get(report.reference)
    assert kept is not None
    return kept.state


def test_references_can_be_read_out_and_are_never_the_same() -> None:
    made = {new_reference() for _ in range(2000)}
    assert len(made) == 2000
    assert all(re.fullmatch(REFERENCE, one) for one in made)
    assert not re.search("[01OIL]", "".join(made).replace("FH-", ""))


def test_a_report_is_kept_with_all_that_was_sent(desk: ReportDesk) -> None:
    report = a_report(log=("one", "two"), job=7, session="a" * 12)
    assert take(desk, report, send=False) == report
    kept = desk.get(report.reference)
    assert kept is not None
    assert (kept.report, kept.state, kept.sent_at) == (report, SendState.KEPT, None)
    assert desk.get("FH-2222-2222") is None
    assert desk.due() is None


def test_the_same_form_sent_twice_is_one_report(desk: ReportDesk) -> None:
    report = a_report()
    take(desk, report)
    assert take(desk, report.model_copy(update={"words": "Again."})).words == "It stops."
    assert len(desk.newest()) == 1
    with pytest.raises(FabricError) as refused:
        take(desk, report.model_copy(update={"user": "eve"}))
    assert text_of(refused.value.said).code == "report-again"


def test_a_person_reports_so_much_in_an_hour_and_others_are_not_held_up(desk: ReportDesk, clock: Clock) -> None:
    for _ in range(2):
        take(desk, a_report(at=clock.now), most=2)
    with pytest.raises(FabricError) as refused:
        take(desk, a_report(at=clock.now), most=2)
    assert text_of(refused.value.said).code == "too-many-reports"
    assert refused.value.status == 429
    assert len(desk.newest()) == 2
    take(desk, a_report("eve", at=clock.now), most=2)
    clock.now += 3601
    take(desk, a_report(at=clock.now), most=2)


def test_a_report_is_tried_until_it_is_sent_and_never_after_that(desk: ReportDesk, clock: Clock) -> None:
    report = a_report()
    take(desk, report)
    assert desk.due() == report
    desk.failed(report.reference, "no mail server")
    assert desk.due() is None
    clock.now += retry_after(1)
    assert desk.due() == report
    assert desk.claim(report.reference)
    assert not desk.claim(report.reference)
    assert desk.due() is None
    desk.failed(report.reference, "refused")  # the hook said that it did not take it
    kept = desk.get(report.reference)
    assert kept is not None
    assert (kept.state, kept.tries, kept.trouble) == (SendState.WAITING, 2, "refused")
    clock.now += retry_after(2)
    assert desk.claim(report.reference)
    desk.sent(report.reference)
    desk.failed(report.reference, "too late")
    desk.unsure(report.reference, "too late")
    assert state(desk, report) is SendState.SENT
    assert desk.due() is None


def test_what_was_being_sent_when_the_service_died_is_not_sent_again(desk: ReportDesk, clock: Clock) -> None:
    sending, waiting = a_report(), a_report()
    take(desk, sending)
    take(desk, waiting)
    assert desk.claim(sending.reference)
    assert desk.take_up() == 1
    clock.now += 1e6
    assert (state(desk, sending), state(desk, waiting)) == (SendState.UNSURE, SendState.WAITING)
    assert desk.due() == waiting


def test_tries_come_further_apart_up_to_an_hour() -> None:
    assert [retry_after(tries) for tries in (0, 1, 2, 3, 8, 500)] == [0, 30, 60, 120, 3600, 3600]


def test_reports_go_after_their_time_and_with_their_person(desk: ReportDesk) -> None:
    old, mine, others = a_report(at=NOW - 100), a_report(), a_report("eve")
    for one in (old, mine, others):
        take(desk, one)
    assert desk.forget_before(NOW - 50) == 1
    assert desk.get(old.reference) is None
    desk.forget("jan")
    assert [kept.report for kept in desk.newest()] == [others]


def test_operators_have_the_newest_first(desk: ReportDesk) -> None:
    made = [a_report(at=NOW + step) for step in range(3)]
    for one in made:
        take(desk, one)
    assert [kept.report for kept in desk.newest()] == made[::-1]
    assert len(desk.newest(2)) == 2


def test_a_report_reads_the_same_on_the_page_and_in_the_mail() -> None:
    report = a_report(job=7, session="a" * 12, session_name="training", log=("last line",), browser="Firefox")
    text = as_text(report)
    assert text.startswith("Person: jan\nTime: 2026-"), "what was typed does not stand where the hub's own words do"
    assert "\n\nIt stops.\n\nLast lines of" in text
    for name, value in lines_of(report.facts):
        assert f"{name}: {value}\n" in text
    assert text.endswith("\nLast lines of the session's log:\nlast line\n")
    assert ("Session", "training (aaaaaaaaaaaa)") in lines_of(report.facts)
    assert [name for name, _ in lines_of(a_report().facts)] == ["Reference", "Page"]
    with reading(Reader("nl")):
        assert ("Sessie", "training (aaaaaaaaaaaa)") in lines_of(report.facts)
