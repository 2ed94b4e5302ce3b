"""``from fabric_lab import session; session()``: this session's facts in a notebook.

Runs in the kernel. ``session()`` is a live widget; saved with the notebook it stays as plain HTML, and as text.
``session.data`` is the same as a dict.
"""

from __future__ import annotations

import html
import os
import time

from .. import client
from ..answers import Facts
from ..common import facts, formats
from ..common.translation import _
from .live_table import LiveTable

EVERY_S = 30.0
KEEP_S = 10.0


def rows(known: Facts, now: float) -> list[tuple[str, str]]:
    """Names and values to show, without what is not known."""
    names = ", ".join(sorted({gpu["name"] for gpu in known["gpus"] if "name" in gpu}))
    gpus = f"{known['gpu_count']}" + (f" ({names})" if names else "")
    ends = ""
    if known["ends_at"] is not None:
        ends = f"{formats.clock(known['ends_at'], now)} ({formats.left(known['ends_at'], now)})"
    all_rows = [
        (_("Project"), known["project_title"] or known["project"]),
        (_("Profile"), known["profile"]),
        (_("Image"), known["image"]),
        (_("Node"), known["node"]),
        (_("GPUs"), gpus),
        (_("Slurm job"), "" if known["job_id"] is None else str(known["job_id"])),
        (_("Ends"), ends),
        (_("Note"), known["problem"]),
    ]
    return [(name, value) for name, value in all_rows if value]


def as_text(known: Facts, now: float) -> str:
    """The facts as lines of text."""
    return "\n".join(f"{name + ':':11}{value}" for name, value in rows(known, now))


def as_html(known: Facts, now: float) -> str:
    """The facts as a table; every value is escaped."""
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;padding-right:1em">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
        for name, value in rows(known, now)
    )
    label = html.escape(_("This session"))
    return f'<table aria-label="{label}">{body}</table>'


class SessionView(LiveTable):
    """A live table of the session's facts; stops when closed."""

    def __init__(self, source: Session, every_s: float = EVERY_S) -> None:
        self._source = source
        super().__init__(lambda: as_html(source.fresh(), time.time()), every_s)

    def __repr__(self) -> str:
        return as_text(self._source.data, time.time())


class Session:
    """This session. Call it for a widget; ``data`` is a dict; printed, it is text."""

    def __init__(self) -> None:
        self._known: Facts | None = None
        self._until = 0.0

    def fresh(self) -> Facts:
        """Ask the hub (at most once in ten seconds) and combine its answer with the job's own environment."""
        if self._known is None or time.monotonic() >= self._until:
            hub, problem = client.call()
            self._known = facts.combine(os.environ, hub, problem, facts.gpu_models())
            self._until = time.monotonic() + KEEP_S
        return self._known

    @property
    def data(self) -> Facts:
        """session, project, profile, image, node, job_id, gpus, gpu_count, ends_at, hub (or None) and problem."""
        return self.fresh()

    def __call__(self, every_s: float = EVERY_S) -> SessionView:
        """A live widget.

        :param every_s: seconds between updates.
        """
        return SessionView(self, every_s)

    def __repr__(self) -> str:
        return as_text(self.data, time.time())


session = Session()
