"""Asking the hub's service whether this session goes on, before anything of a person's runs in its job.

A person may have two sessions in the queue of which one is to run: whichever job asks first goes on, and the other is
over. The question is asked beside the start's other work, which it does not make slower.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

from ..client import HubClient
from ..common.environment import LaunchError
from ..common.translation import _, sentences
from .announce import RETRY_FOR_S, pauses, refusal

# Set by a hub that wants to be asked; an earlier one does not know the question.
WANTED = "FABRIC_ASK_TO_BEGIN"
ASKED_S = 20.0


class Permission:
    """Asked for from now on; :meth:`wait` for the answer before a person's files are read.

    :param environment: the session's; without :data:`WANTED` in it nobody is asked.
    :param retry_for_s: how long a service that does not answer is waited for.
    :param say: takes one line of the log at a time.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        retry_for_s: float = RETRY_FOR_S,
        say: Callable[[str], None] = print,
    ) -> None:
        self._client = HubClient(dict(environment), environment.get("JUPYTERHUB_API_TOKEN"))
        self._retry_for_s, self._say = retry_for_s, say
        self._refused: LaunchError | None = None
        self._thread = threading.Thread(target=self._ask, name="fabric-permission", daemon=True)
        self._wanted = bool(environment.get(WANTED))
        if self._wanted:
            self._thread.start()

    def wait(self) -> None:
        """Return once the session goes on.

        :raises LaunchError: it does not, or nobody has said so in time.
        """
        if self._wanted:
            self._thread.join()
        if self._refused is not None:
            raise self._refused

    def _ask(self) -> None:
        give_up = time.monotonic() + self._retry_for_s
        for tries, pause in enumerate(pauses(), 1):
            answer = self._client.ask("/begin", "POST", timeout_s=ASKED_S)
            if answer.body is not None:
                return
            if refusal(answer.status):
                ended = _("This session is over before it began (HTTP {status}): {why}")
                self._refused = LaunchError(ended.format(status=answer.status, why=answer.problem))
                return
            if time.monotonic() + pause > give_up:
                late = _(
                    "The hub's service at {address} did not say within {seconds} s whether this session may begin "
                    "({problem})."
                ).format(address=self._client.url, seconds=f"{self._retry_for_s:g}", problem=answer.problem)
                self._refused = LaunchError(
                    sentences(late, _("This job ends now; is the hub running, and can this node reach it?"))
                )
                return
            if tries == 1 or pause > 5:
                silent = _("The hub's service at {address} does not answer yet ({problem}); trying again.")
                self._say(silent.format(address=self._client.url, problem=answer.problem))
            time.sleep(pause)


def asked(environment: Mapping[str, str] = os.environ) -> Permission:
    """Ask for this process's session, with a log that is read line by line."""
    return Permission(environment, say=lambda line: print(line, flush=True))
