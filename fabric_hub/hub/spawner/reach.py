"""Why the hub cannot reach a session's server that says it is up: asked once, when JupyterHub has given up on it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import httpx
from jupyterhub.utils import make_ssl_context

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import starts as texts

_PATIENCE_S = 5.0


# What the node itself has said. All else may be the network's doing, or the hub's own host's.
_NODES_WORD = frozenset({texts.REFUSED.code, texts.OTHER_TLS.code, texts.ERROR_ANSWER.code})


@dataclass(frozen=True)
class Seen:
    """What one look at a server has shown.

    :param why: what keeps the hub from it, with node, address and port.
    :param of_node: the node itself has said that the server cannot be used: it refused the connection, or answered
        with an error or with other TLS. Silence, no route and no such name say nothing about the session.
    :param answers: nothing keeps the hub from it any more.
    """

    why: FabricError
    of_node: bool
    answers: bool


def tls_of(user: Any) -> ssl.SSLContext | None:
    """The hub's TLS for the sessions of a user of JupyterHub's; None without internal TLS."""
    pair = [user.settings.get(f"internal_ssl_{name}") for name in ("key", "cert", "ca")]
    return make_ssl_context(pair[0], pair[1], cafile=pair[2]) if all(pair) else None


async def look(url: str, node: str, context: ssl.SSLContext | None) -> Seen:
    """What keeps the hub from a server.

    :param url: of the server, as JupyterHub asks it.
    :param context: the hub's TLS for sessions, where it has one.
    """
    kind, detail = await _look(url, context)
    at = httpx.URL(url)
    if node and node != at.host:
        where = texts.AT_NODE(node=node, host=at.host, port=at.port)
    else:
        where = texts.AT_HOST(host=at.host, port=at.port)
    return Seen(FabricError(kind(at=where, detail=detail)), kind.code in _NODES_WORD, kind is texts.ANSWERS_NOW)


async def _look(url: str, context: ssl.SSLContext | None) -> tuple[Reason, str]:
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),  # httpx's own is for each read: a trickle of headers would never end
            httpx.AsyncClient(verify=context or False, trust_env=False, timeout=_PATIENCE_S) as client,
            client.stream("GET", url) as answer,  # what it sends is a user's doing: nothing of its body is read
        ):
            status = answer.status_code
    except (httpx.TimeoutException, TimeoutError):
        return texts.TIMED_OUT, f"{_PATIENCE_S:g} s"
    except (httpx.HTTPError, OSError) as error:
        return kind_of(error, tls=context is not None)
    return (texts.ERROR_ANSWER if status >= 500 else texts.ANSWERS_NOW), f"HTTP {status}"


def kind_of(error: BaseException, *, tls: bool) -> tuple[Reason, str]:
    """Which kind of unreachable an error is that a request met, and its detail. Pure.

    :param tls: whether the hub speaks TLS with sessions.
    """
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        return texts.NO_SUCH_NAME, str(cause.strerror or cause)
    if isinstance(cause, ssl.SSLError):
        return texts.OTHER_TLS, getattr(cause, "verify_message", "") or cause.reason or str(cause)
    if isinstance(error, httpx.RemoteProtocolError):
        return texts.ERROR_ANSWER if tls else texts.OTHER_TLS, str(error)
    number = cause.errno if isinstance(cause, OSError) else None
    detail = os.strerror(number).lower() if number else str(error)
    return (texts.REFUSED if number == errno.ECONNREFUSED else texts.NO_WAY), detail


def _cause(error: BaseException) -> BaseException:
    """The operating system's or TLS's own error under a library's.

    Of several addresses that were tried it is the one that has not refused, if there is one.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, BaseExceptionGroup):
            causes = [_cause(one) for one in seen.exceptions]
            return next((one for one in causes if not isinstance(one, ConnectionRefusedError)), causes[0])
        if isinstance(seen, ssl.SSLError | socket.gaierror) or (isinstance(seen, OSError) and seen.errno):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error
