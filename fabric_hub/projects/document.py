"""What the catalogue service publishes of the projects that it keeps: ``projects.json``. Pure.

The file lies beside the catalogue service's socket, in a directory that hub and gateway may read and nobody else.
Projects of the site's file are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from fabric_hub.config.settings import Project
from fabric_hub.types import Frozen, Slug

FORMAT = 1
FILE = "projects.json"


class LoginEnd(Frozen):
    """What somebody logged in with before ``at`` (Unix seconds) is void; ``blocked`` is why they may not again."""

    at: float
    blocked: str = ""


class ProjectsDocument(Frozen):
    """The projects that the catalogue service keeps; ``serial`` rises with every change.

    ``login_ends``: whose logins end, and who is blocked, by name at the hub.
    """

    format: int = FORMAT
    serial: int = 0
    projects: dict[Slug, Project] = Field(default_factory=dict)
    login_ends: dict[str, LoginEnd] = Field(default_factory=dict)

    @property
    def blocked(self) -> frozenset[str]:
        """Who may not log in, and is in no project meanwhile."""
        return frozenset(name for name, end in self.login_ends.items() if end.blocked)


def document(content: Mapping[str, Any], before: ProjectsDocument) -> ProjectsDocument:
    """A document from its JSON. A project that is as before is not checked again: of a thousand, one changes.

    :raises ValueError: this release does not understand it; what is the matter.
    """
    if content.get("format") != FORMAT:
        raise ValueError(f"its format is {content.get('format')!r}, not {FORMAT}")
    projects, serial = content.get("projects"), content.get("serial")
    if not isinstance(projects, Mapping) or not isinstance(serial, int):
        raise ValueError("it has no projects or no serial")
    made: dict[str, Project] = {}
    for name, found in projects.items():
        known = before.projects.get(name)
        try:
            made[name] = known if known is not None and as_json(known) == found else Project.model_validate(found)
        except ValidationError as error:
            raise ValueError(f"project {name}: {error.errors()[0]['msg']}") from error
    try:
        ends = {name: LoginEnd.model_validate(end) for name, end in dict(content.get("login_ends", {})).items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"its login_ends cannot be understood: {error}") from error
    return ProjectsDocument.model_construct(format=FORMAT, serial=serial, projects=made, login_ends=ends)


def as_json(project: Project) -> dict[str, Any]:
    """A project as it stands in the document."""
    return project.model_dump(mode="json", exclude_defaults=True)
