"""A FabricError as JupyterHub shows it: on the page and in the API for whoever looks, in the log in English."""

from __future__ import annotations

from collections.abc import Sequence

from jupyterhub.spawner import SpawnException
from markupsafe import Markup, escape
from tornado.web import HTTPError

from fabric_hub.errors import FabricError
from fabric_hub.launch.options import RESCUE
from fabric_hub.messages import html
from fabric_hub.messages.logs import coded
from fabric_hub.messages.text import Text, sentences
from fabric_hub.messages.translation import gettext as _
from fabric_hub.rpc.problem import Problem

from .limits import OfferError, OverLimitError


class SessionFailure(SpawnException):  # type: ignore[misc]
    """A refused or failed start, with the job's last log lines where there are any.

    :ivar session: the id of its session; "": it came to none.
    """

    def __init__(self, error: FabricError, log: Sequence[str] = (), session: str = "") -> None:
        super().__init__(error.text, log_message=coded(error), reason=error.reason, status_code=error.status)
        self.error = error
        self.session_log = tuple(log)
        self.session = session

    # A start is waited for by whoever opens its page: JupyterHub reads these each time that it shows the failure
    # (jupyterhub.utils.format_exception).

    @property
    def jupyterhub_message(self) -> str:
        """What is said in the API, for whoever reads it now."""
        return self.error.say()

    @property
    def jupyterhub_html_message(self) -> str:
        """What a page shows, for whoever reads it now."""
        return as_html(self.error, self.session_log)


class RefusedRequestError(HTTPError):
    """A request that is refused: on the page and in the API for whoever asked, in the log in English with its code.

    :param hint: whether it is also said what to do next.
    """

    def __init__(self, why: Text, *, hint: bool = False) -> None:
        super().__init__(why.reason.status, "%s", coded(why))
        self.jupyterhub_message = (sentences(why, why.hint) if hint else why).say()


def as_html(error: FabricError, log: Sequence[str] = ()) -> str:
    """The sentence, what to do next, and the last lines of the log; everything escaped; for whoever reads."""
    message, hint = (html.as_html(part) for part in Problem.of(error).parts)
    same = error.same_warning if isinstance(error, OverLimitError) else ""
    also = Markup(' data-warning="{}"').format(same) if same else Markup("")
    parts = [Markup('<span class="fabric-error" data-reason="{}"{}>{}</span>').format(error.reason, also, message)]
    if hint:  # the space is for whoever copies the sentences, or has them read out
        parts.append(Markup(' <br><span class="fabric-hint">{}</span>').format(hint))
    if isinstance(error, OfferError) and error.rescue:
        # of a form of its own on the page (spawn.html): in the start form it would be what the Enter key presses
        parts.append(
            Markup(
                '<br><button type="submit" form="fabric-rescue-form" name="{}" value="{}/{}" '
                'class="btn btn-sm btn-danger mt-2" id="fabric-rescue">{}</button>'
            ).format(RESCUE, error.project, error.rescue, _("Start a rescue session"))
        )
    if log:
        parts.append(
            Markup(
                '<details open class="fabric-log text-start"><summary>{what}</summary>'
                '<pre tabindex="0" role="region" aria-label="{what}">{lines}</pre></details>'
            ).format(what=_("Last lines of the session's log"), lines="\n".join(log))
        )
    return str(escape("") + Markup("").join(parts))
