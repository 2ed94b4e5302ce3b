"""The operators' page: everybody's sessions and the queue, for operators alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

PAGE, NOW = "/hub/operate", "/hub/operate/now"


def now(operator: Person, version: str = "") -> dict[str, Any]:
    answer = operator.browser.get(NOW, params={"version": version} if version else {})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_only_an_operator_who_has_logged_in_sees_the_page(site: SmallSite, person: Person) -> None:
    person.log_in()
    for address in (PAGE, NOW):
        refused = person.browser.get(address)
        assert refused.status_code == 403
        assert "This page is for operators." in refused.text
    assert 'href="/hub/operate"' not in person.browser.get("/hub/home").text
    admin = site.person("admin")
    assert "/hub/login" in str(site.http.get(PAGE, headers=dict(admin.api.headers)).headers["location"]), "no token"
    answer = site.http.get(NOW, headers=dict(admin.api.headers))
    assert (answer.status_code, answer.json()["said"]["code"]) == (403, "login-again")
    assert 'href="/hub/operate"' in admin.log_in().browser.get("/hub/home").text
    assert admin.browser.get(PAGE).status_code == 200


def test_the_page_follows_everybodys_sessions_and_the_queue_and_an_operator_stops_one(
    site: SmallSite, person: Person
) -> None:
    operator = site.person("admin").log_in()
    site.hold()
    started = person.start_later("run", profile="gpu-1")
    session = site.session_of(person, "run")
    mine = f'data-waits="{session.id}"'
    queued = until(lambda: told if mine in (told := now(operator))["now"] else None, "it is in the queue")
    assert "Other jobs are before it in the queue." in queued["now"]
    assert now(operator, queued["version"]).keys() <= {"version", "now", "rows"}
    site.begin(session.id)
    assert started.result(60).status_code in (201, 202)
    person.until_ready("run")

    def running() -> str | None:
        rows = now(operator)["rows"].split("<tr ")
        one = next((one for one in rows if f'data-key="{session.id}"' in one), "")
        return one if 'data-state="Running"' in one else None

    shown = until(running, "it is shown as running")
    for told in (person.name, "Digital twin", "One GPU", str(session.job_id), f'data-stop-session="{session.id}"'):
        assert told in shown
    assert "Sessions running" in words(operator.browser.get(PAGE))
