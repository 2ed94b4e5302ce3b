"""A FabricError as JupyterHub shows it: the same words on the page, in the log and in the API."""

from __future__ import annotations

from collections.abc import Sequence

from jupyterhub.spawner import SpawnException
from markupsafe import Markup, escape

from fabric_hub.errors import FabricError
from fabric_hub.launch.options import RESCUE

from .limits import OfferError, OverLimitError


class SessionFailure(SpawnException):  # type: ignore[misc]
    """A refused or failed start, with the job's last log lines where there are any."""

    def __init__(self, error: FabricError, log: Sequence[str] = ()) -> None:
        html = as_html(error, log)
        super().__init__(error.text, reason=error.reason, message_html=html, status_code=error.status)
        self.error = error
        self.session_log = tuple(log)
        # read by jupyterhub.utils.format_exception
        self.jupyterhub_message = error.text
        self.jupyterhub_html_message = html


def as_html(error: FabricError, log: Sequence[str] = ()) -> str:
    """The sentence, what to do next, and the last lines of the log; everything escaped."""
    same = error.same_warning if isinstance(error, OverLimitError) else ""
    also = Markup(' data-warning="{}"').format(same) if same else Markup("")
    parts = [
        Markup('<span class="fabric-error" data-reason="{}"{}>{}</span>').format(error.reason, also, error.message)
    ]
    if error.hint:  # the space is for whoever copies the sentences, or has them read out
        parts.append(Markup(' <br><span class="fabric-hint">{}</span>').format(error.hint))
    if isinstance(error, OfferError) and error.rescue:
        # of a form of its own on the page (spawn.html): in the start form it would be what the Enter key presses
        parts.append(
            Markup(
                '<br><button type="submit" form="fabric-rescue-form" name="{}" value="{}/{}" '
                'class="btn btn-sm btn-danger mt-2" id="fabric-rescue">Start a rescue session</button>'
            ).format(RESCUE, error.project, error.rescue)
        )
    if log:
        parts.append(
            Markup(
                '<details open class="fabric-log text-start"><summary>Last lines of the session\'s log</summary>'
                "<pre>{}</pre></details>"
            ).format("\n".join(log))
        )
    return str(escape("") + Markup("").join(parts))
