"""The one kind of error that a user may read.

Everything a person is told - on a page, in a widget, by the REST API - is the text of a :class:`FabricError`: what
happened to which object, which limit was met, and what to do next. What knows the reader says it in their language
(:mod:`fabric_hub.messages`); the log has it in English.
"""

from __future__ import annotations

from typing import Any, Protocol


class Sayable(Protocol):
    """A fact that can be said to whoever reads (:class:`fabric_hub.messages.text.Text`); as ``str`` it is English."""

    def say(self) -> str: ...


class FabricError(Exception):
    """A refusal or a failure, in words that the person concerned can act on.

    :param message: what happened, naming the object and the limit: a text of :mod:`fabric_hub.messages.texts`, which
        has label, status and hint of its own; or, from programs that operators run, a sentence.
    :param reason: a short, stable label for metrics and programs (``budget``).
    :param hint: what to do next; may be empty.
    :param status: the HTTP status with which an API answers it.
    """

    def __init__(
        self,
        message: Sayable | str,
        *,
        reason: str = "",
        hint: Sayable | str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        kind: Any = getattr(message, "reason", None)
        self.said, self.advice = message, getattr(message, "hint", None) or "" if hint is None else hint
        self.reason: str = reason or (kind.label if kind else "")
        self.status: int = status or (kind.status if kind else 400)

    @property
    def message(self) -> str:
        """What happened, in English."""
        return str(self.said)

    @property
    def hint(self) -> str:
        """What to do next, in English."""
        return str(self.advice)

    @property
    def text(self) -> str:
        """Message and hint as one paragraph, in English."""
        return f"{self.message} {self.hint}".strip()

    def say(self) -> str:
        """Message and hint as one paragraph, for whoever reads what is made now."""
        return " ".join(part for part in map(_said, (self.said, self.advice)) if part)

    def __str__(self) -> str:
        return self.text


def _said(part: Sayable | str) -> str:
    return part if isinstance(part, str) else part.say()
