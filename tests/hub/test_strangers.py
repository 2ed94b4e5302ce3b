"""Strangers who hold connections and bodies open, on the real hub and service: others are answered all the same."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.person import Person
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

STALLED = 1100
DESCRIPTORS = 1024
WITHIN_S = 2.0
LARGEST_LOG = 1 << 20


@pytest.fixture
def few_descriptors(site: SmallSite) -> Iterator[dict[str, int]]:
    """Hub and service have so few descriptors, as a login shell gives them; this process has enough."""
    pids = {"hub": site.pid, "service": site.child("fabric_hub.service")}
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids.values()}
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, ours[1]), ours[1]))
    yield pids
    resource.setrlimit(resource.RLIMIT_NOFILE, ours)
    for pid, limits in before.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def _answers(site: SmallSite) -> None:
    """A client of the hub and one of the service, through the proxy, are answered in time."""
    with httpx.Client(base_url=site.address, timeout=10) as client:
        for path in ("/hub/api/", "/services/fabric/api/health", "/hub/login"):
            began = time.monotonic()
            assert client.get(path).status_code == 200, path
            assert time.monotonic() - began < WITHIN_S, path


def _connection(site: SmallSite, whose: str) -> socket.socket:
    """To the hub's port, or to the service's socket, which only the hub's account and its proxy reach."""
    if whose == "hub":
        return socket.create_connection(("127.0.0.1", site.settings.hub.hub_port), timeout=10)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(10)
    made.connect(str(site.settings.hub.service_socket))
    return made


@pytest.mark.parametrize("whose", ["hub", "service"])
def test_more_stalled_connections_than_descriptors_keep_nobody_waiting(
    site: SmallSite, few_descriptors: dict[str, int], whose: str
) -> None:
    log_before = site.log.stat().st_size
    stalled: list[socket.socket] = []
    try:
        stalled.extend(_connection(site, whose) for _ in range(STALLED))
        _answers(site)
        _answers(site)
        open_now = len(list(Path(f"/proc/{few_descriptors[whose]}/fd").iterdir()))
        assert 200 < open_now < DESCRIPTORS - 100, "it was under attack, and has descriptors for its own work"
    finally:
        for one in stalled:
            one.close()
    assert site.log.stat().st_size - log_before < LARGEST_LOG


def test_large_bodies_of_strangers_are_not_kept(site: SmallSite) -> None:
    """100 MB each without a login, of which the last byte never comes."""
    resident = Path(f"/proc/{site.pid}/statm")
    before = int(resident.read_text().split()[1])
    where = urlsplit(site.address)  # the hub's certificate has this name, else the proxy itself would refuse
    head = f"POST /hub/login HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 100000000\r\n\r\n"
    senders = [socket.create_connection((where.hostname, where.port)) for _ in "123"]
    try:
        for sender in senders:
            sender.settimeout(10)
            with suppress(OSError):  # refused, as it should be
                sender.sendall(head.encode())
                for _ in range(60):
                    sender.sendall(b"x" * 1_000_000)
        _answers(site)
        pages = int(resident.read_text().split()[1]) - before
    finally:
        for sender in senders:
            sender.close()
    assert pages * resource.getpagesize() < 30_000_000


def test_who_sends_too_much_is_told_the_limit_each_time_and_may_go_on(site: SmallSite, person: Person) -> None:
    """An answer in the middle of a body is lost with the connection: a proxy that still sends says 503 in its place."""
    person.log_in()
    path = f"/hub/api/users/{person.name}/server"
    body = json.dumps({"user_options": {"project": "x" * 300_000}})
    with httpx.Client(base_url=site.address, timeout=30, headers=person.api.headers) as client:
        for _ in range(20):
            answer = client.post(path, content=body, headers={"Accept-Language": "nl"})
            assert (answer.status_code, answer.json()["status"]) == (413, 413)
            assert answer.json()["message"] == "Het verzoek is groter dan 256 KiB."
            assert client.get("/hub/api/user").json()["name"] == person.name


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
def test_a_strangers_body_does_not_become_the_beginning_of_somebody_elses_request(site: SmallSite, method: str) -> None:
    """The proxy keeps its connections to hub and sessions open, and all people's requests take turns on them."""
    where, smuggled = urlsplit(site.address), f"/hub/smuggled-by-{method.lower()}"
    body = f"GET {smuggled} HTTP/1.1\r\nX-Rest: "
    head = f"{method} /hub/api/ HTTP/1.1\r\nHost: {where.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=10) as stranger:
        stranger.sendall(f"{head}{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode())
        with stranger.makefile("rb") as answer:
            told = answer.readline()
        for _ in range(5):
            with httpx.Client(base_url=site.address, timeout=10) as somebody:
                assert somebody.get("/hub/login").status_code == 200
    assert told.startswith(b"HTTP/1.1 411 ")
    assert smuggled not in site.log.read_text()


def test_a_refusal_is_passed_on_also_when_the_service_is_quicker_than_the_proxy(site: SmallSite) -> None:
    """The proxy ends a request with a write of nothing; the connection must not be gone by then."""
    with httpx.Client(base_url=site.address, timeout=10) as client:
        answers = [client.post("/services/fabric/api/session/idle", json={"idle_s": 1}).status_code for _ in range(40)]
    assert set(answers) == {401}


def test_a_request_for_a_websocket_that_says_it_has_a_body_leaves_nothing_open(site: SmallSite) -> None:
    """The body is not passed on: who waits for it would do so for ever, also when its sender has gone."""
    descriptors, where = Path(f"/proc/{site.child('configurable-http-proxy')}/fd"), urlsplit(site.address)
    head = f"GET /hub/login HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    before = len(list(descriptors.iterdir()))
    for length in ("Content-Length: 50", "Transfer-Encoding: chunked"):
        for _ in range(30):
            with socket.create_connection((where.hostname, where.port), timeout=10) as stranger:
                stranger.sendall(f"{head}{length}\r\n\r\n".encode())
                with stranger.makefile("rb") as answer:
                    assert answer.readline().startswith(b"HTTP/1.1 400 ")
    until(lambda: len(list(descriptors.iterdir())) < before + 10, "the proxy has closed them")
    _answers(site)
