"""When the people of a project are told that it ends. Pure."""

from __future__ import annotations

from datetime import date
from typing import Final

from fabric_hub.config.settings import Project
from fabric_hub.messages.texts import project_pages as texts
from fabric_hub.messages.texts.projects import ITS_OWNER

from .forecast import Threshold
from .schemas import Level

# So many days before a project's last day, and how much it presses.
END_DAYS: Final[tuple[tuple[int, Level], ...]] = ((90, "info"), (30, "warning"), (7, "danger"))


def end_passed(name: str, project: Project, today: date) -> Threshold | None:
    """The narrowest threshold before a project's end that is passed; None without one, or once it has ended."""
    left = days_left(project, today)
    passed = [known for known in END_DAYS if left is not None and 0 <= left <= known[0]]
    if not passed or project.end is None:
        return None
    days, level = min(passed)
    told = {"project": project.title or name, "whom": ITS_OWNER()}
    text = texts.ENDS_SOON(n=left, day=project.end.isoformat(), **told) if left else texts.ENDS_TODAY(**told)
    # by its day, too: an end that was moved is told anew
    return Threshold(subject=f"project:{name}", name=f"end-{days}-{project.end.isoformat()}", level=level, text=text)


def days_left(project: Project, today: date) -> int | None:
    """Days until a project's last day: 0 on that day, less afterwards; None where it has no end."""
    return (project.end - today).days if project.end else None
