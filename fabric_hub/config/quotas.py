"""The part of the site's file that is about quotas; :mod:`.settings` reads it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import AbsolutePath, Frozen, Slug, said

# What stands for a name of the Unix account, or of a project of the site's file and its Slurm account.
_OF_USER, _OF_PROJECT = ("{user}", "{uid}"), ("{project}", "{account}")
_NAME = r"\{(?:user|uid|project|account)\}"
_PROJECT_PATTERN = rf"^(?:(?:[A-Za-z0-9_]|{_NAME})(?:[A-Za-z0-9_.-]|{_NAME}){{0,63}})?$"
QuotaProject = Annotated[
    str,
    Field(pattern=_PROJECT_PATTERN),
    said("a project's name or number; {project}, {account}, {user} and {uid} stand for names", "{project}"),
]


class StorageSettings(Frozen):
    """A file system whose quota people see, by its own tool.

    In title, path and project {user} and {uid} are the Unix account's; {project} and {account} are a project of the
    site's file and its Slurm account: the quota of each of a user's projects is then told, to its members.
    """

    title: str = Field(default="", description="What people read; empty: the path.")
    kind: Literal["lustre", "quota", "project"] = Field(
        description="lustre: lfs quota. quota: a user's quota of ext4, XFS or NFS (quota). project: a project's quota "
        "(quota --project), which the kernel tells root only of its own ext4 and XFS: see program."
    )
    path: AbsolutePath = Field(
        description="Where the file system is mounted on the gateway's host; {user}, {uid}, {project} and {account} "
        "are names."
    )
    project: QuotaProject = Field(
        default="",
        description="Name or number of the project whose quota it is; {project} and {account}: of each of a user's "
        "projects; {user} and {uid}: the Unix account's. Names are those of /etc/projid on the gateway's host. Needed "
        "for kind = project, possible for lustre; empty: the user's own quota.",
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="When the tool is ended, because the file system hangs."
    )
    program: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="The tool and what comes before its own arguments; default: /usr/bin/lfs or /usr/bin/quota. "
        'For kind = project: a way to run it as root, as ["/usr/bin/sudo", "-n", "/usr/bin/quota"].',
    )

    @property
    def of_projects(self) -> bool:
        """Whether each project of a user's has a quota of its own there."""
        return any(name in text for name in _OF_PROJECT for text in (str(self.path), self.project))

    @model_validator(mode="after")
    def _whose(self) -> StorageSettings:
        if re.search(r"[{}]", re.sub(_NAME, "", str(self.path))):
            raise ValueError(texts.BRACES(known=(*_OF_USER, *_OF_PROJECT)))
        if self.kind == "project" and not self.project:
            raise ValueError(texts.QUOTA_PROJECT())
        if self.kind == "quota" and self.project:
            raise ValueError(texts.QUOTA_OF_USER())
        return self


class QuotasSettings(Frozen):
    """Usage and budgets: who is told what, and when."""

    rescue_profile: Slug | None = Field(
        default=None,
        description="A small profile without GPUs that every project has, offered to who is over a limit: "
        "to save files and clean up.",
    )
    storage: tuple[StorageSettings, ...] = Field(
        default=(), description="File systems whose quotas people see; see quotas.storage."
    )
    warn_days: tuple[Annotated[float, Field(gt=0, le=366)], ...] = Field(
        default=(14, 7, 2), description="Tell people when a budget lasts no longer than so many days, once each."
    )
    shown_of_people: Literal["off", "aggregated", "named"] = Field(
        default="aggregated",
        description="What people of a project see of each other on its page. off: the project's totals. aggregated: "
        "also how many people used GPUs, and how many are in it. named: also names, each person's GPU-hours by day, "
        "and what runs of whom. Who owns a project always sees who is in it; each reads what is shown of them.",
    )
    warn_storage_percent: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(
        default=(80, 95), description="Tell people when storage is this full, once each."
    )
    hook: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="A program of the site's own and its arguments, run for each warning (JSON on standard input) "
        "as the hub's user: mail, chat. No shell.",
    )
    hook_timeout_s: float = Field(
        default=20.0, gt=0, le=600, description="When the hook is killed, and run again later."
    )
