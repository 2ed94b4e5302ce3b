"""The operators' page: everybody's sessions and the queue, for operators alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.dataset_hub import AGREEMENT, DatasetHub
from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

OPEN = {"admin_page": True, "operators_open_sessions": True}
PAGE, NOW = "/hub/operate", "/hub/operate/now"


@pytest.fixture(scope="module")
def _dataset_hub(sandbox: Path) -> Iterator[DatasetHub]:
    with DatasetHub(sandbox / "operate", from_hub=["grants"], hub=dict(OPEN)) as dataset_hub:
        yield dataset_hub


@pytest.fixture
def site(dataset_hub: DatasetHub) -> SmallSite:
    return dataset_hub.site


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
    assert "Other jobs are ahead of it." in queued["now"]
    assert now(operator, queued["version"]).keys() <= {"version", "now", "rows", "health"}
    site.begin(session.id)
    assert started.result(60).status_code in (201, 202)
    person.until_ready("run")

    def running() -> str | None:
        rows = now(operator)["rows"].split("<tr ")
        one = next((one for one in rows if f'data-key="{session.id}"' in one), "")
        return one if 'data-state="Running"' in one else None

    shown = until(running, "it is shown as running")
    drawn = re.findall(r'<svg class="operate-line".+?aria-label="(.+?)">.+?<title>(.+?)</title>.+?<path d="M(.+?)" />',
                       now(operator)["now"], re.DOTALL)  # fmt: skip
    assert [label for label, title, path in drawn if label == title and path] == [label for label, _, _ in drawn]
    assert [label.split(" since ")[0] for label, _, _ in drawn] == [
        "Sessions running", "Sessions queued", "GPUs free", "Longest wait",
    ]  # fmt: skip
    for told in (person.name, "Digital twin", "One GPU", str(session.job_id), f'data-stop-session="{session.id}"'):
        assert told in shown
    page = words(operator.browser.get(PAGE))
    assert re.search(r"The lines show the last 6 hours\. The hub has counted since .*\d\d:\d\d", page)
    for told in ("Sessions running", "REST service Working", "Record of sessions Working", "Catalogue service Working"):
        assert told in page


def ask(person: Person, dataset: str, why: str) -> None:
    page = person.log_in().browser.get(f"/hub/datasets/{dataset}")
    sent = {"_xsrf": xsrf_of(page), "do": "request", "project": "twin", "why": why}
    assert person.browser.post(f"/hub/datasets/{dataset}", data=sent).status_code == 200


def xsrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


def test_an_operator_grants_one_request_and_refuses_another_with_a_reason_that_who_asked_reads(
    dataset_hub: DatasetHub, site: SmallSite, person: Person
) -> None:
    for name in ("sea", "moor"):
        dataset_hub.publish(name, access="restricted", agreement=AGREEMENT)
    until(lambda: "The moor" in words(person.log_in().browser.get("/hub/datasets")), "the hub knows the datasets")
    ask(person, "sea", "for <b>my</b> thesis")
    ask(person, "moor", "out of interest")
    operator = site.person("admin").log_in()
    page = until(
        lambda: found if "The moor" in words(found := operator.browser.get(PAGE)) else None, "the operator sees both"
    )
    assert f"{person.name} asked on" in words(page)
    assert "for &lt;b&gt;my&lt;/b&gt; thesis" in page.text
    answer = {"_xsrf": xsrf_of(page), "dataset": "sea", "project": "twin", "do": "grant"}
    forged = operator.browser.post(PAGE, data={**answer, "_xsrf": "guessed"})
    mine = {**answer, "_xsrf": xsrf_of(person.browser.get("/hub/datasets/sea"))}
    assert (forged.status_code, person.browser.post(PAGE, data=mine).status_code) == (403, 403)
    granted = operator.browser.post(PAGE, data=answer)
    assert (granted.status_code, "Granted. Sessions of the project can add it now." in words(granted)) == (200, True)
    again = operator.browser.post(PAGE, data=answer)
    assert (again.status_code, "Nobody requests the dataset sea" in words(again)) == (404, True)
    refused = operator.browser.post(PAGE, data={**answer, "dataset": "moor", "do": "refuse", "why": "Not in a course."})
    assert "Refused. Who asked sees your reason" in words(refused)
    assert operator.browser.post(PAGE, data={**answer, "do": "nothing"}).status_code == 400
    theirs = until(
        lambda: said if "declined" in (said := words(person.browser.get("/hub/datasets/moor"))) else None, "it is told"
    )
    assert re.search(r"Your request was declined at .+: Not in a course\.", theirs)
    other = words(site.somebody().log_in().browser.get("/hub/datasets/moor"))
    assert "declined" not in other, "who did not ask reads nothing of it"


def test_an_operator_opens_a_session_where_the_site_allows_it_and_its_person_reads_it(
    site: SmallSite, person: Person
) -> None:
    person.start("run", profile="small")
    person.until_ready("run")
    session = site.session_of(person, "run")
    operator = site.person("admin").log_in()
    mine = f"access:servers!server={person.name}/run"
    assert mine not in operator.api.get("/user").json()["scopes"], "not before they have opened it"
    shown = until(
        lambda: rows if session.id in (rows := now(operator)["rows"]) and "operate/open" in rows else None,
        "it is shown",
    )
    assert f"Open session run of {person.name}" in shown
    sent = {"_xsrf": xsrf_of(operator.browser.get(PAGE)), "user": person.name, "server": "run"}
    for wrong, status in (({"_xsrf": "guessed"}, 403), ({"server": "other"}, 404), ({"user": "nobody"}, 404)):
        answer = operator.browser.post("/hub/operate/open", data={**sent, **wrong}, follow_redirects=False)
        assert answer.status_code == status
        assert status == 403 or "can't be opened now" in words(answer)
    opened = operator.browser.post("/hub/operate/open", data=sent, follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, f"/user/{person.name}/run/")
    assert mine in operator.api.get("/user").json()["scopes"]
    log = site.log.read_text()
    assert f"Operator admin opens session {session.id} (run) of {person.name}" in log
    told = r"Operator admin opened this session at \d\d:\d\d"
    assert re.search(told, words(person.log_in().browser.get("/hub/home")))
    person.stop("run")
    person.until_gone("run")
    person.start("run", profile="small")
    person.until_ready("run")
    assert mine not in operator.api.get("/user").json()["scopes"], "the next session is opened anew"
    assert re.search(told, words(person.browser.get("/hub/home"))), "the ended one still says so"
    assert operator.browser.get("/hub/admin").url.path == "/hub/admin"
