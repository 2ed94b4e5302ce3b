"""The part of the site's file that is about what is kept of people; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabric_hub.types import Frozen, said

PurposeName = Literal[
    "login", "sessions", "usage", "support", "access", "proof", "comfort", "notices", "operation", "safety"
]
Basis = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$"),
    said("one line of at most 200 characters", "public task, GDPR article 6(1)(e)"),
]


class PrivacySettings(Frozen):
    """How long people are named in what is over, and on what basis. The rest stands in the register of personal
    fields (`fabric-hub privacy register`)."""

    keep_days: int = Field(
        default=730,
        ge=40,
        le=3650,
        description="After so many days ended sessions and daily usage are on record without the person: sums stay.",
    )
    basis: dict[PurposeName, Basis] = Field(
        default={},
        description="The legal basis of each purpose, as the register says it; default: a reference to the site's "
        "privacy statement (site.privacy_url).",
    )
