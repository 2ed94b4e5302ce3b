"""What a project's page says of its invitations, and of where its people come from."""

from __future__ import annotations

import asyncio

from fabric_hub.errors import FabricError
from fabric_hub.hub.pages.project_invitations import by_person, of_project
from fabric_hub.projects.invitations import Invitations, Source


def test_it_says_how_each_person_came_in_each_way_once() -> None:
    def one(user: str, by: str, *, invited: bool = False, role: str = "member") -> Source:
        return Source.model_validate({"user": user, "role": role, "since": 1.0, "by": by, "invited": invited})

    found = Invitations(
        sources=(
            one("eve", "owner ada", invited=True),
            one("eve", "owner ada", role="trainer"),
            one("eve", "owner ada", role="steward"),
            one("zoe", "root"),
            one("kim", "root", invited=True),
        )
    )
    assert {user: [str(way) for way in ways] for user, ways in by_person(found).items()} == {
        "eve": ["By an invitation of ada", "Added by ada"],
        "zoe": ["At the command line, by root"],
        "kim": ["By an invitation that root made at the command line"],
    }


def test_without_an_answer_the_page_is_there_and_says_that_the_list_is_not() -> None:
    class Away:
        async def invitations(self, _by: str, _project: str) -> Invitations:
            raise FabricError("nobody answers", status=503)

    found, problem = asyncio.run(of_project(Away(), "ada", "waves"))
    assert found == Invitations()
    assert problem is not None
    assert problem.reason == "invitation-no-list"
