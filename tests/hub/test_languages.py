"""The hub's pages in the language that somebody chose: where it is kept, and that nothing is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from babel.messages.pofile import read_po

from fabric_hub.messages.reader import LOCALE_DIR
from tests.support.dataset_hub import DatasetHub
from tests.support.person import Person, words
from tests.support.small_site import SmallSite

pytestmark = pytest.mark.hub


@pytest.fixture
def site(dataset_hub: DatasetHub) -> SmallSite:
    return dataset_hub.site


@pytest.fixture
def reader(site: SmallSite) -> Person:
    return site.somebody().log_in()


def field(page: httpx.Response, name: str) -> str:
    form = page.text[page.text.index('id="fabric-languages"') :]
    found = re.search(rf'name="{name}" value="([^"]*)"', form)
    assert found
    return unescape(found[1])


def choose(browser: httpx.Client, page: httpx.Response, language: str, **more: str) -> httpx.Response:
    fields = {name: field(page, name) for name in ("_xsrf", "next")}
    return browser.post("/hub/language", data={**fields, "language": language, **more})


def test_the_choice_keeps_the_page_and_is_remembered_after_a_login_in_another_browser(
    site: SmallSite, reader: Person
) -> None:
    address = f"/hub/spawn/{reader.name}?opt-hours=2"
    before = reader.browser.get(address)
    assert '<html lang="en">' in before.text
    after = choose(reader.browser, before, "nl")
    assert str(after.url) == f"{site.address}{address}"
    assert '<html lang="nl">' in after.text
    assert "Nieuwe sessie" in words(after)
    assert 'lang="nl" aria-current="true">Nederlands<' in re.sub(r"\s+", " ", after.text)
    cookie = next(cookie for cookie in reader.browser.cookies.jar if cookie.name == "fabric-language")
    assert (cookie.value, cookie.path, cookie.get_nonstandard_attr("SameSite")) == ("nl", "/hub/", "Lax")
    again = site.person(reader.name)
    assert '<html lang="en">' in again.browser.get("/hub/login").text
    assert '<html lang="nl">' in again.log_in().browser.get("/hub/home").text
    assert '<html lang="en">' in choose(reader.browser, after, "en").text


def test_without_a_login_the_choice_is_the_browsers(site: SmallSite) -> None:
    with httpx.Client(base_url=site.address, timeout=60, follow_redirects=True) as browser:
        page = choose(browser, browser.get("/hub/login?next=/hub/token"), "nl")
        assert page.url.raw_path == b"/hub/login?next=%2Fhub%2Ftoken"
        assert "Gebruikersnaam" in words(page)
        assert "Gebruikersnaam of wachtwoord klopt niet" in words(
            browser.post("/hub/login", data={"_xsrf": field(page, "_xsrf"), "username": "boss", "password": "wrong"})
        )
    with httpx.Client(base_url=site.address, timeout=60, headers={"Accept-Language": "nl-BE"}) as browser:
        assert '<html lang="nl">' in browser.get("/hub/login").text


def test_the_cookie_is_secure_where_the_browser_came_by_https(site: SmallSite) -> None:
    for proto, secure in (("https", True), ("http", False)):
        with httpx.Client(base_url=site.address, timeout=60, headers={"X-Forwarded-Proto": proto}) as browser:
            page = browser.get("/hub/login")
            told = choose(browser, page, "nl").headers["set-cookie"]
            assert ("; Secure" in told, "; HttpOnly" in told) == (secure, True)


def test_a_choice_needs_the_hubs_own_token_and_a_language_that_there_is(site: SmallSite, reader: Person) -> None:
    page = reader.browser.get("/hub/home")
    assert reader.browser.post("/hub/language", data={"language": "nl", "next": "/hub/home"}).status_code == 403
    assert reader.browser.get("/hub/language", params={"language": "nl"}).status_code == 405
    refused = choose(reader.browser, page, "xx")
    assert refused.status_code == 400
    assert "This hub has no such language. It has en, nl." in words(refused)
    assert "fabric-language" not in reader.browser.cookies
    assert '<html lang="en">' in reader.browser.get("/hub/home").text
    for elsewhere in ("https://evil.example/hub/home", "//evil.example/", "/user/somebody/"):
        fields = {"_xsrf": field(page, "_xsrf"), "language": "en", "next": elsewhere}
        answer = reader.browser.post("/hub/language", data=fields, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/hub/")


def test_a_session_is_told_the_language_and_the_zone_of_who_starts_it(site: SmallSite, reader: Person) -> None:
    choose(reader.browser, reader.browser.get("/hub/home"), "nl")
    reader.browser.cookies.set("fabric-zone", "Europe/Amsterdam", path="/hub/")
    reader.form(project="twin", profile="small", image="base")
    reader.until_ready()
    told = site.requests_of(reader)[-1].environment
    assert (told["FABRIC_LANGUAGE"], told["FABRIC_ZONE"]) == ("nl", "Europe/Amsterdam")
    home = reader.browser.get("/hub/home")
    assert "Draait" in words(home)


def sentences() -> Iterator[tuple[str, str]]:
    """What templates say in English without parameters, and in Dutch, where that is another sentence."""
    with (LOCALE_DIR / "nl" / "LC_MESSAGES" / "fabric_hub.po").open("rb") as file:
        for message in read_po(file, locale="nl"):
            of_pages = any(place.startswith("hub/") for place, _ in message.locations)
            if message.id and of_pages and isinstance(message.id, str) and not re.search(r"[%{<]", message.id):
                yield message.id, str(message.string)


def test_no_sentence_of_a_page_is_left_in_english(site: SmallSite, reader: Person) -> None:
    choose(reader.browser, reader.browser.get("/hub/home"), "nl")
    there = [(english, dutch) for english, dutch in sentences() if english.lower() != dutch.lower()]
    assert len(there) > 100
    seen: set[str] = set()
    for path in (
        "/hub/home", f"/hub/spawn/{reader.name}", f"/hub/user/{reader.name}/", "/hub/token", "/hub/datasets",
        "/hub/datasets/wind-farm", "/hub/datasets/grid", "/hub/datasets/nosuch", "/hub/nosuch", "/hub/admin",
        "/hub/language", f"/hub/spawn/{reader.name}/Not_A_Name", "/hub/logout",
    ):  # fmt: skip
        page = reader.browser.get(path)
        assert '<html lang="nl">' in page.text, path
        # what is marked as English is others' words
        text = re.sub(r'<(span|div|button)\b[^>]*lang="en"[^>]*>.*?</\1>', " ", page.text, flags=re.DOTALL)
        told = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text) + re.sub(
            r"<[^>]*>", "\0", text
        ).split("\0")
        told = [re.sub(r"\s+", " ", unescape(part)).strip() for part in told]
        left = {english for english, _ in there if english in told}
        assert not left, path
        seen |= {dutch for _, dutch in there if dutch in told}
    assert len(seen) > 60
    assert "405: Dat kan met dit adres niet" in words(reader.browser.get("/hub/language"))


def test_what_the_catalogue_has_as_a_code_is_said_in_words(site: SmallSite, reader: Person) -> None:
    choose(reader.browser, reader.browser.get("/hub/home"), "nl")
    for path in (f"/hub/spawn/{reader.name}", "/hub/datasets", "/hub/datasets/wind-farm"):
        told = re.findall(r"[\w-]+", words(reader.browser.get(path)))
        assert "Beperkt" in told, path
        assert not {"public", "restricted", "non-public"} & set(told), path
