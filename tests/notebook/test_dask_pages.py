"""Dask clusters through the session's own server: the dashboard behind its login, and the panel's endpoints.

The hub here runs without Slurm, so the workers are processes of this machine; everything else is as on a cluster.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websocket
from playwright.sync_api import Page, Response, expect

from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.running_session import RunningSession, session_environment
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

SLOW_S = 90.0


def clusters(session: RunningSession) -> list[dict[str, Any]]:
    status, body = session.get("fabric/clusters")
    assert status == 200, body
    found: list[dict[str, Any]] = json.loads(body)["clusters"]
    return found


def all_work(session: RunningSession) -> bool:
    """Whether every worker of the first cluster is there."""
    return all(worker["address"] for worker in clusters(session)[0]["workers"])


@pytest.fixture(scope="module")
def session(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSession]:
    """A session with a cluster ``one`` of two workers."""
    directory = tmp_path_factory.mktemp("session")
    with AnsweringHub() as hub, RunningSession(python, directory, session_environment(hub.url)) as running:
        running.announced_by(hub)
        status, body = running.get("fabric/clusters", method="POST", body={"name": "one", "n_workers": 2})
        assert (status, json.loads(body)) == (201, {"name": "one"})
        until(lambda: all_work(running), "two workers are there", SLOW_S)
        yield running
        running.get("fabric/clusters/one", method="POST", body={"verb": "close"})
        until(lambda: not clusters(running), "the cluster has ended", SLOW_S)


def test_the_dashboard_is_behind_the_sessions_login(session: RunningSession) -> None:
    status, body = session.get("fabric/dask/one/status")
    assert status == 200, body
    assert "Dask Diagnostic UI" in body
    status, body = session.get("fabric/dask/one/json/counts.json")
    assert json.loads(body)["workers"] == 2
    for path, kind in {"statics/css/base.css": "text/css", "statics/images/dask-logo.svg": "image/svg+xml"}.items():
        assert content_types(session, f"fabric/dask/one/{path}") == [kind]
    for path in ("fabric/dask/one/status", "fabric/dask/one/json/counts.json", "fabric/clusters"):
        status, body = session.get(path, token=None)
        assert status in (302, 403), f"{path}: {status}"
        assert "Dask" not in body
        status, body = session.get(path, token="x" * 32)
        assert status in (302, 403), f"{path}: {status}"


def test_a_browser_that_has_a_file_of_the_dashboard_already_is_told_so(session: RunningSession) -> None:
    url = f"http://127.0.0.1:{session.port}/user/ann/fabric/dask/one/statics/images/dask-logo.svg"
    with urllib.request.urlopen(_asked(url), timeout=30) as answer:
        tag = answer.headers["Etag"]
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(_asked(url, {"If-None-Match": tag}), timeout=30)
    assert (told.value.code, told.value.read()) == (304, b"")


def _asked(url: str, headers: Mapping[str, str] | None = None) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"Authorization": f"token {TOKEN}", **(headers or {})})


def content_types(session: RunningSession, path: str) -> list[str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{session.port}/user/ann/{path}", headers={"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [value.partition(";")[0] for value in answer.headers.get_all("Content-Type")]


def test_only_clusters_of_this_session_can_be_named(session: RunningSession) -> None:
    assert session.get("fabric/dask/other/status")[0] == 404
    for name in ("..", "%2e%2e", "127.0.0.1:1", "one%2f..%2fone", "one/../../../api"):
        assert session.get(f"fabric/dask/{name}/status")[0] in (404, 400), name
    assert session.get("fabric/dask/one/status", method="POST", body={})[0] in (403, 405)


@pytest.mark.parametrize(
    "place", ["127.0.0.1:1/x", "user@127.0.0.1:1", "127.0.0.1", "127.0.0.1:99999999", 7, None, ["a"], "a b:80", ""]
)
def test_an_address_that_is_none_is_asked_for_nothing(session: RunningSession, place: object) -> None:
    known = session.private / "clusters" / "one" / "cluster.json"
    before = known.read_text()
    try:
        known.write_text(json.dumps({**json.loads(before), "dashboard": place}))
        assert session.get("fabric/dask/one/status")[0] == 404
    finally:
        known.write_text(before)


def test_somebody_elses_server_at_the_clusters_address_is_not_believed(
    session: RunningSession, hub: AnsweringHub, tmp_path: Path
) -> None:
    """The pages come from whoever holds the cluster's key, wherever ``cluster.json`` leads."""
    known = session.private / "clusters" / "one" / "cluster.json"
    before = known.read_text()
    try:
        known.write_text(json.dumps({**json.loads(before), "dashboard": f"127.0.0.1:{hub.port}"}))
        assert session.get("fabric/dask/one/status")[0] == 502
    finally:
        known.write_text(before)


