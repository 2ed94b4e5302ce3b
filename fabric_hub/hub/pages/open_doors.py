"""Which doors stay open to somebody who is removed from a project, and for how long. Pure."""

from __future__ import annotations

import math

from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_pages as texts


def open_doors(settings: Settings, login_days: float) -> tuple[Text, ...]:
    """What a project's owners are told beside the people of the project; nothing where all doors close in a minute.

    :param login_days: how long a login at the hub lasts at most.
    """
    found = []
    if settings.slurm is not None and settings.slurm.projects == "outside":
        found.append(texts.SLURM_OUTSIDE())
    if settings.login.provider:
        found.append(texts.CLAIMS_FROZEN(n=max(1, math.ceil(login_days))))
    return tuple(found)
