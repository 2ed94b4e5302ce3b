"""What I was told: a page of each person's own, with what is unread; and what operators see of it."""

from __future__ import annotations

import re

import pytest

from fabric_hub.messages.texts import notices as texts
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import Channel, Kind, Notice
from fabric_hub.sessions.database import open_database
from tests.support.person import Person, words
from tests.support.small_site import SmallSite

pytestmark = pytest.mark.hub


def tell(site: SmallSite, person: str) -> NoticeBook:
    book = NoticeBook(open_database(f"sqlite:///{site.state / 'sessions.sqlite'}"))
    text = texts.GRANTED(dataset="<b>mri</b>", project="twin")
    told = Notice(kind=Kind.DATASET, person=person, subject="dataset:mri/twin", occasion="1", text=text)
    assert book.tell([told], lambda *_: (Channel.MAIL,), 1.0) == 1
    assert book.claim(told.key, Channel.MAIL)
    book.unsure(told.key, Channel.MAIL, "the server hung up")
    return book


def test_each_reads_their_own_and_operators_see_what_was_not_sent(site: SmallSite, person: Person) -> None:
    book = tell(site, person.name)
    person.log_in()
    page = person.browser.get("/hub/notices")
    assert page.status_code == 200
    assert "Project twin may use dataset &lt;b&gt;mri&lt;/b&gt;, as you asked." in page.text
    assert "(1 unread)" in words(page)
    assert person.browser.get("/hub/notices").text.count("data-unread") == 1, "looking changes nothing"
    assert "Project twin mag dataset" in person.browser.get("/hub/notices", cookies={"fabric-language": "nl"}).text
    [xsrf] = set(re.findall(r'name="_xsrf" value="([^"]+)"', page.text))
    assert person.browser.post("/hub/notices", data={"do": "read", "until": "9e9"}).status_code == 403
    assert person.browser.post("/hub/notices", data={"do": "x", "_xsrf": xsrf}).status_code == 400
    done = person.browser.post("/hub/notices", data={"do": "read", "until": "9e99", "_xsrf": xsrf})
    assert done.status_code in (200, 302, 303)
    assert book.unread(person.name) == 0
    person.browser.post("/hub/notices", data={"do": "mail-off", "_xsrf": xsrf})
    assert not book.wants_mail(person.name)
    assert person.browser.get("/hub/operate/notices").status_code == 403
    operator = site.person("admin").log_in()
    listed = operator.browser.get("/hub/operate/notices")
    assert listed.status_code == 200
    assert person.name in listed.text
    assert "the server hung up" in listed.text
    assert "mri" not in listed.text, "the words are the person's"
    assert "Project twin may use" not in operator.browser.get("/hub/notices").text
