"""Who reads an answer of the hub's, and what its templates make of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.hub.pages.language import names, page_of_hub
from fabric_hub.hub.pages.sentences import Sentences
from fabric_hub.hub.readers import LANGUAGE_COOKIE, ZONE_COOKIE, asked, read_request, reader_of
from fabric_hub.hub.spawner import runtime
from fabric_hub.hub.spawner.child import session_variables
from fabric_hub.messages.reader import ENGLISH, Reader, current, reading
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts.launch import NO_IMAGE
from tests.support.builders import a_session

DUTCH = Reader("nl")


@pytest.fixture(autouse=True)
def hub(site: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_runtime", None)
    site.hub.state_dir.mkdir(parents=True, exist_ok=True)
    runtime.install(site)
    with reading(ENGLISH):
        yield runtime.runtime()
    runtime.runtime().store.close()


def request(uri: str = "/hub/home", accepted: str = "", **cookies: str) -> Any:
    told = {name.replace("_", "-"): value for name, value in cookies.items()}
    asked_for = SimpleNamespace(uri=uri, headers={"Accept-Language": accepted})
    return SimpleNamespace(request=asked_for, get_cookie=told.get)


def person(name: str) -> Any:
    return SimpleNamespace(name=name, kind="user")


def test_the_browsers_choice_counts_before_the_persons_and_that_before_what_the_browser_asks_for(hub: Any) -> None:
    read_request(request(accepted="nl-NL,nl;q=0.9,en;q=0.5"), None)
    assert current().language == "nl"
    hub.readers.remember("ann", "en")
    read_request(request(accepted="nl"), person("ann"))
    assert current().language == "en"
    read_request(request(accepted="en", fabric_language="nl"), person("ann"))
    assert current().language == "nl"
    hub.readers.remember("ann", "nl")
    assert hub.readers.language("ann") == "nl", "the last choice counts"


@pytest.mark.parametrize("cookie", ["xx", "../nl", "NL", "", "nl; Path=/"])
def test_a_cookie_that_is_no_language_counts_for_nothing(cookie: str) -> None:
    read_request(request(accepted="nl", fabric_language=cookie), None)
    assert current().language == "nl"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 100, ""])
def test_a_cookie_that_is_no_time_zone_counts_for_nothing(zone: str) -> None:
    read_request(request(fabric_zone="Asia/Tokyo"), None)
    assert str(current().zone) == "Asia/Tokyo"
    read_request(request(fabric_zone=zone), None)
    assert current().zone is None


def test_a_person_whose_choice_cannot_be_read_is_served_all_the_same(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_user: str) -> str:
        raise FabricError("The sessions database cannot be used: disk full.", reason="database", status=503)

    monkeypatch.setattr(hub.readers, "language", broken)
    read_request(request(accepted="nl"), person("ann"))
    assert current().language == "nl"


def test_the_address_to_come_back_to_has_no_token_in_it() -> None:
    read_request(request("/hub/spawn/ann?opt-profile=gpu&_xsrf=secret&next=%2Fhub%2Fhome"), None)
    assert asked().address == "/hub/spawn/ann?opt-profile=gpu&next=%2Fhub%2Fhome"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/hub/home", "//evil.example/hub/home", "/\\evil.example/hub/", "/hub/../user/eve/",
        "javascript:alert(1)", "/user/eve/files/x.html", "/hubris/", "/hub/language", "/hub/home\r\nX-Evil: 1", "",
    ],
)  # fmt: skip
def test_the_switch_leads_to_no_other_place_than_a_page_of_this_hub(address: str) -> None:
    assert page_of_hub(address, "/hub/") == "/hub/"
    assert page_of_hub("/hub/spawn/ann?opt-x=1", "/hub/") == "/hub/spawn/ann?opt-x=1"


def test_a_session_speaks_the_language_and_has_the_zone_of_who_starts_it(hub: Any, site: Settings) -> None:
    def told(**more: str) -> dict[str, str]:
        variables = session_variables(site, a_session(user="ann"), "http://hub/hub/api")
        return {name: value for name, value in variables.items() if name in ("FABRIC_LANGUAGE", "FABRIC_ZONE")}

    read_request(request(fabric_language="nl", fabric_zone="Europe/Amsterdam"), person("ann"))
    assert told() == {"FABRIC_LANGUAGE": "nl", "FABRIC_ZONE": "Europe/Amsterdam"}
    read_request(request(fabric_language="nl", fabric_zone="Asia/Tokyo"), person("admin"))
    assert told() == {"FABRIC_LANGUAGE": "en"}, "who starts it for somebody else is not who reads there"
    hub.readers.remember("ann", "nl")
    assert reader_of("ann") == DUTCH
    program = request(accepted="en")
    program.request.headers["X-Time-Zone"] = "Asia/Tokyo"
    read_request(program, SimpleNamespace(name="fabric", kind="service"))
    assert told() == {"FABRIC_LANGUAGE": "nl", "FABRIC_ZONE": "Asia/Tokyo"}, "the service starts it for her"


def test_each_language_is_called_what_it_is_called_in_itself() -> None:
    assert names() == [("en", "English"), ("nl", "Nederlands")]


def test_templates_say_sentences_and_texts_to_the_reader_and_escape_what_they_are_about() -> None:
    environment = Environment(autoescape=True, extensions=[Sentences])
    page = environment.from_string(
        '{{ _("Stop session %(name)s", name=name) }}|{{ text }}|{{ words | theirs }}|{{ hours | as_hours }}|{{ own }}'
    )
    told = {"name": "<b>", "text": NO_IMAGE(), "words": "Strange <words>", "hours": 1.25, "own": verbatim("<i>")}
    english = "Stop session &lt;b&gt;|This site offers no image.|Strange &lt;words&gt;|1.2|&lt;i&gt;"
    assert page.render(told) == english
    with reading(DUTCH):
        dutch = page.render({**told, "text": FabricError(verbatim("Nee."))})
        known = environment.from_string('{{ "Forbidden" | theirs }}').render()
    marked = '<span lang="en">Strange &lt;words&gt;</span>'
    assert dutch == f"Sessie &lt;b&gt; stoppen|Nee.|{marked}|1,2|&lt;i&gt;"
    assert known == "Geen toegang"


def test_the_names_of_the_cookies_stay() -> None:
    assert (LANGUAGE_COOKIE, ZONE_COOKIE) == ("fabric-language", "fabric-zone"), "static/page.js sets one of them"
