"""Why the hub cannot reach a session's server that says it is up: asked once, when JupyterHub has given up on it."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import NamedTuple

import httpx

from fabric_hub.errors import FabricError

_PATIENCE_S = 5.0


class _Kind(NamedTuple):
    """What is seen, with ``{detail}``, and what to look at."""

    what: str
    hint: str


_REFUSED = _Kind(
    "nothing accepts connections there ({detail})",
    "Operators: the server may listen on another address of the node (FABRIC_BIND, or NodeAddr in slurm.conf), or a "
    "firewall between the hub's host and the node refuses the port.",
)
_TIMED_OUT = _Kind(
    "it did not answer in time ({detail})",
    "Operators: a firewall between the hub's host and the node may drop the packets. The hub must reach the ports of "
    "sessions on every node.",
)
_TLS = _Kind(
    "it answers, but not with the TLS of this hub ({detail})",
    "Operators: see that the clocks of hub and node agree, that the session's certificate names the address at which "
    "the hub reaches the node (NodeAddr in slurm.conf), and that nothing between them ends TLS.",
)
_NAME = _Kind(
    "the hub's host cannot look up that name ({detail})",
    "Operators: let the hub's host resolve the names of the nodes, or set NodeAddr in slurm.conf.",
)
_ANSWER = _Kind(
    "it answers with an error ({detail})", "The log below may say why; else show these words to the operators."
)
_NOW = _Kind(
    "it did not answer for a while, and does now ({detail})",
    "Start again. Operators: the node, or the network to it, may be overloaded.",
)


async def unreachable(url: str, node: str, context: ssl.SSLContext | None) -> FabricError:
    """What keeps the hub from a server, as an error that names node, address and port.

    :param url: of the server, as JupyterHub asks it.
    :param context: the hub's TLS for sessions, where it has one.
    """
    (what, hint), detail = await _look(url, context)
    at = httpx.URL(url)
    where = f"node {node}, " if node and node != at.host else ""
    return FabricError(
        f"The session's server is up, but the hub cannot reach it on {where}{at.host} port {at.port}: "
        f"{what.format(detail=detail)}.",
        reason="unreachable",
        hint=hint,
        status=424,
    )


async def _look(url: str, context: ssl.SSLContext | None) -> tuple[_Kind, str]:
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),  # httpx's own is for each read: a trickle of headers would never end
            httpx.AsyncClient(verify=context or False, trust_env=False, timeout=_PATIENCE_S) as client,
            client.stream("GET", url) as answer,  # what it sends is a user's doing: nothing of its body is read
        ):
            status = answer.status_code
    except (httpx.TimeoutException, TimeoutError):
        return _TIMED_OUT, f"{_PATIENCE_S:g} s"
    except (httpx.HTTPError, OSError) as error:
        cause = _cause(error)
        if isinstance(cause, socket.gaierror):
            return _NAME, str(cause.strerror or cause)
        if isinstance(cause, ssl.SSLError):
            return _TLS, getattr(cause, "verify_message", "") or cause.reason or str(cause)
        if isinstance(error, httpx.RemoteProtocolError):
            return _TLS if context is None else _ANSWER, str(error)
        number = cause.errno if isinstance(cause, OSError) else None
        return _REFUSED, os.strerror(number).lower() if number else str(error)
    return (_ANSWER if status >= 500 else _NOW), f"HTTP {status}"


def _cause(error: BaseException) -> BaseException:
    """The operating system's or TLS's own error under a library's."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | socket.gaierror) or (isinstance(seen, OSError) and seen.errno):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error
