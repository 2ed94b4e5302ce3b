"""The session's datasets on the nodes of a cluster's workers: what is missed once is made up for the next time."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_lab.dask import dashboard_client, rendezvous
from fabric_lab.dask.notebook_context import JobDatasets, SessionDatasets

from tests.support.answering_node import AnsweringNode

NOWHERE = b'{"error": {"message": "The node is busy."}}\n'


def environment(node: AnsweringNode, **more: str) -> dict[str, str]:
    return {"FABRIC_NODE_SOCKET": str(node.socket), "SLURM_JOB_ID": "7", **more}


def verbs(node: AnsweringNode) -> list[tuple[str, list[str]]]:
    return [(asked["verb"], asked["datasets"]) for asked in node.asked]


async def test_a_job_has_what_its_session_has_and_asks_for_nothing_twice(node: AnsweringNode) -> None:
    job = JobDatasets(environment(node))
    assert await job.match(["wind-farm"]) == []
    assert await job.match(["wind-farm", "crop-trials"]) == []
    assert await job.match(["crop-trials"]) == []
    assert await job.match(["crop-trials"]) == []
    assert verbs(node) == [("open", ["wind-farm"]), ("open", ["crop-trials"]), ("close", ["wind-farm"])]


async def test_what_could_not_be_opened_is_told_and_asked_for_again_the_next_time(node: AnsweringNode) -> None:
    job = JobDatasets(environment(node))
    node.says = NOWHERE
    assert await job.match(["wind-farm"]) == ["wind-farm: The node is busy."]
    node.says = None
    assert await job.match(["wind-farm", "secret"]) == ["secret: Project twin has no grant for secret."]
    assert node.opened == {"wind-farm"}


async def test_a_worker_without_a_job_of_its_own_needs_nothing(node: AnsweringNode) -> None:
    assert await JobDatasets({"FABRIC_NODE_SOCKET": str(node.socket)}).match(["wind-farm"]) == []
    assert await JobDatasets({"SLURM_JOB_ID": "7"}).match(["wind-farm"]) == []
    assert node.asked == []


async def test_a_node_that_does_not_answer_takes_nothing_back_and_is_no_success(node: AnsweringNode) -> None:
    session = SessionDatasets(["wind-farm"], "7", environment(node))
    node.opened = {"crop-trials"}
    node.says = NOWHERE
    assert await session.refresh() == "The node is busy."
    assert session.names == ["wind-farm"]
    node.says = None
    assert await session.refresh() == ""
    assert session.names == ["crop-trials"]


async def test_two_changes_at_once_leave_a_job_with_the_last_one(node: AnsweringNode) -> None:
    job = JobDatasets(environment(node))
    await asyncio.gather(job.match(["wind-farm"]), job.match(["wind-farm", "crop-trials"]))
    assert node.opened == {"wind-farm", "crop-trials"}


# -- a cluster's directory is the user's own, and may hold anything


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FABRIC_SESSION_DIR", str(tmp_path))
    path = tmp_path / "clusters" / "odd"
    path.mkdir(parents=True)
    return path


def test_whatever_is_called_lock_holds_up_nobody(directory: Path) -> None:
    os.mkfifo(directory / "lock")
    began = time.monotonic()
    assert not rendezvous.running(directory)
    assert rendezvous.clusters() == []
    (directory / "lock").unlink()
    (directory / "lock").symlink_to("/dev/zero")
    assert not rendezvous.running(directory)
    assert time.monotonic() - began < 5


@pytest.fixture
def drip() -> Iterator[str]:
    """A server that sends a byte now and then, and never comes to an end, as no HTTP server of the tests' does."""
    over = threading.Event()
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()

    def serve() -> None:
        caller, _ = server.accept()
        with caller:
            caller.recv(1 << 16)
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.1):
                caller.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    over.set()
    thread.join()
    server.close()


def test_a_cluster_that_drips_is_left_after_the_limit(drip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import http.client

    class Plain(http.client.HTTPConnection):
        def __init__(self, place: str, *, timeout: float, context: ssl.SSLContext) -> None:
            super().__init__(place, timeout=timeout)

    monkeypatch.setattr(http.client, "HTTPSConnection", Plain)
    monkeypatch.setattr(
        dashboard_client, "find", lambda name: dashboard_client.Dashboard(drip, ssl.create_default_context())
    )
    began = time.monotonic()
    with pytest.raises(dashboard_client.ClusterUnavailableError, match=r"takes too long|timed out"):
        dashboard_client.send("odd", {"verb": "datasets"}, limit_s=1.0)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("told", [{"problems": None}, {}, {"problems": "x"}, {"problems": [None, 7]}])
def test_an_answer_of_another_form_is_no_fault_of_whoever_adds_a_dataset(
    told: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_client, "clusters", lambda: ["odd"])
    monkeypatch.setattr(dashboard_client, "send", lambda name, words: json.loads(json.dumps(told)))
    assert dashboard_client.datasets_changed() == []
