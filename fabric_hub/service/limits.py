"""No request may be larger than anything the service takes, also one without a token."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024


class BodyLimit:
    """ASGI middleware: a body of more than ``LARGEST_BODY`` bytes is answered 413 unread, or cut off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > LARGEST_BODY:
            await _too_large(send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # to the application a sender that never ends is one that has gone
            return message if taken <= LARGEST_BODY else {"type": "http.disconnect"}

        await self._app(scope, counted, send)


async def _too_large(send: Send) -> None:
    body = b'{"message":"The request is larger than 64 KiB.","reason":"too-large","hint":"","since":null}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
