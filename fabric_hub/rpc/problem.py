"""How a refusal or a failure travels between our processes."""

from __future__ import annotations

from typing import Self

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.types import Frozen


def name_of(who: str) -> str:
    """The code of a daemon that is called so in words: "catalogue service" is ``catalogue``."""
    return who.partition(" ")[0]


class Problem(Frozen):
    """The body of every error answer of our APIs.

    ``message`` and ``hint`` are sentences in the language that was asked for; ``said`` and ``advice`` are the same as
    codes with parameters, where they have any.
    """

    message: str
    reason: str
    hint: str = ""
    since: float | None = None
    said: Text | None = None
    advice: Text | None = None

    @classmethod
    def of(cls, error: FabricError) -> Self:
        """An error as a body, for whoever reads what is made now."""
        said, advice = (part if isinstance(part, Text) else None for part in (error.said, error.advice))
        return cls(
            message=said.say() if said else error.message,
            reason=error.reason,
            hint=advice.say() if advice else error.hint,
            since=getattr(error, "since", None),
            said=said,
            advice=advice,
        )

    @property
    def parts(self) -> tuple[Text | str, Text | str]:
        """What happened, and what to do next: as a text, where it is one."""
        return self.said or self.message, self.advice or self.hint

    def error(self, status: int) -> FabricError:
        """The error that it was."""
        said, advice = self.parts
        return FabricError(said, reason=self.reason, hint=advice, status=status)
