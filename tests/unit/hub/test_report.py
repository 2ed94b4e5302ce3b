"""A report shows what is sent, of one's own session only, without secrets; nothing else comes in with the form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fabric_hub import __version__
from fabric_hub.errors import FabricError
from fabric_hub.hub.pages import report
from fabric_hub.logs.lines import HIDDEN
from fabric_hub.messages.texts import problems as texts
from fabric_hub.sessions.problems import LOG_LINES, LONGEST_LINE, REFERENCE, Facts, new_reference
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import SessionLog
from tests.support.builders import NOW, SESSION, a_session, a_site, fields_of_a_session

SECRET = "Zq7wT0kEnV4lue"


def facts(tmp_path: Path, session: Any = None, lines: tuple[str, ...] = (), **told: str) -> Facts:
    told = {"page": "", "status": "", "browser": "", **told}
    return report.facts_of(a_site(tmp_path), session, lines, **told)


def test_what_the_hub_adds_says_page_session_and_versions(tmp_path: Path) -> None:
    build = tmp_path / "images" / "torch"
    build.mkdir(parents=True)
    (build / "current").symlink_to("20261130-1200-abc")
    session = a_session(id=SESSION, server_name="training", project="physics", profile="cpu", image="torch", job_id=17)
    found = facts(tmp_path, session, ("one", "two"), page="/hub/user/jan/?a=1", status="503", browser="Firefox/150")
    assert (found.page, found.status, found.browser) == ("/hub/user/jan/", 503, "Firefox/150")
    assert (found.session, found.session_name, found.job) == (SESSION, "training", 17)
    assert (found.project, found.profile) == ("Physics", "Small")
    assert (found.image, found.image_build, found.hub_version) == ("torch", "20261130-1200-abc", __version__)
    assert found.log == ("one", "two")


@pytest.mark.parametrize(
    ("told", "page", "status"),
    [
        ({"page": "https://elsewhere.example.org/", "status": "200"}, "", None),
        ({"page": "javascript:alert(1)", "status": "599x"}, "", None),
        ({"page": "/hub/x\n<script>", "status": "-1"}, "/hub/x<script>", None),
        ({"page": "/" + "x" * 5000, "status": "404"}, "/" + "x" * 199, 404),
        ({"page": f"/hub/login?token={SECRET}", "status": "1e9"}, "/hub/login", None),
    ],
)
def test_an_address_says_where_one_comes_from_and_no_more(
    tmp_path: Path, told: dict[str, str], page: str, status: int | None
) -> None:
    found = facts(tmp_path, None, (), **told)
    assert (found.page, found.status) == (page, status)


def test_no_secret_leaves_with_a_log_a_browser_or_words(tmp_path: Path) -> None:
    lines = (f"JUPYTERHUB_API_TOKEN={SECRET}", f"GET /lab?token={SECRET} 200", "-----BEGIN PRIVATE KEY-----", SECRET)
    found = facts(tmp_path, a_session(), lines, browser=f"curl token={SECRET}")
    sent = report.compose("jan", f"my password is {SECRET}", found, with_log=True, now=NOW)
    assert SECRET not in sent.model_dump_json()
    assert sent.words == f"my password is {HIDDEN}"


def test_a_person_may_leave_the_log_out(tmp_path: Path) -> None:
    found = facts(tmp_path, a_session(), ("one",))
    assert report.compose("jan", "x", found, with_log=False, now=NOW).facts == found.model_copy(update={"log": ()})


def test_a_log_is_its_end_and_not_more_than_one_looks_through() -> None:
    lines = [f"{number} " + "x" * 1000 for number in range(500)]
    end = report.tail(lines)
    assert len(end) == LOG_LINES
    assert end[-1].startswith("499 ")
    assert max(map(len, end)) <= LONGEST_LINE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore(f"sqlite:///{tmp_path}/sessions.sqlite")
    yield opened
    opened.close()


def test_a_report_is_about_ones_own_session_only(store: SessionStore) -> None:
    mine = store.create(**fields_of_a_session(user="jan", server_name="work"))
    shared: Any = SimpleNamespace(store=store)
    assert report.session_of(shared, "jan", mine.id, None) == mine
    assert report.session_of(shared, "jan", "", "work") == mine
    assert report.session_of(shared, "eve", mine.id, "work") is None
    assert report.session_of(shared, "jan", "", None) is None
    assert report.session_of(shared, "jan", "../../etc", "Work;") is None
    store.end(mine.id, reason="failed", text=texts.REPORT_AGAIN(), log=["its end"])
    ended = report.session_of(shared, "jan", "", "work")
    assert ended is not None
    assert tuple(asyncio.run(report.log_of(shared, ended))) == ("its end",)


class Logs:
    """A gateway that is asked for logs."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, str]]()

    async def log(self, session: str, user: str) -> SessionLog:
        self.asked.append((session, user))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SessionLog(lines=answer)


def test_a_log_that_is_still_written_is_read_once_for_who_looks_again(tmp_path: Path) -> None:
    report._logs.clear()
    gateway = Logs(("now",), FabricError("its directory does not answer"))
    shared: Any = SimpleNamespace(gateway=gateway)
    running = a_session(id=SESSION, user="jan", job_id=3)
    assert [asyncio.run(report.log_of(shared, running)) for _ in range(3)] == [("now",)] * 3
    other = running.model_copy(update={"id": "b" * 12})
    assert asyncio.run(report.log_of(shared, other)) == ()
    assert gateway.asked == [(SESSION, "jan"), ("b" * 12, "jan")]
    waiting = running.model_copy(update={"id": "c" * 12, "job_id": None})
    assert asyncio.run(report.log_of(shared, waiting)) == ()
    report._logs.clear()


def test_a_link_to_the_form_says_the_page_without_its_query() -> None:
    assert report.address("/hub/home?x=1") == "report?page=%2Fhub%2Fhome"
    assert report.address("/hub/a b", 503, "") == "report?page=%2Fhub%2Fa+b&status=503&server="
    assert f"report/({REFERENCE})" in report.pages()[1][0]
    assert new_reference() != new_reference()
