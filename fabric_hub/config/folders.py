"""The part of the site's file that is about the projects' folders; :mod:`.settings` reads it."""

from __future__ import annotations

from pydantic import Field

from fabric_hub.types import AbsolutePath, Frozen


class FoldersSettings(Frozen):
    """A folder of each project that has a service account: see docs/how-to/project-folder.md."""

    directory: AbsolutePath = Field(
        description="Where they are, each DIRECTORY/PROJECT, on a file system with POSIX ACLs that the gateway's host "
        "and the nodes share. The directory is root's, and nobody else may write in it; "
        "`fabric-hub projects folder` makes the folders."
    )
    interval_s: float = Field(
        default=10.0,
        ge=1,
        le=30,
        description="How often each folder's entries are compared with its project's people, besides whenever a "
        "project changes.",
    )
    measure_hours: float = Field(
        default=6.0,
        ge=0.01,
        le=168,
        description="How often what a folder holds is added up, where no quota of quotas.storage tells it.",
    )
