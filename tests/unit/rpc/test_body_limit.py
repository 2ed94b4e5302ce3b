"""The service takes no large body, whether its size is declared or not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from fabric_hub.rpc.body_limit import LARGEST_BODY, BodyLimit


@pytest.fixture
async def echo() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(BodyLimit)

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await request.body())

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def test_a_body_of_the_largest_size_is_taken(echo: httpx.AsyncClient) -> None:
    answer = await echo.post("/", content=b"x" * LARGEST_BODY)
    assert answer.json() == LARGEST_BODY


async def test_a_larger_one_is_refused_unread(echo: httpx.AsyncClient) -> None:
    answer = await echo.post("/", content=b"x" * (LARGEST_BODY + 1))
    assert answer.status_code == 413
    told = answer.json()
    assert (told["reason"], told["message"]) == ("too-large", "The request is larger than 64 KiB.")


async def test_one_that_hides_its_size_is_cut_off(echo: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 4096

    answer = await echo.post("/", content=pieces())
    assert answer.status_code >= 400
