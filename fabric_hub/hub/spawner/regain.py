"""A session of an earlier hub, when a hub has started again: it is ended on its node's own word only.

A hub that starts while the network to the nodes is not up yet, or whose packets a firewall drops, or that cannot look
up names, reaches no session at all. Slurm says that they run: they are left, and asked until they answer.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import jupyterhub.user
from jupyterhub._version import __version__, _check_version
from jupyterhub.utils import AnyTimeoutError

from fabric_hub.messages.text import whole

from .metrics import UNREACHED
from .reach import Seen
from .wrapper import FabricSpawner

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


async def regain(user: Any, spawner: FabricSpawner) -> None:
    """Wait for the server of an earlier hub's session, as JupyterHub waits for one.

    Returns when it has answered, and when nothing is known against it: then it is asked on in the background.

    :param user: JupyterHub's, whose spawner it is.
    :raises TimeoutError: the session is over, or has ended for its node's word that its server cannot be used.
    """
    session_id, since = spawner.session_id, time.time()
    seen = await _ask(spawner)
    if spawner.session_id != session_id or spawner.server is None:  # its person has stopped it meanwhile
        raise TimeoutError
    if seen is None:
        spawner.answers()
    elif seen.of_node:
        await _end(spawner, seen)
        await user.stop(spawner.name)
        raise TimeoutError
    else:
        spawner.unreached_since = since
        spawner.log.warning("%s goes on running and is asked again: %s", spawner._log_name, whole(seen.why))
        spawner.shared.spawn(_ask_on(spawner, session_id))


async def _ask_on(spawner: FabricSpawner, session_id: str) -> None:
    """Ask an unreached session until it answers, its node speaks against it, or it is over."""
    pause = _FIRST_PAUSE_S
    with UNREACHED.track_inprogress():
        while True:
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE_S, 2 * pause)
            if not _runs(spawner, session_id):
                return
            now = await spawner.look()
            # where there is a word, JupyterHub's own question decides, which is patient
            seen = await _ask(spawner) if now.of_node or now.answers else now
            if not _runs(spawner, session_id):
                return
            if seen is None:
                spawner.answers()
                spawner.log.info("%s answers again", spawner._log_name)
                return
            if seen.of_node:
                await _end(spawner, seen)
                await spawner.poll_and_notify()  # as for any session that has ended
                return


def _runs(spawner: FabricSpawner, session_id: str) -> bool:
    return spawner.session_id == session_id and spawner.server is not None and not spawner._stop_pending


async def _ask(spawner: FabricSpawner) -> Seen | None:
    """Ask until ``http_timeout`` has passed; None: it answers, else what is seen of it at the end."""
    files = [spawner.user.settings.get(f"internal_ssl_{name}") for name in ("key", "cert", "ca")]
    # as User._wait_up has it, by the name under which a hub has one for all sessions
    context = jupyterhub.user.make_ssl_context(files[0], files[1], cafile=files[2])
    try:
        async with asyncio.timeout(spawner.http_timeout):  # one question may wait longer than all are to take
            answer = await spawner.server.wait_up(
                http=True, timeout=spawner.http_timeout, ssl_context=context, extra_path="api"
            )
    except AnyTimeoutError:
        return await spawner.look() if spawner.server is not None else None
    version = answer.headers.get("X-JupyterHub-Version")
    with suppress(ValueError):  # a session's server may call its version anything
        _check_version(__version__, version, spawner.log)
    spawner._jupyterhub_version = version
    return None


async def _end(spawner: FabricSpawner, seen: Seen) -> None:
    """End a session and its job, for its node's word."""
    await spawner.end_unreached(seen)
    spawner.shared.forget(spawner.session_id)
    await spawner.child_spawner.stop_session(False)
