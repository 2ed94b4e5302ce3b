"""A job that dies says why; an outage drops nobody."""

from __future__ import annotations

import re
import time
from functools import partial
from html import unescape
from urllib.parse import parse_qs, quote

import httpx
import pytest

from fabric_hub.sessions.status import SETTLE_S
from tests.support.gateway import FakeGateway
from tests.support.person import Person, words
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

LOG = ("Loading modules ...", "ImportError: libcuda.so.1: cannot open <shared> object file")


def test_a_job_that_dies_while_starting_gives_its_reason_everywhere(site: SmallSite, person: Person) -> None:
    site.answers = False
    answer = person.start_later()
    session = site.session_of(person)

    def die(fake: FakeGateway) -> None:
        fake.logs[session.id] = LOG
        fake.end(session.id, "FAILED", exit_status=3)

    site.gateway.call(die)
    assert answer.result().status_code == 424
    told = answer.result().json()["message"]
    assert told.startswith("JupyterLab couldn't start (exit code 3).")

    person.until_gone()
    page = person.log_in().browser.get(f"/hub/spawn-pending/{person.name}")
    assert page.status_code == 424
    assert "The session did not start" in words(page)
    assert "JupyterLab couldn't start (exit code 3)." in words(page)
    for line in LOG:
        assert line in words(page)
    assert "<shared>" not in page.text, "what a job prints is text, not markup"
    ended = site.store.get(session.id)
    assert ended
    assert (ended.end_reason, ended.end_log, ended.token) == ("failed", LOG, None)
    until(lambda: session.id in site.gateway.fake.removed, "no token and no key is left in the home")


def test_nothing_that_a_job_would_have_read_is_left_of_a_start_that_failed_or_was_cancelled(
    site: SmallSite, person: Person
) -> None:
    site.hold()
    answer = person.start_later()
    died = site.session_of(person)
    site.gateway.call(lambda fake: fake.end(died.id, "CANCELLED"))
    assert answer.result().status_code == 424
    until(lambda: died.id in site.gateway.fake.removed, "the files of a job that was cancelled in the queue are gone")
    person.until_gone()
    person.start_later()
    cancelled = site.session_of(person)
    assert person.stop().status_code in (202, 204)
    until(lambda: cancelled.id in site.gateway.fake.removed, "the files of a start that was cancelled are gone")


def test_of_a_start_that_was_cancelled_while_slurm_was_silent_nothing_is_left_either(
    site: SmallSite, person: Person
) -> None:
    site.gateway.call(FakeGateway.become_unavailable)
    person.start_later()
    session = until(lambda: site.store.live(person.name, ""), "the start is on record")
    assert person.stop().status_code in (202, 204)
    site.gateway.call(FakeGateway.answer_again)
    until(lambda: session.id in site.gateway.fake.removed, "its files are gone once Slurm answers", 40)


def _again(page: httpx.Response, name: str) -> dict[str, list[str]]:
    """What the address says that a page's *Try again* leads to."""
    link = re.search(rf'href="/hub/spawn/{name}\?([^"]*)"', page.text)
    assert link, page.text
    return parse_qs(unescape(link[1]))


def test_trying_again_keeps_the_choice_and_leads_where_the_link_led(site: SmallSite, person: Person) -> None:
    goal = f"/hub/user/{person.name}/lab/tree/day 1/intro.ipynb"
    site.hold()
    page = person.log_in().browser.get(f"/hub/spawn/{person.name}", params={"next": goal})
    xsrf = re.search(r'xsrf_token: "([^"]+)"', page.text)
    assert xsrf, page.text
    fields = {"_xsrf": xsrf[1], "profile": "small"}
    person.browser.post(f"/hub/spawn/{person.name}", params={"next": goal}, data=fields, follow_redirects=False)
    session = site.session_of(person)
    pending = person.browser.get(f"/hub/spawn-pending/{person.name}")
    kept = {"next": [goal], "opt-profile": ["small"], "opt-project": [session.project]}
    assert kept.items() <= _again(pending, person.name).items()
    assert f'data-next="{goal}"' in pending.text
    site.gateway.call(lambda fake: fake.end(session.id, "NODE_FAIL"))
    person.until_gone()
    failed = person.browser.get(f"/hub/spawn-pending/{person.name}")
    assert kept.items() <= _again(failed, person.name).items()
    form = re.search(r'<form id="fabric-rescue-form"[^>]* action="([^"]+)"', failed.text)
    assert form, failed.text
    assert form[1].endswith(f"?next={quote(goal)}"), "also of the button that offers a rescue session"


def test_a_prologue_that_fails_says_where_and_whom_to_tell(site: SmallSite, person: Person) -> None:
    site.answers = False
    answer = person.start_later()
    session = site.session_of(person)

    def die(fake: FakeGateway) -> None:
        said = "fabric-hub: gateway.prologue failed with status 127, at: module load cuda"
        fake.logs[session.id] = ("slurm_script: line 4: module: command not found", said)
        fake.end(session.id, "FAILED", exit_status=78)

    site.gateway.call(die)
    told = answer.result().json()["message"]
    assert (
        "What this site runs first in every session failed on node gpu1, with status 127, at: module load cuda." in told
    )
    assert "gateway.prologue of the site's file" in told


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("OUT_OF_MEMORY", "The session used more memory than it asked for. Choose a profile with more memory."),
        ("NODE_FAIL", "The node gpu1 broke down."),
        ("CANCELLED", "The session was stopped."),
    ],
)
def test_every_end_has_its_words(site: SmallSite, person: Person, state: str, sentence: str) -> None:
    site.answers = False
    answer = person.start_later()
    session = site.session_of(person)
    site.gateway.call(lambda fake: fake.end(session.id, state))
    assert answer.result().status_code == 424
    assert sentence in answer.result().json()["message"]


