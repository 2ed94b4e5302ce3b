"""``fabric-hub projects``: from a new project to its end, as the catalogue's account, on record, with JSON."""

from __future__ import annotations

import json
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_hub import cli
from fabric_hub.catalogue.audit.log import audit_directory
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.cli.project_commands import lines_of
from fabric_hub.projects.document import FILE
from tests.support.datasets_site import STRANGER, Done, Place, apart, catalogue_service, make_site

ADD_OWNER = "fabric-hub projects add NAME USER --role owner"
CREATE = ("create", "waves", "--title", "Big waves", "--owner", "Ada", "--owner", "bo")


@pytest.fixture
def place(sandbox: Path) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        yield make_site(Path(root))


def command(place: Place, *argv: str, uid: int | None = None) -> Done:
    return apart(lambda: cli.main(["projects", *argv, "--site", str(place.site)]), uid)


def say(place: Place, *argv: str) -> str:
    done = command(place, *argv)
    assert done.status == 0, done.err
    return done.out


def refused(place: Place, *argv: str) -> str:
    done = command(place, *argv)
    assert (done.status, done.out) == (1, "")
    return done.err.removeprefix("fabric-hub: ").rstrip()


def as_json(place: Place, *argv: str) -> Any:
    return json.loads(say(place, *argv, "--json"))


def test_a_project_from_its_beginning_to_its_end(place: Place) -> None:
    assert say(place, *CREATE, "--budget", "100") == "Made: project waves, with the Slurm account fh-waves.\n"
    for argv, said in (
        (("add", "waves", "Eve"), "eve is in project waves now, in the role member."),
        (("add", "waves", "eve"), "Nothing new for project waves."),
        (("add", "waves", "eve", "--role", "trainer"), "eve is in project waves now, in the role trainer."),
        (("remove", "waves", "eve", "--role", "member"), "eve has no longer the role member in project waves."),
        (("budget", "waves", "2500.5"), "The budget of project waves is 2,500.5 GPU-hours."),
        (("budget", "waves", "none"), "Project waves has no budget of its own."),
        (("describe", "waves", "--title", "Tides"), "Changed: project waves."),
        (("dates", "waves", "--end", "2027-05-01"), "Sessions start in project waves until 2027-05-01."),
        (
            ("dates", "waves", "--start", "2027-01-01"),
            "Sessions start in project waves from 2027-01-01 to 2027-05-01.",
        ),
        (("dates", "waves", "--end", "none"), "Sessions start in project waves from 2027-01-01 on."),
        (("pause", "waves", "--why", "too hot"), "Project waves is paused: nothing starts in it."),
        (("resume", "waves"), "Project waves goes on."),
        (("remove", "waves", "eve"), "eve is no longer in project waves."),
        (("remove", "waves", "ADA"), "ada is no longer in project waves."),
    ):
        assert say(place, *argv) == f"{said}\n"
    assert refused(place, "remove", "waves", "bo") == (
        "bo is the only owner of project waves. Make somebody else an owner first."
    )
    shown = as_json(place, "show", "waves")
    assert (shown["title"], shown["members"]["owner"], shown["start"], shown["end"]) == (
        "Tides", ["bo"], "2027-01-01", None,
    )  # fmt: skip
    assert [(one["user"], one["role"]) for one in shown["people"]] == [("bo", "owner")]
    audit = Reading(audit_directory(place.datasets))
    events = [record["event"] for record in audit.records()]
    assert events == [
        "project-created", "person-added", "person-added", "person-added", "person-added", "person-removed",
        "budget-set", "budget-set", "described", "dates-set", "dates-set", "dates-set", "paused", "resumed",
        "person-removed", "person-removed",
    ]  # fmt: skip


def test_all_projects_are_listed_those_of_the_file_first(place: Place) -> None:
    say(place, *CREATE)
    say(place, "pause", "waves", "--why", "too hot")
    lines = say(place, "list").splitlines()
    assert [line.split()[0] for line in lines] == ["name", "physics", "waves"]
    assert "site's file" in lines[1]
    assert "is paused: too hot" in lines[2]
    assert [(one["name"], one["kept"]) for one in as_json(place, "list")] == [("physics", False), ("waves", True)]
    assert "of the site's file" in say(place, "show", "physics")
    shown = say(place, "show", "waves")
    assert "ada, since 20" in shown
    assert "fh-waves" in shown


def test_what_people_wrote_does_nothing_to_the_terminal(place: Place) -> None:
    say(place, "create", "waves", "--title", "Wa\x9b31mves", "--owner", "ada")
    say(place, "pause", "waves", "--why", "too \u202ehot")
    for told in (say(place, "list"), say(place, "show", "waves")):
        assert "Wa\\x9b31mves" in told
        assert "too \\u202ehot" in told
        assert "\x9b" not in told
        assert "\u202e" not in told


def test_every_change_says_the_project_as_json(place: Place) -> None:
    assert as_json(place, *CREATE)["account"] == "fh-waves"
    assert as_json(place, "add", "waves", "eve")["members"]["member"] == ["eve"]
    assert as_json(place, "pause", "waves", "--why", "too hot")["paused"] == "too hot"


