"""In which language the service answers: that of ``Accept-Language``, in the time zone of ``X-Time-Zone``.

Facts are shared by all callers, sentences are made for each: when a refusal is made, or when FastAPI turns a model into
JSON. Both happen within the request, for which the reader is set here.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fabric_hub.messages.reader import ZONE_HEADER, reader_of, reading


class InLanguage:
    """Middleware that answers every call below a path for whoever reads the answer.

    :param below: the path; what is elsewhere has no language.
    """

    def __init__(self, app: ASGIApp, below: str) -> None:
        self._app, self._below = app, below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._below):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        reader = reader_of(asked.get("Accept-Language", ""), asked.get(ZONE_HEADER))

        async def send_in_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Language"] = reader.language
                headers.add_vary_header(f"Accept-Language, {ZONE_HEADER}")
            await send(message)

        with reading(reader):
            await self._app(scope, receive, send_in_language)
