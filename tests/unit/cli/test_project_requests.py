"""``fabric-hub projects requests``, and templates: an operator answers at the command line, on record, with JSON."""

from __future__ import annotations

import json
import os
import pwd
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fabric_hub import cli
from fabric_hub.catalogue.audit.log import audit_directory
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.requests.store import RequestStore
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import load
from fabric_hub.projects.requests import AskProject
from tests.support.datasets_site import STRANGER, Done, Place, apart, catalogue_service, make_site

TEMPLATES = """
[catalogue.templates.small]
title = "Small"
budget_gpu_hours = 200.0
days = 90
"""


@pytest.fixture
def place(sandbox: Path) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        made = make_site(Path(root))
        with made.site.open("a") as file:
            file.write(TEMPLATES)
        yield made


def command(place: Place, *argv: str, uid: int | None = None) -> Done:
    return apart(lambda: cli.main(["projects", *argv, "--site", str(place.site)]), uid)


def say(place: Place, *argv: str) -> str:
    done = command(place, *argv)
    assert done.status == 0, done.err
    return done.out


def ask(place: Place, title: str, hours: float = 150, **more: Any) -> None:
    """Somebody asks at the hub, in the catalogue service's hands."""

    def work() -> int:
        settings = load(place.site)
        store = CatalogueStore(open_catalogue(place.datasets))
        asked = AskProject(title=title, purpose="Model \x9b waves", gpu_hours=hours, **more)
        RequestStore(store.engine, store.projects).ask(asked, "cleo", settings, lambda _entries: None)
        store.close()
        return 0

    done = apart(work, catalogue_service().pw_uid)
    assert done.status == 0, done.err


def test_requests_from_the_list_to_their_answers(place: Place) -> None:
    assert say(place, "requests", "list") == "There are no open requests.\n"
    ask(place, "Ocean waves")
    ask(place, "Tides", data="non-public")
    lines = say(place, "requests", "list").splitlines()
    assert lines[0].split() == ["number", "state", "by", "GPU-hours", "until", "project", "title"]
    assert lines[1].split() == ["1", "open", "cleo", "150", "-", "-", "Ocean", "waves"]
    shown = say(place, "requests", "show", "1")
    assert "1 (open)" in shown
    assert "\x9b" not in shown, "nothing of who asked steers the terminal"
    assert say(place, "requests", "approve", "1") == "Approved: request 1, project ocean-waves.\n"
    made = json.loads(say(place, "show", "ocean-waves", "--json"))
    assert (made["budget_gpu_hours"], made["members"]["owner"]) == (200.0, ["cleo"])
    assert made["end"] == (date.today() + timedelta(days=90)).isoformat()  # noqa: DTZ011
    again = command(place, "requests", "approve", "1")
    assert (again.status, again.err) == (
        1,
        "fabric-hub: Request 1 is not open any more. Look at what became of it.\n",
    )
    argv = ("--name", "tide", "--budget", "50", "--end", "2999-01-31", "--account", "tide-acc", "--json")
    approved = json.loads(say(place, "requests", "approve", "2", *argv))
    assert (approved["state"], approved["project"]) == ("granted", "tide")
    tide = json.loads(say(place, "show", "tide", "--json"))
    assert (tide["data"], tide["account"], tide["end"], tide["budget_gpu_hours"]) == (
        "non-public", "tide-acc", "2999-01-31", 50.0,
    )  # fmt: skip
    ask(place, "Third")
    assert say(place, "requests", "decline", "3", "--why", "no GPUs left") == "Declined: request 3.\n"
    states = [one["state"] for one in json.loads(say(place, "requests", "list", "--all", "--json"))]
    assert states == ["granted", "granted", "declined"]
    assert json.loads(say(place, "requests", "show", "3", "--json"))["why"] == "no GPUs left"
    events = [record["event"] for record in Reading(audit_directory(place.datasets)).records()]
    assert events == [
        "request-granted", "project-created", "person-added", "request-granted", "project-created", "person-added",
        "request-declined",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("show", "9"), "There is no request 9. Look at the list of requests."),
        (("approve", "1", "--template", "huge"), "The site's file has no template huge. Its templates: small."),
        (("approve", "1", "--name", "tides"), "There is a project tides already. Choose another name."),
    ],
)
def test_what_cannot_be_answered_says_why(place: Place, argv: tuple[str, ...], said: str) -> None:
    ask(place, "Ocean waves")
    say(place, "create", "tides", "--title", "Tides", "--owner", "ada")
    done = command(place, "requests", *argv)
    assert (done.status, done.out, done.err) == (1, "", f"fabric-hub: {said}\n")
    assert json.loads(say(place, "requests", "show", "1", "--json"))["state"] == "open"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes other accounts")
def test_only_root_and_the_catalogues_account_answer(place: Place) -> None:
    ask(place, "Ocean waves")
    done = command(place, "requests", "approve", "1", uid=pwd.getpwnam(STRANGER).pw_uid)
    assert done.status == 1
    assert json.loads(say(place, "requests", "show", "1", "--json"))["state"] == "open"


def test_a_project_is_made_by_a_template_and_options_win(place: Place) -> None:
    say(place, "create", "waves", "--title", "Waves", "--owner", "ada", "--template", "small")
    made = json.loads(say(place, "show", "waves", "--json"))
    last = (date.today() + timedelta(days=90)).isoformat()  # noqa: DTZ011
    assert (made["budget_gpu_hours"], made["kind"], made["end"]) == (200.0, "research", last)
    argv = ("--template", "small", "--budget", "7", "--kind", "course", "--end", "2999-01-31")
    say(place, "create", "tides", "--title", "Tides", "--owner", "ada", *argv)
    made = json.loads(say(place, "show", "tides", "--json"))
    assert (made["budget_gpu_hours"], made["kind"], made["end"]) == (7.0, "course", "2999-01-31")


def test_a_site_without_templates_says_how_to_add_one(sandbox: Path) -> None:
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        bare = make_site(Path(root))
        done = command(bare, "create", "waves", "--title", "Waves", "--owner", "ada", "--template", "small")
        assert done.err == (
            "fabric-hub: The site's file has no templates of projects. "
            "Add one as [catalogue.templates.small], with a title.\n"
        )
