"""JupyterHub's managed services: ours on a Unix socket, and a site's own under internal TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import wraps
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub.objects import Server
from jupyterhub.services.service import _ServiceSpawner

from .replace import replace


def apply(ours: str, url: str, names: Sequence[str]) -> None:
    """Apply all of this module.

    :param ours: the name of our service at JupyterHub; ``url`` its Unix socket.
    :param names: what the certificates of the site's own services are to name; none without internal TLS.
    """
    replace(JupyterHub, "start_service", lambda start: _started(start, ours, url))
    if names:
        replace(_ServiceSpawner, "create_certs", lambda create: _named(create, names))


def _started(start_service: Any, ours: str, url: str) -> Any:
    """Wait for our service at its Unix socket, and let a site's own managed services start under internal TLS.

    JupyterHub takes no Unix socket as a service's address, so it would not wait at all. Others it checks with the TLS
    context made for its own server, which can make no connection ("Cannot create a client socket with a
    PROTOCOL_TLS_SERVER context"), and exits. Without one given it makes the right one.
    """

    @wraps(start_service)
    async def start_and_wait(self: Any, name: str, service: Any, _ssl_context: Any = None) -> bool:
        started: bool = await start_service(self, name, service)
        return started and (name != ours or await _answers(service, url))

    return start_and_wait


async def _answers(service: Any, url: str) -> bool:
    """Whether our service comes up in time; one that ends does not."""
    answer = asyncio.ensure_future(Server.from_url(url).wait_up(http=True, timeout=service.timeout))
    while not answer.done():
        if await service.spawner.poll() is not None:
            answer.cancel()
            return False
        await asyncio.wait({answer}, timeout=0.5)
    return answer.exception() is None


def _named(create_certs: Any, names: Sequence[str]) -> Any:
    """Let the certificates of a site's own services have names: JupyterHub configures none for them."""

    @wraps(create_certs)
    async def create_named(self: Any) -> Any:
        self.ssl_alt_names = list(names)
        return await create_certs(self)

    return create_named
