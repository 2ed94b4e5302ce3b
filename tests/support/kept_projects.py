"""Projects as the catalogue service publishes them, put there by a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fabric_hub.config.settings import Project, Settings
from fabric_hub.projects.document import FORMAT, LoginEnd, as_json
from fabric_hub.projects.live import LiveProjects, projects_file, with_live_projects


def publish(path: Path, serial: int, *, login_ends: Mapping[str, LoginEnd] | None = None, **projects: Project) -> None:
    """Write ``projects.json`` as the catalogue service does, whole and at once."""
    content: dict[str, object] = {
        "format": FORMAT,
        "serial": serial,
        "projects": {name: as_json(one) for name, one in projects.items()},
    }
    if login_ends:
        content["login_ends"] = {name: end.model_dump(exclude_defaults=True) for name, end in login_ends.items()}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.chmod(0o640)
    draft.replace(path)


class KeptProjects:
    """A site whose catalogue service keeps projects; at first it has published none.

    :ivar settings: with live projects.
    """

    def __init__(self, site: Settings, directory: Path) -> None:
        assert site.catalogue is not None
        catalogue = site.catalogue.model_copy(update={"socket": directory / "catalogue.sock"})
        self.settings = with_live_projects(site.model_copy(update={"catalogue": catalogue}))
        self.path = projects_file(catalogue)
        self._serial = 0

    def publish(self, **projects: Project) -> None:
        """From now on these are kept, and read."""
        self.publish_ends({}, **projects)

    def publish_ends(self, login_ends: Mapping[str, LoginEnd], **projects: Project) -> None:
        """The same, and these people's logins end."""
        self._serial += 1
        publish(self.path, self._serial, login_ends=login_ends, **projects)
        assert isinstance(self.settings.project, LiveProjects)
        self.settings.project.look()
