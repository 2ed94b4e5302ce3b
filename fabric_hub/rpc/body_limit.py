"""No request may be larger than anything that a server takes: what is read is kept in memory, before anybody looks."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts

from .problem import Problem

LARGEST_BODY = 64 << 10  # bytes; of the service, whose callers are anybody
LARGEST_ON_SOCKET = 1 << 20  # of gateway and catalogue service: a session's environment and certificates


class BodyLimit:
    """ASGI middleware: a body of more than ``most`` bytes is answered 413 unread, or cut off."""

    def __init__(self, app: ASGIApp, most: int = LARGEST_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._most:
            await self._too_large(send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # to the application a sender that never ends is one that has gone
            return message if taken <= self._most else {"type": "http.disconnect"}

        await self._app(scope, counted, send)

    async def _too_large(self, send: Send) -> None:
        body = Problem.of(FabricError(texts.TOO_LARGE(kib=self._most >> 10))).model_dump_json().encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
