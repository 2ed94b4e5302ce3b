"""The site's own program that is told of each warning (mail, chat): its argument list, JSON on standard input.

No shell, a time limit, an environment of two variables, and nobody waits for it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping

from fabric_hub.config.quotas import QuotasSettings
from fabric_hub.unix import command

log = logging.getLogger(__name__)

_SAID_MOST = 4096


async def tell(settings: QuotasSettings, message: Mapping[str, object]) -> bool:
    """Run the hook once; whether it took the message. A failure is logged with what it said."""
    name = settings.hook[0]
    try:
        done = await command.run(
            settings.hook,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            timeout_s=settings.hook_timeout_s,
            stdin=json.dumps(message).encode(),
            max_output=_SAID_MOST,
        )
    except OSError as error:
        log.warning("The hook %s cannot be run: %s", name, error.strerror)
    except (command.TimedOutError, command.TooMuchOutputError) as error:
        log.warning("The hook %s was killed: %s", name, error)
    else:
        if done.returncode == 0:
            return True
        said = done.words[-500:]
        log.warning("The hook %s ended with status %d%s", name, done.returncode, f": {said}" if said else "")
    return False