def test_the_progress_of_a_failing_start_ends_with_the_reason(site: SmallSite, person: Person) -> None:
    site.hold()
    site.answers = False
    person.start_later()
    session = site.session_of(person)
    events = []
    for event in person.progress():
        events.append(event)
        if event["progress"] == 20:
            site.gateway.call(lambda fake: fake.end(session.id, "DEADLINE"))
    assert events[-1]["failed"] is True
    assert "The session could not end before its deadline." in events[-1]["message"]


def test_a_running_session_that_ends_tells_why_on_its_page(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    session = site.session_of(person)

    def end(fake: FakeGateway) -> None:
        fake.logs[session.id] = LOG
        fake.end(session.id, "TIMEOUT")

    site.gateway.call(end)
    person.until_gone()  # at once: the snapshot says so, nobody waits for a poll
    page = person.log_in().browser.get(f"/hub/user/{person.name}/")
    assert "Time limit reached" in words(page)
    assert LOG[0] in words(page)
    until(lambda: session.id in site.gateway.fake.removed, "no token and no key is left in the home")


def test_a_job_that_was_cancelled_in_slurm_is_explained_on_the_home_page(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    session = site.session_of(person)
    site.gateway.call(lambda fake: fake.end(session.id, "CANCELLED"))
    person.until_gone()
    home = words(person.log_in().browser.get("/hub/home"))
    assert "Its job was cancelled in Slurm, not on a page of the hub." in home


def test_a_suspended_or_preempted_and_requeued_job_is_still_the_session(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    session = site.session_of(person)
    for state in ("SUSPENDED", "STOPPED", "PENDING", "RUNNING"):
        site.gateway.call(partial(FakeGateway.set_state, session=session.id, state=state))
        assert person.servers()[""]["ready"]
    assert site.store.live(person.name, "")
    person.stop()


def test_a_silent_slurm_drops_nobody(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    session = site.session_of(person)
    site.gateway.call(lambda fake: fake.become_unavailable())
    # even a job that vanishes meanwhile is not gone: only Slurm's own word counts
    page = person.log_in().browser.get("/hub/home")
    until(
        lambda: "Slurm has not answered since" in words(person.browser.get("/hub/home")),
        f"the hub's page says so, not: {words(page)[:500]}",
    )
    assert person.servers()[""]["ready"]
    site.gateway.call(lambda fake: fake.answer_again())
    assert site.store.live(person.name, "")
    assert site.state_of(session.id) == "RUNNING"
    person.stop()


def test_sessions_that_slurm_hides_from_the_hub_go_on_and_others_still_start(site: SmallSite) -> None:
    """As with PrivateData=jobs: an answer with none of our jobs, though each is there for who asks by number."""
    runs, waits, starts = site.somebody(), site.somebody(), site.somebody()
    runs.start()
    runs.until_ready()
    site.hold()
    waits.start_later()
    running, waiting = site.session_of(runs), site.session_of(waits)
    settled = (waiting.submitted_at or 0) + SETTLE_S
    until(lambda: time.time() > settled, "an answer without these jobs should have them")
    site.gateway.call(FakeGateway.hide)
    try:
        until(lambda: {running.id, waiting.id} <= site.gateway.fake.found, "the hub has asked for both by number")
        assert runs.start().status_code == 400, "asked again, the hub polls: the answer is still that it runs"
        site.gateway.fake.hold = False
        starts.start_later()
        starts.until_ready()
        site.begin(waiting.id)
        waits.until_ready()
        assert runs.servers()[""]["ready"]
    finally:
        site.gateway.call(lambda fake: fake.hide(False))
    assert [site.session_of(person).id for person in (runs, waits)] == [running.id, waiting.id]
    assert {job.state for person in (runs, waits, starts) for job in site.jobs_of(person)} == {"RUNNING"}
    assert [len(site.requests_of(person)) for person in (runs, waits, starts)] == [1, 1, 1]
    assert not {request.session for request in site.gateway.fake.cancels} & {running.id, waiting.id}


def test_a_job_that_slurm_does_not_have_when_asked_for_it_by_number_is_gone(site: SmallSite, person: Person) -> None:
    person.start()
    person.until_ready()
    session = site.session_of(person)
    settled = (session.submitted_at or 0) + SETTLE_S
    until(lambda: time.time() > settled, "an answer without this job should have it")
    site.gateway.call(lambda fake: fake.forget(session.id))
    person.until_gone()
    ended = site.store.get(session.id)
    assert ended
    assert (ended.end_reason, session.id in site.gateway.fake.found) == ("job-gone", True)
    assert "Slurm no longer knows the session's job." in words(person.log_in().browser.get(f"/hub/user/{person.name}/"))


def test_a_gateway_that_is_gone_drops_nobody_and_a_start_waits_for_it(site: SmallSite) -> None:
    runs, starts = site.somebody(), site.somebody()
    runs.start()
    runs.until_ready()
    site.gateway.down()
    try:
        starts.start_later()
        until(lambda: "" in starts.servers(), "the start is under way")
        told = next(event["message"] for event in starts.progress() if "not answer" in event["message"])
        assert "Nothing is lost" in told
        assert runs.servers()[""]["ready"]
        assert runs.start().status_code == 400, "asked again, the hub polls: the answer is still that it runs"
    finally:
        site.gateway.up()
    assert runs.servers()[""]["ready"]
    starts.until_ready()
    assert len(site.requests_of(starts)) == 1
    assert site.store.live(runs.name, "")
