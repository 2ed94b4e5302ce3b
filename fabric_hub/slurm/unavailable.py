"""The error for a Slurm that does not answer."""

from __future__ import annotations

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.slurm_reasons import NOTHING_LOST


class SlurmUnavailableError(FabricError):
    """Slurm (or munge, or its database) did not answer; nothing is known to have changed.

    :param since: Unix time in seconds of the first unanswered question, or None.
    :param hint: what to do next; that of the message unless given, or that nothing is lost.
    """

    def __init__(self, message: Text, *, since: float | None = None, hint: Text | None = None) -> None:
        super().__init__(message, reason="slurm-unavailable", hint=hint or message.hint or NOTHING_LOST(), status=503)
        self.since = since
