"""The one kind of error that a user may read.

Everything a person is told - on a page, in a widget, by the REST API, in the
log - is the text of a :class:`FabricError`: what happened to which object,
which limit was met, and what to do next. The same words everywhere.
"""

from __future__ import annotations


class FabricError(Exception):
    """A refusal or a failure, in words that the person concerned can act on.

    :param message: what happened, naming the object and the limit.
    :param reason: a short, stable label for metrics and programs (``budget``).
    :param hint: what to do next; may be empty.
    :param status: the HTTP status with which an API answers it.
    """

    def __init__(self, message: str, *, reason: str, hint: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.hint = hint
        self.status = status

    @property
    def text(self) -> str:
        """Message and hint as one paragraph."""
        return f"{self.message} {self.hint}".strip()

    def __str__(self) -> str:
        return self.text


class SlurmUnavailableError(FabricError):
    """Slurm (or munge, or its database) did not answer; nothing is known to have changed.

    :param since: Unix time in seconds of the first unanswered question, or None.
    """

    def __init__(self, message: str, *, since: float | None = None, hint: str = "") -> None:
        super().__init__(
            message,
            reason="slurm-unavailable",
            hint=hint or "Nothing is lost: sessions keep running, and this page tries again.",
            status=503,
        )
        self.since = since
