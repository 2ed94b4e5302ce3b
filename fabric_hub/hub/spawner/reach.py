"""Why the hub cannot reach a session's server that says it is up: asked once, when JupyterHub has given up on it."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

import httpx

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import starts as texts

_PATIENCE_S = 5.0


async def unreachable(url: str, node: str, context: ssl.SSLContext | None) -> FabricError:
    """What keeps the hub from a server, as an error that names node, address and port.

    :param url: of the server, as JupyterHub asks it.
    :param context: the hub's TLS for sessions, where it has one.
    """
    kind, detail = await _look(url, context)
    at = httpx.URL(url)
    if node and node != at.host:
        where = texts.AT_NODE(node=node, host=at.host, port=at.port)
    else:
        where = texts.AT_HOST(host=at.host, port=at.port)
    return FabricError(kind(at=where, detail=detail))


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
        cause = _cause(error)
        if isinstance(cause, socket.gaierror):
            return texts.NO_SUCH_NAME, str(cause.strerror or cause)
        if isinstance(cause, ssl.SSLError):
            return texts.OTHER_TLS, getattr(cause, "verify_message", "") or cause.reason or str(cause)
        if isinstance(error, httpx.RemoteProtocolError):
            return texts.OTHER_TLS if context is None else texts.ERROR_ANSWER, str(error)
        number = cause.errno if isinstance(cause, OSError) else None
        return texts.REFUSED, os.strerror(number).lower() if number else str(error)
    return (texts.ERROR_ANSWER if status >= 500 else texts.ANSWERS_NOW), f"HTTP {status}"


def _cause(error: BaseException) -> BaseException:
    """The operating system's or TLS's own error under a library's."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | socket.gaierror) or (isinstance(seen, OSError) and seen.errno):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error
