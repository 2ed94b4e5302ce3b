"""What cannot run is refused at once, with the same reason at every door: form, URL and REST."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import sentences
from fabric_hub.messages.texts.gateway import NOT_STARTED
from fabric_hub.messages.texts.slurm_reasons import MUNGE_SILENT
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.person import Person, words
from tests.support.small_site import SmallSite

pytestmark = pytest.mark.hub

REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"colour": "red"}, 400, "There is no option 'colour'"),
    ({"exec_prefix": "touch /tmp/x;"}, 400, "There is no option 'exec_prefix'"),
    ({"profile": "gpu-1; reboot"}, 400, "Option profile must be one name in lower-case letters, digits and hyphens"),
    ({"hours": "many"}, 400, "Option hours must be a number above 0"),
    ({"hours": "9"}, 403, "Profile gpu-1 allows at most 8 hours, not 9."),
    ({"project": "closed-shop"}, 403, "is not a member of project closed-shop. Your projects are twin, past."),
    ({"project": "nowhere"}, 403, "is not a member of project nowhere. Your projects are twin, past."),
    ({"project": "past"}, 403, "Project past ended on 31 January 2020."),
    ({"profile": "mini"}, 403, "Profile mini is not one of project twin. It has gpu-1, small, huge."),
    ({"image": "windows"}, 403, "Image windows is not one of project twin. It has base, pytorch."),
    ({"datasets": "corpus"}, 403, "This hub offers no datasets. Leave datasets out."),
    ({"profile": "huge"}, 409, "Profile huge cannot run here: No node here has 8 h200 GPUs and 1 CPU."),
]


@pytest.fixture(scope="module")
def refused_person(_running: SmallSite) -> Person:
    return _running.somebody().log_in()


@pytest.mark.parametrize(("options", "status", "reason"), REFUSED, ids=[str(wish) for wish, _, _ in REFUSED])
def test_form_url_and_rest_refuse_with_the_same_words(
    site: SmallSite, refused_person: Person, options: dict[str, Any], status: int, reason: str
) -> None:
    by_rest = refused_person.start(**options)
    assert (by_rest.status_code, reason in by_rest.json()["message"]) == (status, True), by_rest.text
    for page in (refused_person.form(**options), refused_person.open_spawn_url(**options)):
        # on the page the reason and what to do next stand in two elements
        assert page.status_code == status, words(page)[:2000]
        for sentence in reason.split(". "):
            assert sentence in words(page)
        assert 'id="fabric-start"' in page.text, "the form is there to try again"
    assert site.requests_of(refused_person) == []
    assert refused_person.servers() == {}


@pytest.mark.parametrize("name", ["Evening", "x" * 31, "a--b"])
def test_a_name_that_cannot_be_is_refused_with_the_rule(site: SmallSite, refused_person: Person, name: str) -> None:
    answer = refused_person.start(name)
    assert answer.status_code == 400
    assert "small letters, digits and single hyphens between them, at most 30 characters" in answer.json()["message"]
    assert "at most 30 characters" in words(refused_person.open_spawn_url(name))


def test_what_slurm_refuses_is_told_in_its_words(site: SmallSite, person: Person) -> None:
    site.gateway.fake.refusal = FabricError(
        "Slurm refused the job: account twin-acc may not use partition gpu.",
        reason="slurm-refused",
        hint="Pick another project or profile.",
        status=409,
    )
    answer = person.start()
    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "Slurm refused the job: account twin-acc may not use partition gpu. Pick another project or profile."
    )
    person.until_gone()
    page = person.log_in().browser.get(f"/hub/spawn-pending/{person.name}")
    assert "Slurm refused the job: account twin-acc may not use partition gpu." in words(page)
    assert page.status_code == 409


def test_a_submission_that_fails_again_and_again_says_so_and_why_on_the_waiting_page(
    site: SmallSite, person: Person
) -> None:
    site.gateway.fake.refusal = SlurmUnavailableError(sentences(NOT_STARTED(), MUNGE_SILENT()))
    answer = person.start()
    assert answer.status_code == 202, answer.text
    told = next(event for event in person.progress() if "has not taken" in event["message"])
    assert told["progress"] == 10
    why = r"\(asked (once|\d+ times)\): The session was not started\. munge does not answer on the hub's host,"
    assert re.search(why, told["message"])
    assert "until it answers or you cancel" in told["message"]
    site.gateway.fake.refusal, site.gateway.fake.words = None, "Your allocation ends on Friday"
    site.session_of(person)
    person.until_ready()
    home = person.log_in().browser.get("/hub/home")
    assert "The cluster says: Your allocation ends on Friday" in words(home)


def test_who_is_in_no_project_is_told_so(site: SmallSite) -> None:
    admin = site.person("admin").log_in()
    page = admin.browser.get("/hub/spawn/admin")
    assert "You're not in a project yet. Ask a project owner to add you." in words(page)
    assert admin.start().json()["message"].startswith("admin isn't in a project yet.")
