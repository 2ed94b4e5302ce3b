"""The few calls the service makes to JupyterHub's own REST API."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

import httpx

from fabric_hub.errors import FabricError
from fabric_hub.messages.reader import current, headers_of
from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import service as texts
from fabric_hub.sessions.store import Session


class HubApi:
    """JupyterHub's API with the service's token.

    :param tls: files ``keyfile``, ``certfile``, ``ca`` under internal TLS, else None.
    :param most: connections at once; they are kept open, because each new one costs the hub a TLS handshake.
    """

    def __init__(self, url: str, token: str, tls: dict[str, str] | None, most: int = 100) -> None:
        verify: ssl.SSLContext | bool = True
        if tls:
            verify = ssl.create_default_context(cafile=tls["ca"])
            verify.load_cert_chain(tls["certfile"], tls["keyfile"])
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"token {token}"},
            verify=verify,
            trust_env=False,  # nor does the service's token go to a proxy
            timeout=30,
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=600),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def answers(self) -> None:
        """The hub answers, and finds our own token in its database.

        :raises FabricError: it does not.
        """
        try:
            (await self._client.get("/user")).raise_for_status()
        except httpx.HTTPError as error:
            raise FabricError(texts.HUB_SILENT()) from error

    async def who(self, token: str) -> dict[str, Any] | None:
        """The hub's model of whose token this is; None when it knows no such token.

        :raises FabricError: the hub does not answer.
        """
        if not (token.isascii() and token.isprintable()):
            return None
        try:
            answer = await self._client.get("/user", headers={"Authorization": f"token {token}"})
            if answer.status_code in (401, 403, 404):
                return None
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise FabricError(texts.HUB_SILENT()) from error
        return found

    async def servers(self, user: str) -> dict[str, dict[str, Any]] | None:
        """A user's servers that are active or starting, by name; None when the hub has no such user."""
        answer = await self._client.get(f"/users/{quote(user, safe='')}")
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        servers: dict[str, dict[str, Any]] = answer.json().get("servers") or {}
        return servers

    async def start(self, user: str, server: str, options: dict[str, Any]) -> httpx.Response:
        """Ask for a server to be started; the hub answers 201, 202, or why not."""
        return await self._client.post(
            f"/users/{quote(user, safe='')}/servers/{quote(server, safe='')}",
            json={"display_name": server, "user_options": options},
            headers=headers_of(current()),  # it refuses in words for whoever asked us
        )

    async def stop(self, user: str, server: str) -> httpx.Response:
        """Ask for a server to be stopped; the hub answers 202, 204, or why not."""
        return await self._client.delete(f"/users/{quote(user, safe='')}/servers/{quote(server, safe='')}")


def message(answer: httpx.Response) -> Text:
    """What the hub said, in its own words: as JupyterHub's API says it."""
    try:
        return verbatim(str(answer.json()["message"]))
    except (ValueError, KeyError, TypeError):
        return texts.HUB_REFUSED(status=answer.status_code)


def options(session: Session) -> dict[str, object]:
    """The choices of a session as user options: starting with them makes the same again."""
    return {
        "project": session.project,
        "profile": session.profile,
        "image": session.image,
        "hours": session.hours,
        "datasets": list(session.datasets),
    }
