"""The few calls the service makes to JupyterHub's own REST API."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

import httpx

from ..sessions.store import Session


class HubApi:
    """JupyterHub's API with the service's token.

    :param tls: files ``keyfile``, ``certfile``, ``ca`` under internal TLS, else None.
    """

    def __init__(self, url: str, token: str, tls: dict[str, str] | None) -> None:
        verify: ssl.SSLContext | bool = True
        if tls:
            verify = ssl.create_default_context(cafile=tls["ca"])
            verify.load_cert_chain(tls["certfile"], tls["keyfile"])
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"), headers={"Authorization": f"token {token}"}, verify=verify, timeout=30
        )

    async def close(self) -> None:
        await self._client.aclose()

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
        )

    async def stop(self, user: str, server: str) -> httpx.Response:
        """Ask for a server to be stopped; the hub answers 202, 204, or why not."""
        return await self._client.delete(f"/users/{quote(user, safe='')}/servers/{quote(server, safe='')}")


def message(answer: httpx.Response) -> str:
    """What the hub said, as JupyterHub's API says it."""
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"The hub refused it (HTTP {answer.status_code})."


def options(session: Session) -> dict[str, object]:
    """The choices of a session as user options: starting with them makes the same again."""
    return {
        "project": session.project,
        "profile": session.profile,
        "image": session.image,
        "hours": session.hours,
        "datasets": list(session.datasets),
    }
