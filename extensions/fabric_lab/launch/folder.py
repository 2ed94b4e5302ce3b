"""The project's folder of a session, as a link in the home directory: ``~/projects/NAME``.

JupyterLab's file browser shows what is below the home directory, and follows links. Only a link that is not there yet
is made, and only to a folder that lets this person in; whatever else is in its place stays.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

DIRECTORY = "FABRIC_FOLDERS_DIR"
FOLDER = "FABRIC_PROJECT_FOLDER"
PLACE = "projects"


def show(environment: MutableMapping[str, str], home: Path) -> Path | None:
    """Name the folder of the session's project in the environment, and link to it from the home directory.

    :returns: the link; None where there is no folder that lets this person in, or no room for a link.
    """
    above, project = environment.get(DIRECTORY), environment.get("FABRIC_PROJECT")
    if not above or not project or "/" in project or project in (".", ".."):
        return None
    folder = Path(above, project)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return None
    environment[FOLDER] = str(folder)
    link = home / PLACE / project
    if environment.get("FABRIC_RESCUE"):
        return None  # nothing is written in a home that may be full
    try:
        link.parent.mkdir(mode=0o755, exist_ok=True)
        if not os.path.lexists(link):
            link.symlink_to(folder)
    except OSError as error:
        print(f"{link} cannot be made: {error.strerror}. The project's folder is {folder}.", flush=True)
        return None
    return link if link.is_symlink() and Path(os.readlink(link)) == folder else None
