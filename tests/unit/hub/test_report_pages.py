"""The pages of reports and months say what there is, escaped, in both languages; JupyterHub itself is not needed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from fabric_hub.budgets.history import bounds
from fabric_hub.budgets.month import Failure, Hour, Idle, MonthSheet, People, Ready, Starts, Waits, by_day, days_of
from fabric_hub.errors import FabricError
from fabric_hub.hub.configuration import TEMPLATES
from fabric_hub.hub.pages import month, report
from fabric_hub.hub.pages import site as site_pages
from fabric_hub.hub.pages.sentences import Sentences
from fabric_hub.messages.reader import Reader, languages, reading
from fabric_hub.messages.texts import problems as texts
from fabric_hub.sessions.problem_text import lines_of
from fabric_hub.sessions.problems import Facts, KeptReport, ProblemReport, SendState
from tests.support.builders import NOW, a_node, a_site, a_snapshot

EVIL = "<img src=x onerror=alert(1)>"
FACTS = Facts(reference="FH-7K3Q-9M2P", page=f"/hub/{EVIL}", session="a" * 12, browser=EVIL, log=(EVIL, "last"))
REPORT = ProblemReport(user="jan", at=NOW, words=f"{EVIL} & more", facts=FACTS)


class Pages:
    """The hub's templates, as JupyterHub makes pages of them."""

    def __init__(self, directory: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, extensions=[Sentences, "jinja2.ext.do"]
        )
        self._known: dict[str, Any] = {
            "fabric_site": site_pages.of_pages(a_site(directory)),
            "fabric_here": "/hub/report",
            "fabric_language": "en",
            "fabric_languages": [("en", "English")],
            "fabric_report": report.address,
            "fabric_base": "",
            "fabric_silence": "",
            "base_url": "/hub/",
            "static_url": lambda path, **_: f"/hub/static/{path}",
            "csp_nonce": lambda: "",
            "xsrf_token": "sesame",
            "parsed_scopes": {},
        }

    def page(self, template: str, **told: Any) -> str:
        return self._environment.get_template(template).render(self._known | told)


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path)


@pytest.mark.parametrize("language", languages())
def test_the_form_shows_all_that_is_sent_and_nothing_of_it_is_markup(pages: Pages, language: str) -> None:
    told = {"facts": lines_of(FACTS), "log": FACTS.log, "draft": "signed", "words": EVIL, "longest": 4000}
    told |= {"sends": True, "keep_days": 90, "about_session": True, "trouble": FabricError(texts.TOO_MANY_REPORTS(n=5))}
    with reading(Reader(language)):
        page = pages.page("report.html", **told)
    assert EVIL not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 4  # page, browser, log and words
    for shown in ("FH-7K3Q-9M2P", "a" * 12, "last", 'value="sesame"', 'value="signed"', "5"):
        assert shown in page
    assert 'name="log" value="yes" checked' in page
    assert 'role="alert"' in page


def test_without_a_log_nothing_is_asked_about_it(pages: Pages) -> None:
    told = {"facts": [], "log": (), "draft": "", "words": "", "longest": 1, "sends": False, "keep_days": 1}
    page = pages.page("report.html", **told, trouble=None, about_session=True)
    assert 'type="checkbox"' not in page
    assert "There is no log of this session" in page
    assert "Operators of the hub read this" in page
    assert "Reports are removed after 1 day." in page
    assert "report-no-log" not in pages.page("report.html", **told, trouble=None, about_session=False)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("state", SendState)
def test_each_report_says_what_became_of_it(pages: Pages, state: SendState, language: str) -> None:
    kept = KeptReport(report=REPORT, state=state, tries=2, sent_at=NOW if state == "sent" else None, trouble=EVIL)
    with reading(Reader(language)):
        mine = pages.page("report_sent.html", kept=kept, facts=lines_of(FACTS))
        listed = pages.page("operate_reports.html", reports=[kept], most=500, keep_days=90)
        one = pages.page("operate_report.html", kept=kept, facts=lines_of(FACTS))
    assert EVIL not in mine + listed + one
    assert "FH-7K3Q-9M2P" in mine
    assert 'href="/hub/operate/reports/FH-7K3Q-9M2P"' in listed
    assert "&amp; more" in one
    assert "{" not in one[one.index("<main") :]
    if language == "en":
        word = {"kept": "Only here", "sent": "Sent", "unsure": "Perhaps sent"}.get(state, "To be sent")
        assert word in listed


def test_no_report_is_said_in_words(pages: Pages) -> None:
    page = pages.page("operate_reports.html", reports=[], most=500, keep_days=90)
    assert "Nobody has reported a problem." in page


SHEET = MonthSheet(
    month="2026-11",
    made_at=NOW,
    missing=(date(2026, 11, 2),),
    hours=tuple(Hour(at=bounds(days_of("2026-11")[0])[0] + 3600 * step, sessions=step % 3) for step in range(48)),
    waits=(Waits(profile="gpu", starts=3, p50=42.0, p95=600.0),),
    starts=Starts(tried=5, succeeded=3, waiting=1, failed=(Failure(code="report-again", starts=1),)),
    ready=Ready(since=NOW, looks=1000, ready=999),
    people=(People(organisation=EVIL, sector="", people=2, sessions=5),),
    idle=Idle(since=NOW, watched=10.0, idle=2.5),
)


def shown_month(pages: Pages, sheet: MonthSheet, gpus: int | None) -> str:
    return pages.page(
        "operate_month.html",
        sheet=sheet,
        months=[sheet.month],
        bars=month.bars(sheet),
        bar_width=20,
        chart_height=100,
        days=by_day(sheet.hours),
        gpus=gpus,
        waits=[("One GPU", one) for one in sheet.waits],
        failures=[(month.sentence_of(one.code), one) for one in sheet.starts.failed],
    )


@pytest.mark.parametrize("language", languages())
def test_a_months_page_has_each_number_and_a_table_beside_the_chart(pages: Pages, language: str) -> None:
    with reading(Reader(language)):
        page = shown_month(pages, SHEET, 8)
    assert EVIL not in page
    assert page.count("<rect") == 24
    table = page[page.index('id="by-hour"') : page.index('id="by-day"')]
    assert table.count('<th scope="row">') == 24
    for shown in ("42 s", "10 min", "48", "report-again", 'href="/hub/operate/month/2026-11.csv"'):
        assert shown in page, shown
    for shown in ("99.9%", "2.5") if language == "en" else ("99,9%", "2,5"):
        assert shown in page, shown


def test_a_month_of_nothing_says_so(pages: Pages) -> None:
    page = shown_month(pages, MonthSheet(month="2026-01", made_at=NOW, closed=True), None)
    for sentence in (
        "No GPU was used",
        "Nobody started a session.",
        "Not recorded yet.",
        "it does not change any more",
    ):
        assert sentence in page
    assert "<svg" not in page[page.index("<main") :]


def test_bars_are_as_high_as_their_hours_and_the_cluster_has_all_its_nodes_gpus() -> None:
    bars = month.bars(SHEET)
    assert len(bars) == 24
    assert {bar.height for bar in bars} == {0.0, 50.0, 100.0}
    assert all(bar.y + bar.height == 100 for bar in bars)
    assert month.bars(MonthSheet(month="2026-01", made_at=NOW)) == []
    assert month.gpus_of(None) is None
    nodes = (a_node(name="a", gpus={"h200": 4}), a_node(name="b", gpus={"": 2}, state="DRAIN"))
    assert month.gpus_of(a_snapshot(nodes=nodes)) == 6
    assert month.sentence_of("no-such-code") == "no-such-code"
