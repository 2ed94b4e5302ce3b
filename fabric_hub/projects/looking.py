"""Who looks at a project, and what that lets them see of it: the same for its page and for the API. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from fabric_hub.config.settings import Project

from .membership import roles_of

# What a site shows of a project's people to the others in it (``quotas.shown_of_people``).
OFF, AGGREGATED, NAMED = "off", "aggregated", "named"
ShownOfPeople = Literal["off", "aggregated", "named"]
State = Literal["active", "paused", "not-started", "ended"]
_ROLES_INSIDE: Final = frozenset({"owner", "member", "trainer", "steward"})


@dataclass(frozen=True)
class Looking:
    """Who looks at a project, and what that lets them see of it.

    :ivar operator: they look as an operator, on the operators' pages.
    """

    user: str
    roles: tuple[str, ...]
    operator: bool = False

    @property
    def answers(self) -> bool:
        """Whether they answer for who is in the project: its owners, and operators."""
        return self.operator or "owner" in self.roles

    @property
    def inside(self) -> bool:
        """Whether they see what is used and what runs: everybody but visitors."""
        return self.operator or not _ROLES_INSIDE.isdisjoint(self.roles)

    def sees_names(self, shown_of_people: str) -> bool:
        """Whether they see who is in it: those who answer for it, and all who work in it where the site shows that."""
        return self.answers or (self.inside and shown_of_people == NAMED)


def looking(project: Project, user: str, *, operator: bool = False) -> Looking:
    """Somebody who looks at a project."""
    return Looking(user, roles_of(project, user), operator)


def state_on(project: Project, today: date) -> State:
    """How a project stands on a day."""
    if project.paused:
        return "paused"
    if project.start and today < project.start:
        return "not-started"
    if project.end and today > project.end:
        return "ended"
    return "active"
