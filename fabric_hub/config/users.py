"""The part of the site's file that is about Unix accounts and what they may have; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import Frozen, said

Umask = Annotated[str, Field(pattern=r"^0?[0-7]{3}$"), said("three octal digits in quotation marks", "022")]


class UserSettings(Frozen):
    """Hub users and Unix accounts."""

    unix_name: str = Field(default="{user}", description="Unix account of a hub user; {user} is the hub's name.")
    shared_account: bool = Field(
        default=False, description="Everybody runs as the account of the hub itself: nobody is separated. Demo only."
    )
    home: str = Field(default="", description="Home directory; {user} is the hub's name. Empty: from the passwd entry.")
    umask: Umask = Field(
        default="022",
        description="The umask of sessions, in octal, as people's own login shells and sbatch have it; a session's "
        "private files are closed to others whatever it is.",
    )
    min_uid: int = Field(default=1000, ge=1, description="Accounts below are never used.")
    session_dir: str = Field(
        default="{home}/.fabric-hub",
        description="Where a session keeps its private files and log; on a shared file system.",
    )
    max_sessions: int = Field(
        default=10,
        ge=1,
        description="Sessions of one user at once, those that wait in the queue among them; one more is refused. A "
        "session and its alternative, of which one is to run, count once.",
    )
    rescue_dir: str = Field(
        default="",
        description="Where a rescue session (quotas.rescue_profile) keeps them, to start when the home directory is "
        "full: with {user} in it, on a shared file system without people's quotas; its parent is open to everybody "
        "as /tmp is (mode 1777). Empty: there is no rescue from a full home directory.",
    )

    @model_validator(mode="after")
    def _rescue_elsewhere(self) -> UserSettings:
        if self.rescue_dir and not (self.rescue_dir.startswith("/") and "{user}" in self.rescue_dir):
            raise ValueError(texts.RESCUE_DIR(path=self.rescue_dir))
        return self
