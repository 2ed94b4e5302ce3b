"""What members of a project are told to ask its owner, and who that owner asks. Pure."""

from __future__ import annotations

from fabric_hub.config.settings import Project, Settings


def said_to(user: str, project: Project | None, text: str) -> str:
    """A sentence that was written for members, as this user is to read it: an owner asks the operators.

    :param project: None: it is no longer in the site's file, and nobody is known to be its owner.
    """
    if project is None or user not in project.members.owner:
        return text
    return text.replace("Ask its owner", "Ask the operators").replace("the owner of the project", "the operators")


def warned_to(user: str, settings: Settings, subject: str, text: str) -> str:
    """The text of a warning as this user is to read it.

    :param subject: what the warning is about, as :func:`project_of` takes it.
    """
    return said_to(user, project_of(settings, subject), text)


def project_of(settings: Settings, subject: str) -> Project | None:
    """The project whose budget, or a user's in it, is the subject of a warning; None for storage."""
    kind, _, rest = subject.partition(":")
    return settings.project.get(rest.partition("/")[0]) if kind in ("project", "user") else None
