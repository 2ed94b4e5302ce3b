from __future__ import annotations

from html.parser import HTMLParser

import pytest
from jupyterhub.utils import format_exception
from markupsafe import escape

from fabric_hub.budgets.forecast import budget_passed
from fabric_hub.budgets.schemas import Balance, ParentLimit
from fabric_hub.config.settings import Project
from fabric_hub.errors import FabricError
from fabric_hub.hub.pages.sessions import called
from fabric_hub.hub.spawner.failures import SessionFailure, as_html
from fabric_hub.hub.spawner.limits import OverLimitError
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import NOTHING, sentences, verbatim
from fabric_hub.messages.texts.limits import ACCOUNT
from fabric_hub.messages.texts.projects import ITS_OWNER
from fabric_hub.messages.texts.starts import HUB_FAULT
from fabric_hub.slurm.limits.chain import LimitDecision

EVIL = '<script>alert("x")</script>\' onload=x &amp;'


class Tags(HTMLParser):
    """The names of all tags, and all text, of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_whatever_a_message_a_hint_or_a_log_holds_it_stays_text() -> None:
    page = Tags(as_html(FabricError(EVIL, reason=EVIL, hint=EVIL), [EVIL, EVIL]))
    assert page.tags == ["span", "br", "span", "details", "summary", "pre"]
    assert set(page.attributes) == {"class", "data-reason", "open", "tabindex", "role", "aria-label"}
    assert page.text.count(EVIL) == 4


def test_without_hint_and_log_there_is_one_sentence() -> None:
    assert as_html(FabricError("Over.", reason="over")) == '<span class="fabric-error" data-reason="over">Over.</span>'


def test_page_log_and_api_say_the_same_words() -> None:
    error = FabricError("Project x is closed.", reason="project-closed", hint="Ask its owner.", status=403)
    failure = SessionFailure(error, ["last line"])
    assert failure.status_code == 403
    assert error.text in str(failure)
    message, html = format_exception(failure, only_jupyterhub=True)
    assert message == error.text
    assert "Project x is closed." in html
    assert "last line" in html
    assert failure.session_log == ("last line",)


def test_a_refusal_offers_the_rescue_session_as_a_button() -> None:
    found = LimitDecision(message=verbatim("The budget is used up."), reason="budget", hint=verbatim("Ask for more."))
    html = as_html(OverLimitError(found, "twin", "rescue", verbatim("Or start profile rescue.")))
    assert 'form="fabric-rescue-form" name="rescue" value="twin/rescue"' in html
    assert "Ask for more. Or start profile rescue." in html
    assert "<button" not in as_html(OverLimitError(found, "twin", "", NOTHING))


@pytest.mark.parametrize(
    ("whose", "warning"),
    [("account twin-acc", "project:twin#used-up"), ("account faculty", "project:twin#used-up-account-faculty")],
)
def test_a_refusal_names_the_warning_that_says_the_same(whose: str, warning: str) -> None:
    found = LimitDecision(message=verbatim("It is used up."), reason="budget", budget_of=ACCOUNT(account=whose[8:]))
    assert OverLimitError(found, "twin", "", NOTHING, account="twin-acc").same_warning == warning
    bound = ParentLimit(name=whose, limit=1.0, used=1.0, left=0.0)
    budget = bound if "faculty" in whose else Balance(limit=1, used=1, left=0)
    told = budget_passed("project:twin", verbatim("It"), budget, 0.0, whom=ITS_OWNER())
    assert told is not None
    assert told.id == warning


def test_a_failed_start_is_said_to_each_who_opens_its_page_in_their_own_language() -> None:
    failure = SessionFailure(FabricError(HUB_FAULT()), ("last line",))
    for language in ("en", "nl", "en"):
        reader = Reader(language)
        said, advice = HUB_FAULT().say(reader), sentences(HUB_FAULT().hint).say(reader)
        with reading(reader):
            message, html = format_exception(failure, only_jupyterhub=True)
        assert message == f"{said} {advice}"
        assert str(escape(said)) in html
        assert ("Last lines" in html) == (language == "en")
    assert "The hub made a mistake while starting this session." in str(failure), "the log has it in English"


def test_a_title_stands_for_a_name_while_no_other_has_it() -> None:
    titles = {"a": "Course", "b": "Course", "c": "Proteins", "d": ""}
    table = {name: Project(account=name, title=title) for name, title in titles.items()}
    assert [called(name, table) for name in ("a", "c", "d", "gone")] == ["Course (a)", "Proteins", "d", "gone"]
