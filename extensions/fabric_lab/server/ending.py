"""What the server tells all browser tabs at once: that the session is about to end, or that something is worth asking.

Slurm signals the job shortly before its time limit. Of a preemption with a time of grace the job hears nothing until it
is killed, unless PreemptParameters has send_user_signal: the end that the hub is told of is nearer from one moment to
the next. So it is where an operator ends the session. All of it goes to the tabs through Jupyter's own events, and into
what they ask for anyway.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from ..common.translation import _

SIGNAL = signal.SIGUSR1
# An end so near is about to come: as long as the signal comes before the time limit (the gateway's END_SIGNAL_S).
SOON_S = 120.0
SCHEMA = "https://fabric-lab.example/session/v1"


class Ending:
    """``since`` is when Slurm's signal came, or the end came near, in Unix seconds; None while neither is so.

    :param say: takes a line of the session's log.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.since: float | None = None
        self._say = say
        self._events: Any = None
        self._told: float | None = None  # since when the end is near by the hub's word alone, which may change

    def listen(self, loop: Any) -> None:
        """Catch the signal, on an asyncio loop of the main thread. Without this, it would end the process."""
        loop.add_signal_handler(SIGNAL, self._caught)

    def speak_through(self, events: Any) -> None:
        """Tell tabs through a Jupyter server's event logger from now on."""
        events.register_event_schema(
            {
                "$id": SCHEMA,
                "version": "1",
                "title": "Fabric session",
                "description": "something about this session changed: ask it",
                "type": "object",
                "required": ["what"],
                "properties": {"what": {"enum": ["ending", "changed"]}},
            }
        )
        self._events = events

    def notify(self, what: str = "changed") -> None:
        """Let every tab ask now instead of in half a minute."""
        if self._events is not None:
            self._events.emit(schema_id=SCHEMA, data={"what": what})

    def known(self, ends_at: float | None, now: float) -> None:
        """The end as the hub has it now, by Slurm's word or an operator's; Unix seconds."""
        soon = ends_at is not None and ends_at - now <= SOON_S
        if self.since is None and ends_at is not None and soon:
            said = _("This session ends in about {seconds} s: open notebooks are being saved.")
            self._begin(said.format(seconds=f"{max(0.0, ends_at - now):.0f}"))
            self._told = self.since
        elif not soon and ends_at is not None and self.since is not None and self.since == self._told:
            self.since = self._told = None  # an operator took it back
            self.notify()

    def _caught(self) -> None:
        self._told = None
        self._begin(_("Slurm ends this session in about two minutes: open notebooks are being saved."))

    def _begin(self, text: str) -> None:
        if self.since is None:
            self.since = time.time()
            self._say(text)
        self.notify("ending")
