"""A session that waits, and what may start sooner in its place: one of the two runs, whatever dies in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from fabric_hub.sessions.store import Session
from fabric_hub.slurm.limits.model import Association, Limit, Limits, PartitionLimits, Qos
from tests.support.gateway import FakeGateway
from tests.support.person import Person, words
from tests.support.small_site import PROFILES, UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


def token_of(person: Person) -> str:
    found = re.search(r'xsrf_token: "([^"]+)"', person.browser.get("/hub/home").text)
    assert found
    return found[1]


def sooner(person: Person, session: Session, profile: str, **more: str) -> httpx.Response:
    """What the button of the waiting page sends."""
    data = {"session": session.id, "_xsrf": token_of(person), "opt-profile": profile, "opt-hours": "1", **more}
    return person.browser.post("/hub/sooner", data=data)


def paired(site: SmallSite, person: Person) -> tuple[Session, Session]:
    """A session of a person that waits for a GPU, and its alternative without one."""
    site.hold()
    person.log_in().start_later("work", profile="gpu-1")
    first = site.session_of(person, "work")
    answer = sooner(person, first, "small")
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"name": "work-small", "url": f"/hub/spawn-pending/{person.name}/work-small"}
    return first, site.session_of(person, "work-small")


def live_jobs(site: SmallSite, person: Person) -> list[str]:
    return [job.session[1] for job in site.jobs_of(person) if job.session]


def test_whichever_starts_first_stays_and_both_say_why(site: SmallSite, person: Person) -> None:
    first, second = paired(site, person)
    assert (second.project, second.image, second.profile, second.hours) == (first.project, first.image, "small", 1.0)
    for server, other in (("work", "work-small"), ("work-small", "work")):
        event = next(event for event in person.progress(server) if "pair" in event)
        assert event["pair"]["text"].startswith(f"{other} waits, too.")
        assert event["pair"]["url"] == f"/hub/spawn-pending/{person.name}/{other}"
    home = words(person.browser.get("/hub/home"))
    assert home.count("Whichever starts first stays") == 2

    for one in (first, second):
        third = sooner(person, one, "small")
        assert (third.status_code, third.json()["reason"]) == (409, "session-has-alternative")
    stranger = site.somebody().log_in()
    assert sooner(stranger, first, "small").json()["reason"] == "no-waiting-session"
    assert sooner(person, first, "small", _xsrf="x").status_code == 403
    assert person.browser.get("/hub/sooner", params={"session": first.id}).status_code in (404, 405)
    assert len(site.requests_of(person)) == 2

    site.begin(second.id)
    person.until_ready("work-small")
    site.until_state(first.id, "CANCELLED")
    assert live_jobs(site, person) == [second.id]
    over = site.store.get(first.id)
    assert over
    assert (over.end_reason, str(over.end_text)) == ("other-started", "Cancelled: work-small started first.")
    person.until_gone("work")
    page = person.browser.get(f"/hub/spawn-pending/{person.name}/work")
    assert "Cancelled: work-small started first." in words(page)
    assert f'href="/hub/spawn-pending/{person.name}/work-small"' in page.text
    home = words(person.browser.get("/hub/home"))
    assert "It started first: work was cancelled." in home
    assert re.search(r"Cancelled [^·]+ · work-small started first", home)

    assert person.stop("work-small").status_code in (202, 204)
    person.until_gone("work-small")
    assert site.store.get(first.id) == over
    assert live_jobs(site, person) == []


def test_who_cancels_one_keeps_the_other_in_the_queue(site: SmallSite, person: Person) -> None:
    first, second = paired(site, person)
    events = person.progress("work-small")
    assert next(event for event in events if event["progress"])["pair"]["text"].startswith("work waits, too.")
    assert person.stop("work").status_code in (202, 204)
    assert next(event for event in events if "pair" not in event)["heading"]
    left = site.store.get(second.id)
    assert left
    assert (left.live, left.paired_with) == (True, None)
    site.begin(second.id)
    person.until_ready("work-small")
    over = site.store.get(first.id)
    assert over
    assert over.end_reason == "stopped"


@pytest.mark.long
def test_one_runs_when_both_begin_while_the_hub_is_gone(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(users={"max_sessions": 1})
    person = site.somebody()
    first, second = paired(site, person)
    refused = person.start("third", profile="small")
    assert refused.json()["message"].startswith("You have 1 session,"), "limits count the pair once"
    site.kill()
    site.answers = False
    for one in (first, second):
        site.begin(one.id)
    site.up()
    for one in (first, second):  # both scripts speak in the same moment
        site.serve(site.request(one.id))

    def left() -> list[Session]:
        rows = [site.store.get(one.id) for one in (first, second)]
        return [row for row in rows if row and row.live]

    until(lambda: len(left()) == 1, "the record has let one go on")
    winner = left()[0]
    loser = site.store.get(first.id if winner.id == second.id else second.id)
    assert loser
    until(lambda: live_jobs(site, person) == [winner.id], "the other one's job is ended", limit_s=90)
    assert loser.end_reason == "other-started"
    person.until_ready(winner.server_name)
    assert len(site.requests_of(person)) == 2, "none was submitted twice"
    assert site.sessions[loser.id].tell("GET", "/session").status_code in (401, 410)


@pytest.mark.long
def test_a_budget_is_to_hold_the_dearer_of_both_and_not_their_sum(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(profile={**PROFILES, "here": {"title": "Here", "kind": "local"}})
    person = site.somebody().log_in()
    own = Association.model_validate({"account": "twin-acc", "grp_tres_mins": {"cpu": Limit(limit=240, used=0)}})
    user = Association(account="twin-acc", user=UNIX_PREFIX + person.name, parent="twin-acc")
    limits = Limits(associations=(own, user), qos=(Qos(name="normal"),), partitions=(PartitionLimits(name="gpu"),))
    site.gateway.call(lambda fake: fake.set_limits(limits))
    site.hold()

    def refused() -> bool:
        """Whether the hub has heard of the limit."""
        if person.start("dear", profile="gpu-1", hours=2).status_code == 403:
            return True
        person.stop("dear")
        person.until_gone("dear")
        return False

    until(refused, "two hours of four cores are too many")
    person.start_later("work", profile="gpu-1", hours=1)
    first = site.session_of(person, "work")
    assert sooner(person, first, "here").json()["reason"] == "alternative-of-other-kind"
    dearer = sooner(person, first, "small", **{"opt-hours": "4"})
    assert (dearer.status_code, dearer.json()["reason"]) == (403, "budget"), dearer.text
    assert sooner(person, first, "small").status_code == 201, "each fits by itself, both together would not"


@pytest.mark.long
def test_a_cancel_that_fails_is_done_again(site: SmallSite, person: Person) -> None:
    first, second = paired(site, person)
    site.answers = False
    site.begin(second.id)
    server = site.serve(site.request(second.id))
    site.gateway.call(FakeGateway.become_unavailable)
    until(lambda: (row := site.store.get(first.id)) and not row.live, "the record has decided")
    assert server.tell("POST", "/session/begin").status_code == 204, "asked again, it says the same"
    site.gateway.call(FakeGateway.answer_again)
    until(lambda: live_jobs(site, person) == [second.id], "the cancel is done", limit_s=90)
