"""What members of a project are told to ask its owner, and who that owner asks. Pure."""

from __future__ import annotations

from ..quotas.told import Warned
from ..settings import Project, Settings


def said_to(user: str, project: Project | None, text: str) -> str:
    """A sentence that was written for members, as this user is to read it: an owner asks the operators.

    :param project: None: it is no longer in the site's file, and nobody is known to be its owner.
    """
    if project is None or user not in project.members.owner:
        return text
    return text.replace("Ask its owner", "Ask the operators").replace("the owner of the project", "the operators")


def warned_to(user: str, settings: Settings, warned: Warned) -> Warned:
    """A warning as this user is to read it."""
    return warned.model_copy(update={"text": said_to(user, project_of(settings, warned.subject), warned.text)})


def project_of(settings: Settings, subject: str) -> Project | None:
    """The project whose budget, or a user's in it, is the subject of a warning; None for storage."""
    kind, _, rest = subject.partition(":")
    return settings.project.get(rest.partition("/")[0]) if kind in ("project", "user") else None
