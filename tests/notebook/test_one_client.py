"""The session's token reaches the hub's service and nobody else: no proxy, and no redirect's target."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.running_session import RunningSession, session_environment
from tests.support.waiting import until

pytestmark = pytest.mark.image

PROXIES = [name for kind in ("http", "https", "all") for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY")]

# all ways in which something of ours asks the service
SERVICE = """
import asyncio, os, sys
from fabric_lab import client, service
from fabric_lab.common.environment import LaunchError
from fabric_lab.launch.announce import announce

async def announced():
    try:
        return await announce(client.AsyncHubClient(os.environ), {"port": 1, "phases": {}}, retry_for_s=0.0)
    except LaunchError as error:
        return str(error)

print(service.call())
print(client.HubClient(client.credentials(os.environ)).ask("/clusters"))
print(asyncio.run(client.AsyncHubClient(os.environ).ask()))
print(asyncio.run(announced()))
"""

# all ways in which something of ours reads the pages of a Dask cluster: a real one's are served in the same way
PAGES = """
import asyncio, fcntl, json, sys, time
from fabric_lab.dask import dashboard_client, rendezvous, tls
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

class Control(RequestHandler):
    def post(self):
        self.finish({"tasks": 0, "problems": []})

class Elsewhere(RequestHandler):
    def get(self):
        self.redirect(sys.argv[1])

class Socket(WebSocketHandler):
    def open(self):
        self.write_message("hello")

async def main():
    directory = rendezvous.clusters_directory() / "study"
    rendezvous.claim(directory)
    lock = (directory / rendezvous.LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    routes = [(dashboard_client.CONTROL, Control), ("/elsewhere", Elsewhere), ("/ws", Socket)]
    server = HTTPServer(Application(routes), ssl_options=tls.for_pages(directory))
    server.listen(0, "127.0.0.1")
    [(_, port)] = [one.getsockname() for one in server._sockets.values()]
    place = f"127.0.0.1:{port}"
    rendezvous.State("study", 1, f"tls://{place}", place, time.time(), "127.0.0.1").write(directory)
    print(await asyncio.to_thread(dashboard_client.send, "study", {"verb": "datasets"}))
    pages = dashboard_client.Pages("study")
    print(await pages.send({"verb": "working"}))
    print((await pages.fetch("/elsewhere")).code)
    connection = await pages.connect("/ws", [])
    print(await connection.read_message())

asyncio.run(main())
"""
# the environment is one in which others do ask the proxy
CONTROL = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/control', timeout=30)"


class Listener:
    """Whatever is said to it, and nothing is answered."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                self.heard.append(line.recv(65536))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(20)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    yield listening
    listening.close()


def run(python: Path, code: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, **environment}
    return subprocess.run(
        [python, "-I", "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_no_proxy_of_the_environment_hears_of_the_service_or_a_cluster(
    python: Path, hub: AnsweringHub, listener: Listener, tmp_path: Path
) -> None:
    environment = session_environment(hub.url, HOME=str(tmp_path), FABRIC_SESSION_DIR=str(tmp_path))
    environment |= dict.fromkeys(PROXIES, listener.url)
    asked = run(python, SERVICE, environment)
    assert asked.stdout.count("Digital Twin") == 2, asked
    assert asked.stdout.splitlines()[-1] == "1", asked
    read = run(python, PAGES, environment, listener.url)
    assert read.stdout.splitlines() == [
        *["{'tasks': 0, 'problems': []}"] * 2,
        "302",
        "hello",
    ], read
    assert listener.heard == []
    run(python, CONTROL, environment)
    assert [said.split(b"\r\n")[0] for said in listener.heard] == [b"GET http://127.0.0.1:9/control HTTP/1.1"]


def test_no_proxy_hears_of_a_session_that_starts_serves_and_reports(
    python: Path, hub: AnsweringHub, listener: Listener, tmp_path: Path
) -> None:
    """JupyterHub's own requests, too: who a token belongs to, and that somebody is here."""
    environment = session_environment(hub.url, **dict.fromkeys(PROXIES, listener.url))
    with RunningSession(python, tmp_path, environment) as session:
        session.announced_by(hub)
        assert '"project_title": "Digital Twin"' in session.get("fabric/session")[1]
        assert session.get("fabric/clusters")[0] == 200
        until(lambda: hub.activities, "the session has reported", 60)
    assert listener.heard == []


def test_a_redirect_of_the_service_is_an_error_and_leads_nowhere(
    python: Path, listener: Listener, tmp_path: Path
) -> None:
    seen: list[str | None] = []

    class Redirecting(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            seen.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(302)
            self.send_header("Location", f"{listener.url}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _answer  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = session_environment(f"http://127.0.0.1:{server.server_port}", HOME=str(tmp_path))
        asked = run(python, SERVICE, environment)
        server.shutdown()
    assert seen == [f"token {TOKEN}"] * 4
    assert asked.stdout.count("(HTTP 302)") == 4, asked
    assert listener.heard == []
