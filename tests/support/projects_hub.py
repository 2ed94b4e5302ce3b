"""A hub with projects that its catalogue service keeps, beside those of its file: people of each role."""

from __future__ import annotations

import os
import pwd
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from fabric_hub.config.settings import Members, Project

from .catalogue_thread import settings_of
from .kept_projects import ProjectsThread
from .person import Person
from .small_site import PEOPLE, SmallSite
from .waiting import until

OWNER, MEMBER, VISITOR, STRANGER, LEAVER = PEOPLE[:5]
TODAY = datetime.now().astimezone().date()
KEPT = Project(
    title="Protein folding",
    kind="client",
    account="fh-folding",
    members=Members(owner=(OWNER,), member=(MEMBER, LEAVER), visitor=(VISITOR,)),
    budget_gpu_hours=100,
    end=TODAY + timedelta(days=12),
)
SECRET = Project(title="Bread forecast", account="fh-bread", members=Members(owner=("boss",)))


class ProjectsHub:
    """See the module. ``with`` starts it, and closes it at the end.

    :param directory: one that is not there yet, with a short path.
    :param shown: what people see of each other (``quotas.shown_of_people``).
    """

    def __init__(self, directory: Path, shown: str) -> None:
        directory.mkdir()
        catalogue: dict[str, Any] = {**settings_of(directory), "account": pwd.getpwuid(os.getuid()).pw_name}
        self.site = SmallSite(directory / "site", datasets=catalogue, quotas={"shown_of_people": shown})
        self.kept = ProjectsThread(directory / "site" / "site.toml", self.site.settings, {})
        self.reset()

    def __enter__(self) -> Self:
        try:
            self.kept.up()
            self.site.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.kept.close()
        self.site.close()

    def reset(self) -> None:
        """What one test changed does not reach the next."""
        self.site.reset()
        self.kept.projects = {"folding": KEPT, "bread": SECRET}
        self.kept.asked.clear()
        self.kept.refuses = ""
        self.kept.publish()

    def log_in(self, name: str) -> Person:
        """Somebody who has logged in; the hub knows of the projects that they are in."""
        person = self.site.person(name).log_in()
        if name in (OWNER, MEMBER, VISITOR, LEAVER):
            until(lambda: _as_published(person), f"the hub knows that {name} is in it", 10)
        return person


def _as_published(person: Person) -> bool:
    page = person.browser.get("/hub/projects/folding").text
    return 'id="project-state">Active<' in page and "(in 12 days)" in page
