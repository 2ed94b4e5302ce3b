"""The site's own programs that are told of something (mail, chat, tickets): an argument list, JSON on standard input.

No shell, a time limit, an environment of two variables, and nobody waits for it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from fabric_hub.config.quotas import QuotasSettings
from fabric_hub.unix import command

log = logging.getLogger(__name__)

_SAID_MOST = 4096


class Outcome(Enum):
    """Whether a program took what it was told; one that was killed for its time may have."""

    TOOK = "took"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Answer(NamedTuple):
    """A program's outcome, and what there is to say of it (English)."""

    outcome: Outcome
    why: str = ""


async def tell(settings: QuotasSettings, message: Mapping[str, object]) -> bool:
    """Run the hook for warnings once; whether it took the message. A failure is logged with what it said."""
    return (await run(settings.hook, settings.hook_timeout_s, message)).outcome is Outcome.TOOK


async def run(hook: Sequence[str], timeout_s: float, message: Mapping[str, object]) -> Answer:
    """Run a hook once.

    :param hook: the program and its arguments.
    :param timeout_s: seconds after which it is killed.
    :returns: whether it took the message. A failure is logged, too, with what the program said.
    """
    name = hook[0]
    try:
        done = await command.run(
            hook,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            timeout_s=timeout_s,
            stdin=json.dumps(message).encode(),
            max_output=_SAID_MOST,
        )
    except OSError as error:
        return _logged(Outcome.REFUSED, f"The hook {name} cannot be run: {error.strerror}")
    except (command.TimedOutError, command.TooMuchOutputError) as error:
        return _logged(Outcome.UNKNOWN, f"The hook {name} was killed: {error}")
    if done.returncode == 0:
        return Answer(Outcome.TOOK)
    said = done.words[-500:]
    return _logged(Outcome.REFUSED, f"The hook {name} ended with status {done.returncode}{f': {said}' if said else ''}")


def _logged(outcome: Outcome, why: str) -> Answer:
    log.warning("%s", why)
    return Answer(outcome, why)
