"""The tests' own HTTP server: what it writes down, and how it answers."""

from __future__ import annotations

import threading

import httpx

from tests.support.http_server import HttpServer, Request, Response


def test_it_answers_by_its_function_on_one_connection_and_writes_down_what_came() -> None:
    gone = threading.Event()

    def answer(request: Request) -> Response:
        return Response(201, {"heard": request.json()}, {"X-By": request.headers["x-to"]}, gone.set)

    with HttpServer(answer) as server, httpx.Client(base_url=server.url, headers={"X-To": "Ann"}) as client:
        answers = [client.get("/a"), client.post("/b?c=1", json={"d": 2})]
        assert gone.wait(20)
    assert [(one.status_code, one.headers["X-By"], one.json()["heard"]) for one in answers] == [
        (201, "Ann", None),
        (201, "Ann", {"d": 2}),
    ]
    assert [(one.method, one.path, one.json()) for one in server.requests] == [
        ("GET", "/a", None),
        ("POST", "/b?c=1", {"d": 2}),
    ]
    assert len({one.caller for one in server.requests}) == 1
