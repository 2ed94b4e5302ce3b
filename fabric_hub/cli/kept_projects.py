"""What ``fabric-hub doctor`` says of the projects that the catalogue service keeps: may hub and gateway read them?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.messages.texts import doctor as doctor_texts
from fabric_hub.messages.texts import kept_projects as texts
from fabric_hub.projects.live import LiveProjects, projects_file

from .findings import Finding, problem, right, skipped

_GROUP_READS, _GROUP_ENTERS = 0o040, 0o050


def of_site(found: Settings) -> Iterator[Finding]:
    """The file ``projects.json`` of a site with a catalogue service.

    :param found: with live projects.
    """
    if found.catalogue is None or not isinstance(found.project, LiveProjects):
        return
    path = projects_file(found.catalogue)
    told = {"path": str(path), "directory": str(path.parent), "account": found.catalogue.account}
    try:
        closed = not readable_for_hub(path, found.hub.state_dir)
    except PermissionError:
        yield skipped(texts.PROJECTS_FILE(**told), doctor_texts.MAY_NOT_LOOK(), doctor_texts.AS_ROOT())
        return
    except OSError:
        yield problem(texts.PROJECTS_FILE_MISSING(**told))
        return
    found.project.look()
    if closed:
        yield problem(texts.PROJECTS_FILE_CLOSED(**told))
    elif not found.project.known:
        yield problem(texts.PROJECTS_FILE_WRONG(**told, why=found.project.trouble))
    else:
        yield right(texts.PROJECTS_KEPT(**told, n=sum(map(found.project.is_kept, found.project))))


def readable_for_hub(path: Path, state_dir: Path) -> bool:
    """Whether the hub's group, in which the gateway is, may read a file; one of the hub's own account it may.

    :param state_dir: the hub's, which says who that is.
    :raises OSError: it is not there, or may not be looked at.
    """
    file, directory, hub = path.stat(), path.parent.stat(), state_dir.stat()
    if file.st_uid == hub.st_uid:
        return True
    enters = directory.st_gid == hub.st_gid and directory.st_mode & _GROUP_ENTERS == _GROUP_ENTERS
    return enters and file.st_gid == hub.st_gid and bool(file.st_mode & _GROUP_READS)
