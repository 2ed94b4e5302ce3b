"""What a project or a dataset asks of a login, beyond who somebody is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fabric_hub.messages.texts import assurance as texts
from fabric_hub.types import Frozen, matching, said

from .login import AcrValue

AssuranceValue = Annotated[
    str,
    matching(r"[\x21-\x7e]{1,500}"),
    said("one value of eduperson_assurance, without spaces", "https://refeds.org/assurance/IAP/medium"),
]


class Asks(Frozen):
    """A level of assurance and a second factor; what is empty is not asked for."""

    assurance: tuple[AssuranceValue, ...] = Field(
        default=(),
        max_length=20,
        description="The home institution must say one of these of a person (eduperson_assurance; REFEDS Assurance "
        "Framework), such as https://refeds.org/assurance/IAP/medium.",
    )
    acr: tuple[AcrValue, ...] = Field(
        default=(),
        max_length=20,
        description="The login must have been made in one of these ways (acr of the ID token), such as "
        "https://refeds.org/profile/mfa, a second factor.",
    )
    max_age_minutes: int | None = Field(
        default=None,
        ge=1,
        le=527_040,
        description="How long ago the person may have proved who they are (auth_time of the ID token), in minutes.",
    )

    @model_validator(mode="after")
    def _age_of_something(self) -> Asks:
        if self.max_age_minutes is not None and not self.acr:
            raise ValueError(texts.AGE_WITHOUT_ACR())
        return self

    @property
    def anything(self) -> bool:
        """Whether it asks for something at all."""
        return bool(self.assurance or self.acr)
