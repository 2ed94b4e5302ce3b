"""The service's questions to JupyterHub, over a real connection that stays open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.service.hub_api import HubApi
from tests.support.http_server import HttpServer, Request, Response

KNOWN = {"token of-jan": {"name": "jan", "scopes": ["self"]}}


def _answer(request: Request) -> Response:
    user = KNOWN.get(request.headers["authorization"])
    broken = request.headers["authorization"] == "token breaks"
    status = 500 if broken else 200 if user and request.path == "/hub/api/user" else 403
    return Response(status, user or {"message": "Missing or invalid credentials."})


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(_answer) as server:
        yield server


async def test_whose_token_it_is_is_asked_with_that_token_on_one_connection_for_all(
    server: HttpServer,
) -> None:
    hub = HubApi(f"{server.url}/hub/api", "the service's own", None, most=1)
    try:
        for _ in range(3):
            assert await hub.who("of-jan") == KNOWN["token of-jan"]
            assert await hub.who("nobody's") is None
            assert await hub.who("the service's own") is None
        assert len({request.caller for request in server.requests}) == 1
        with pytest.raises(FabricError, match="The hub does not answer"):
            await hub.who("breaks")
    finally:
        await hub.close()
