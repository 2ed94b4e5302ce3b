"""The part of the site's file that is about quotas; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .model import AbsolutePath, Frozen, Slug


class StorageSettings(Frozen):
    """A file system whose quota people see, by its own tool."""

    title: str = Field(default="", description="What people read; empty: the path.")
    kind: Literal["lustre", "quota", "project"] = Field(
        description="lustre: lfs quota. quota: a user's quota of ext4, XFS or NFS (quota). project: a project's quota "
        "(quota --project), which the kernel tells root only of its own ext4 and XFS: see program."
    )
    path: AbsolutePath = Field(description="Where the file system is mounted on the gateway's host.")
    project: Annotated[
        str, Field(pattern=r"^(?:(?:[A-Za-z0-9_]|\{user\}|\{uid\})(?:[A-Za-z0-9_.-]|\{user\}|\{uid\}){0,63})?$")
    ] = Field(
        default="",
        description="Name or number of the project whose quota it is; {user} and {uid} are the Unix account's. "
        "Needed for kind = project, possible for lustre; empty: the user's own quota.",
    )
    program: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="The tool and what comes before its own arguments; default: /usr/bin/lfs or /usr/bin/quota. "
        'For kind = project: a way to run it as root, as ["/usr/bin/sudo", "-n", "/usr/bin/quota"].',
    )

    @model_validator(mode="after")
    def _whose(self) -> StorageSettings:
        if self.kind == "project" and not self.project:
            raise ValueError("project is required for kind = project")
        if self.kind == "quota" and self.project:
            raise ValueError("kind = quota tells a user's own quota: leave project out, or use kind = project")
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
