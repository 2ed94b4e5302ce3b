"""Over a limit of Slurm: refused at every door in the same words, with a rescue session one click away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, PartitionLimits, Qos
from fabric_hub.slurm.model import JobSpec
from tests.support.person import Person, words
from tests.support.small_site import PROFILES, UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

USED_UP = "The budget of account twin-acc has run out: 10 of 10 GPU-hours used."
ASK = "Ask the owner of the project for more."
NEAREST = "In project Digital twin you can have Two CPUs for up to 4 hours."
OFFER = 'You can still open your files in a rescue session: profile rescue ("Rescue").'


@pytest.fixture(scope="module")
def _limited(sandbox: Path) -> Iterator[SmallSite]:
    rescue = {"title": "Rescue", "partition": "gpu", "cpus": 1, "max_hours": 1}
    with SmallSite(
        sandbox / "limited", quotas={"rescue_profile": "rescue"}, profile={**PROFILES, "rescue": rescue}
    ) as site:
        yield site


@pytest.fixture
def site(_limited: SmallSite) -> Iterator[SmallSite]:
    """A hub whose gateway tells the limits that a test sets."""
    _limited.reset()
    yield _limited
    _limited.gateway.call(lambda fake: fake.set_limits(Limits()))


def _tell(site: SmallSite, person: Person, used: int, **account: object) -> None:
    """The project has 10 GPU-hours, of which so many minutes are used, and the hub has heard of it."""
    own = Association.model_validate(
        {"account": "twin-acc", "grp_tres_mins": {GPU: Limit(limit=600, used=used)}, **account}
    )
    user = Association(account="twin-acc", user=UNIX_PREFIX + person.name, parent="twin-acc")
    limits = Limits(associations=(own, user), qos=(Qos(name="normal"),), partitions=(PartitionLimits(name="gpu"),))
    site.gateway.call(lambda fake: fake.set_limits(limits))


def _refused(start: Callable[[], httpx.Response], person: Person) -> httpx.Response:
    """The answer once the hub has heard of the limit, which its long poll brings in a moment."""

    def answer() -> httpx.Response | None:
        found = start()
        if found.status_code == 403:
            return found
        person.stop()
        person.until_gone()
        return None

    return until(answer, "the start is refused")


def test_a_used_up_budget_is_refused_in_the_same_words_at_every_door(site: SmallSite, person: Person) -> None:
    _tell(site, person, 600)
    by_rest = _refused(lambda: person.start(profile="gpu-1"), person)
    assert by_rest.json()["message"] == f"{USED_UP} {ASK} {NEAREST} {OFFER}"
    person.log_in()
    for page in (person.form(project="twin", profile="gpu-1"), person.open_spawn_url(project="twin", profile="gpu-1")):
        assert page.status_code == 403
        for sentence in (USED_UP, ASK, NEAREST, OFFER):
            assert sentence in words(page)


def test_the_button_in_the_refusal_starts_a_rescue_session(site: SmallSite, person: Person) -> None:
    _tell(site, person, 600)
    _refused(lambda: person.start(profile="gpu-1"), person)
    before = len(site.requests_of(person))
    page = person.log_in().form(project="twin", profile="gpu-1")
    button = re.search(r'<button[^>]*id="fabric-rescue"[^>]*>', page.text)
    assert button, page.text
    assert 'form="fabric-rescue-form"' in button[0]
    assert 'id="fabric-rescue-form"' in page.text.replace(button[0], "")
    name, value = (re.search(rf'{field}="([^"]*)"', button[0]) for field in ("name", "value"))
    assert name and value  # noqa: PT018
    person.form(**{name[1]: value[1]})
    person.until_ready()
    (request,) = site.requests_of(person)[before:]
    assert request.spec == JobSpec(partition="gpu", account="twin-acc", cpus=1, minutes=60)
    assert site.session_of(person).profile == "rescue"


def test_a_raised_budget_lets_people_start_again(site: SmallSite, person: Person) -> None:
    _tell(site, person, 600)
    _refused(lambda: person.start(profile="gpu-1"), person)
    _tell(site, person, 540)
    until(lambda: person.start(profile="gpu-1").status_code in (201, 202), "the start is accepted")
    person.until_ready()


def test_a_session_that_its_budget_would_end_is_refused_with_the_nearest_choice_that_fits(
    site: SmallSite, person: Person
) -> None:
    """Slurm would start it, and end it when the budget is used up."""
    _tell(site, person, 570)
    refused = _refused(lambda: person.start(profile="gpu-1"), person)
    message = refused.json()["message"]
    assert message.startswith(
        "Account twin-acc has 30 GPU-minutes left (9.5 of 10 GPU-hours used), and this job asks for 1 GPU-hour. "
        "Ask for 30 minutes or less, or the owner of the project for more. In project "
    )
    assert "fits for up to 30 minutes" in message
    before = len(site.requests_of(person))
    page = person.log_in().form(project="twin", profile="gpu-1", hours="1")
    assert (page.status_code, "30 GPU-minutes left" in words(page)) == (403, True)
    assert len(site.requests_of(person)) == before, "it was not submitted"
    assert person.start(profile="gpu-1", hours=0.5).status_code in (201, 202)
    person.until_ready()


def test_a_limit_that_no_rescue_session_passes_offers_none(site: SmallSite, person: Person) -> None:
    _tell(site, person, 0, grp_submit=Limit(limit=2, used=2))
    refused = _refused(lambda: person.start(profile="gpu-1"), person)
    message = refused.json()["message"]
    assert message.startswith("Account twin-acc allows at most 2 jobs altogether, running or waiting, and there are 2.")
    assert "rescue" not in message


def test_a_session_that_runs_outlives_its_budget_and_the_hub(site: SmallSite, person: Person) -> None:
    person.start(profile="gpu-1")
    person.until_ready()
    job = site.session_of(person).job_id
    _tell(site, person, 600)
    site.kill()
    site.up()
    person.until_ready()
    assert site.session_of(person).job_id == job