def test_projects_of_the_file_are_taken_over_and_win_until_they_are_removed_there(place: Place) -> None:
    assert refused(place, "add", "physics", "eve") == (
        "Project physics stands in the site's file, and is changed there. "
        "Or let the catalogue service keep it from now on: fabric-hub projects import physics"
    )
    said = say(place, "import")
    assert said.splitlines() == [
        "1 project is kept from now on.",
        f"What {place.site} says of a project wins until it is removed there. Lines to remove:",
        "physics  5-7",
    ]
    assert refused(place, "import", "physics").startswith("The catalogue service keeps a project physics already;")
    assert say(place, "import").startswith("0 projects are kept from now on.")
    assert "stands in the site's file" in refused(place, "add", "physics", "eve")
    lines = place.site.read_text().splitlines()
    place.site.write_text("\n".join(lines[:4] + lines[7:]))
    shown = as_json(place, "add", "physics", "eve")
    assert shown["members"] == {
        "owner": ["ada"], "member": ["jan", "eve"], "trainer": [], "steward": [], "visitor": [],
    }  # fmt: skip
    assert shown["account"] == "phys"


def test_the_lines_of_a_project_are_all_of_its_tables() -> None:
    text = """\
[project.a]
title = "A"
account = "a"

# b is old
[project.b]
account = "b"
members.owner = [
  "x",
]

[project.b.members]
member = ["y"]
# the end
[project.bb]
account = "bb"
[profile.b]
"""
    assert lines_of(text, "a") == [(1, 3)]
    assert lines_of(text, "b") == [(6, 10), (12, 13)]
    assert lines_of(text, "bb") == [(15, 16)]
    assert lines_of(text, "c") == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("show", "waves"), "There is no project waves. Check its name."),
        (("dates", "waves", "--end", "none"), "There is no project waves. Check its name."),
        (("import", "nope"), "The site's file has no project nope. Its projects: physics."),
        (
            ("create", "waves", "--title", "x", *(word for i in range(21) for word in ("--owner", f"u{i}"))),
            f"A project is made with at most 20 owners. Add the others then: {ADD_OWNER}",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(place: Place, argv: tuple[str, ...], words: str) -> None:
    assert refused(place, *argv) == words


@pytest.mark.parametrize(
    "argv",
    [
        ("create", "Waves", "--title", "x", "--owner", "ada"),
        ("create", "waves", "--title", "x"),
        ("add", "waves", "eve;rm"),
        ("add", "waves", "eve", "--role", "root"),
        ("budget", "waves", "-1"),
        ("budget", "waves", "nan"),
        ("dates", "waves", "--end", "tomorrow"),
        ("pause", "waves", "--why", "x" * 101),
        ("pause", "waves", "--why", ""),
    ],
)
def test_what_is_no_argument_is_wrong_usage(
    argv: tuple[str, ...], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["projects", *argv, "--site", str(place.site)])
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_site_without_a_catalogue_service_keeps_none(place: Place) -> None:
    place.site.write_text(place.site.read_text().partition("[catalogue]")[0])
    assert refused(place, "list") == (
        f"The site of {place.site} has no catalogue service, which keeps projects. "
        "Add a section [catalogue] to it: see docs/how-to/manage-projects.md."
    )


@pytest.mark.root
def test_only_root_and_the_catalogues_account_give_commands(place: Place) -> None:
    done = command(place, *CREATE, uid=pwd.getpwnam(STRANGER).pw_uid)
    assert done.status == 1
    assert f"{STRANGER} may not use it" in done.err
    assert command(place, *CREATE, uid=catalogue_service().pw_uid).status == 0


def test_hub_and_gateway_are_told_where_the_services_socket_is(place: Place) -> None:
    socket = place.directory("socket")
    os.chown(socket, catalogue_service().pw_uid, catalogue_service().pw_gid)
    place.site.write_text(f'{place.site.read_text()}socket = "{socket}/catalogue.sock"\n')
    say(place, *CREATE)
    assert json.loads((socket / FILE).read_text())["projects"]["waves"]["title"] == "Big waves"


def test_an_invitation_is_made_listed_and_withdrawn_and_its_code_is_said_once(place: Place) -> None:
    say(place, *CREATE)
    words = say(place, "invite", "waves", "--role", "visitor", "--uses", "2", "--until", "2099-01-31")
    assert words.startswith("Made: invitation ")
    assert "/hub/invitations/" in words.splitlines()[-1]
    made = as_json(place, "invite", "waves", "--until", "2099-01-31", "--domain", "delta.example")
    assert (made["role"], made["uses"], made["until"], made["domain"]) == ("member", 1, "2099-01-31", "delta.example")
    assert made["link"].endswith(f"/hub/invitations/{made['code']}")
    listed = say(place, "invitations", "waves")
    assert made["invitation"] in listed
    assert made["code"] not in listed
    found = as_json(place, "invitations", "waves")
    assert [(one["role"], one["uses"], one["used"]) for one in found["open"]] == [("visitor", 2, 0), ("member", 1, 0)]
    assert say(place, "withdraw", "waves", made["invitation"]).startswith(f"Withdrawn: invitation {made['invitation']}")
    assert say(place, "withdraw", "waves", made["invitation"]) == "Nothing new for project waves.\n"
    assert made["invitation"] not in say(place, "invitations", "waves")
    unknown = refused(place, "withdraw", "waves", "0123456789ab")
    assert unknown.startswith("Project waves has no invitation 0123456789ab.")
    assert refused(place, "turn-away", "waves", "eve").startswith("eve does not wait for project waves.")
    assert refused(place, "invitations", "nope") == "There is no project nope. Check its name."