def connect(session: RunningSession, path: str, **options: Any) -> websocket.WebSocket:
    url = f"ws://127.0.0.1:{session.port}/user/ann/{path}"
    return websocket.create_connection(url, timeout=60, **options)


def test_websockets_need_the_login_and_a_cluster_of_this_session(session: RunningSession) -> None:
    login = [f"Authorization: token {TOKEN}"]
    path = "fabric/dask/one/eventstream"
    connect(session, path, header=login).close()
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        connect(session, path)
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        connect(session, "fabric/dask/other/eventstream", header=login)


def test_what_the_panel_sends_is_typed(session: RunningSession) -> None:
    for body in ({"verb": "scale", "n": "7"}, {"verb": "add_pool"}, {"verb": "scale", "x": 1}, {"verb": "_pool"}, {}):
        status, answer = session.get("fabric/clusters/one", method="POST", body=body)
        assert status == 409, answer
    for wrong in ({"name": 7}, {"job_script_prologue": ["x"]}, {"n_workers": True}):
        assert session.get("fabric/clusters", method="POST", body=wrong)[0] == 400
    status, answer = session.get("fabric/clusters", method="POST", body={"name": "one"})
    assert (status, "There is a cluster one already." in json.loads(answer)["message"]) == (409, True)
    status, answer = session.get("fabric/clusters", method="POST", body={"name": "gpu", "profile": "gpu-1"})
    assert (status, "runs without Slurm" in json.loads(answer)["message"]) == (409, True)


def test_the_panel_scales_adapts_and_stops(session: RunningSession) -> None:
    def tell(**words: Any) -> dict[str, Any]:
        status, answer = session.get("fabric/clusters/one", method="POST", body=words)
        assert status == 200, answer
        found: dict[str, Any] = json.loads(answer)
        return found

    assert len(tell(verb="scale", n=3)["workers"]) == 3
    until(lambda: all_work(session), "three workers", SLOW_S)
    assert tell(verb="adapt", minimum=0, maximum=2)["adaptive"] == {"pool": "local", "minimum": 0, "maximum": 2}
    assert tell(verb="scale", n=2)["adaptive"] is None
    (known,) = clusters(session)
    assert known["used"]["cpu_hours"] > 0


def test_the_pages_of_a_cluster_want_its_key(session: RunningSession) -> None:
    """Who reaches the port without the key gets no answer, whoever they are."""
    state = json.loads((session.private / "clusters" / "one" / "cluster.json").read_text())
    host, _, port = state["dashboard"].rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    said = b""
    with suppress(OSError), context.wrap_socket(socket.create_connection((host, int(port)), 10)) as opened:
        opened.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
        said = opened.recv(100)
    assert said == b""


def test_nobody_frames_a_dashboard_without_the_sessions_own_word(session: RunningSession) -> None:
    """A frame would show the page's cookies to another user's page of the same host."""

    def policy(query: str) -> str:
        request = urllib.request.Request(
            f"http://127.0.0.1:{session.port}/user/ann/fabric/dask/one/status{query}",
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.headers["Content-Security-Policy"])

    assert policy("") == "frame-ancestors 'none'"
    assert policy("?fabric-frame=") == "frame-ancestors 'none'"
    assert policy("?fabric-frame=guessed") == "frame-ancestors 'none'"
    status, lab = session.get("lab")
    word = re.search(r'"fabricFrame": "([^"]+)"', lab)
    assert status == 200, lab
    assert word, lab
    assert policy(f"?fabric-frame={word.group(1)}") == "frame-ancestors 'self'"


@pytest.mark.browser
def test_the_dashboard_draws_and_follows_in_a_browser(session: RunningSession, chromium: Page) -> None:
    failed: list[str] = []
    sockets: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400:
            failed.append(response.url)

    chromium.on("response", note)
    chromium.on("websocket", lambda opened: sockets.append(opened.url))
    chromium.goto(f"http://127.0.0.1:{session.port}/user/ann/fabric/dask/one", timeout=120_000)
    expect(chromium).to_have_url(f"http://127.0.0.1:{session.port}/user/ann/fabric/dask/one/status")
    expect(chromium.locator(".bk-Figure").first).to_be_visible()
    assert [url for url in sockets if "/user/ann/fabric/dask/one/status/ws" in url], sockets
    chromium.get_by_role("link", name="Workers").click()
    expect(chromium.locator(".bk-DataTable").first).to_be_visible()
    assert failed == []
