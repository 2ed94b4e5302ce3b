"""What a feed tells: the latest content of a source, and whether the source answers."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Self

from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.types import Frozen


class FeedValue(Frozen):
    """What a process knows of a source at one moment, for everybody who follows it (:mod:`.feed`).

    ``serial`` is another one with every other content. While the source does not answer, ``unavailable_since`` (Unix
    seconds) says since which question, and ``problem`` says how (empty: it answers); the content is then the last one.
    """

    # Fields that are no content: a value that differs in these alone is no news.
    TIMES: ClassVar[frozenset[str]] = frozenset({"serial", "now"})

    serial: int = 0
    now: float = 0.0  # the clock of the process that knows it, when this was sent
    unavailable_since: float | None = None
    problem: Text = NOTHING

    @property
    @abstractmethod
    def asked_at(self) -> float | None:
        """When the source was asked for this content (Unix seconds); None: it has not answered yet."""

    def unavailable(self, problem: Text, at: float) -> Self:
        """The same content, marked: the source did not answer.

        :param at: when (Unix seconds); an outage that is marked already began before.
        """
        since = at if self.unavailable_since is None else self.unavailable_since
        return self.model_copy(update={"unavailable_since": since, "problem": problem})

    def same_as(self, other: Self) -> bool:
        """Whether the content is the same, and available or not since the same moment."""
        names = type(self).model_fields.keys() - self.TIMES
        return all(getattr(self, name) == getattr(other, name) for name in names)
