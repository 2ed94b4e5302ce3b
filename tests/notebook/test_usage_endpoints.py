"""What a session's server answers about use and time, and what it tells the hub by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.support import panel_usage as usage
from tests.support.answering_hub import SESSION, TOKEN, AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.usefixtures("usage_known")]


def asked(session: RunningSession, path: str, method: str = "GET", body: Any = None) -> tuple[int, dict[str, Any]]:
    status, text = session.get(path, method=method, body=body)
    return status, json.loads(text)


def until_told(hub: AnsweringHub, verb: str) -> Any:
    """The body with which the session first asked for a verb."""
    return until(lambda: hub.told(verb), f"the hub is told {verb}", 60, every_s=0.05, seen=lambda: hub.usage_told)[0]


def test_the_hub_is_asked_once_for_all_tabs(session: RunningSession, hub: AnsweringHub) -> None:
    for _ in range(5):
        status, told = asked(session, "fabric/quota")
        assert status == 200
        assert told["quota"] == hub.usage["GET /quota"]
    assert told["ends_at"] == hub.usage["GET /quota"]["time"]["ends_at"]
    assert [verb for verb, _ in hub.usage_told].count("GET /quota") == 1


def test_a_silent_hub_is_a_sentence(session: RunningSession, hub: AnsweringHub) -> None:
    hub.silent = True
    status, told = asked(session, "fabric/quota")
    assert (status, told["quota"]) == (200, None)
    assert told["problem"] == "The hub is restarting."


def test_a_hub_that_falls_silent_takes_its_word_on_the_end_not_back(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    hub.usage = usage.answers()
    told = hub.usage["GET /quota"]["time"]["ends_at"]
    hub.session = SESSION | {"ends_at": told}
    later = {"SLURM_JOB_END_TIME": str(int(told) + 3600)}  # Slurm's for the job, whose reservation ends before
    with RunningSession(python, tmp_path, session_environment(hub.url, **later)) as running:
        session = running.announced_by(hub)
        assert asked(session, "fabric/quota")[1]["ends_at"] == told
        assert asked(session, "fabric/session")[1]["ends_at"] == told
        hub.silent = True

        def answers() -> list[bool]:
            return [bool(asked(session, "fabric/quota")[1]["quota"]), bool(asked(session, "fabric/session")[1]["hub"])]

        until(lambda: not any(answers()), "the answers are kept no longer", 90, every_s=0.5, seen=answers)
        assert asked(session, "fabric/quota")[1]["ends_at"] == told
        assert asked(session, "fabric/session")[1]["ends_at"] == told
        # it was started anew, and has not heard of Slurm yet
        hub.usage["GET /quota"]["time"]["ends_at"] = hub.session["ends_at"] = None
        hub.silent = False
        until(lambda: all(answers()), "the hub is asked again", 90, every_s=0.5, seen=answers)
        assert asked(session, "fabric/quota")[1]["ends_at"] == told
        assert asked(session, "fabric/session")[1]["ends_at"] == told


def test_an_idle_session_reports_itself_after_it_is_ready(session: RunningSession, hub: AnsweringHub) -> None:
    warned = {"text": "Nothing has run for 25 minutes.", "what": "Nothing runs", "quiet_since": 9.0, "stop_at": 99.0}
    hub.usage["POST /idle"] |= {"state": "warn", **warned}
    report = until_told(hub, "POST /idle")
    assert report["busy"] is False
    assert report["idle_s"] >= 0
    assert report["gpu_percent"] is None  # this session has a GPU of which nothing can be read
    idle = until(lambda: asked(session, "fabric/quota")[1]["idle"], "the panel hears of it")
    assert idle == {"state": "warn", **warned}
    hub.usage["POST /idle"]["state"] = "active"
    assert asked(session, "fabric/active", "POST", {})[1]["idle"]["state"] == "active"
    assert [body for verb, body in hub.usage_told if verb == "POST /idle"][-1]["idle_s"] < 5


def reported(hub: AnsweringHub) -> dict[str, Any]:
    """A report on a time that lies after this call: the next one looks back on what was before, too."""
    before = len(hub.told("POST /idle"))
    what, log = "two more reports", lambda: hub.usage_told
    until(lambda: len(hub.told("POST /idle")) >= before + 2, what, 60, every_s=0.05, seen=log)
    report: dict[str, Any] = hub.told("POST /idle")[before + 1]
    return report


@pytest.fixture
def kernel(session: RunningSession) -> Iterator[Kernel]:
    started = Kernel(session)
    yield started
    started.close()


def test_a_running_cell_is_reported_as_work_until_it_ends(
    session: RunningSession, hub: AnsweringHub, kernel: Kernel
) -> None:
    kernel.send("import time; print('at work', flush=True); time.sleep(3600)")
    kernel.until_printed("at work")
    for _ in range(2):
        report = reported(hub)
        assert report["busy"] is True
        assert report["idle_s"] < 1, "it is at work now, however long ago it began"
    kernel.interrupt()
    kernel.until("idle")
    report = reported(hub)
    assert report["busy"] is False
    assert report["idle_s"] >= 4, "it is counted from its end"


def test_a_task_on_a_cluster_is_reported_as_work_and_so_is_a_cluster_that_does_not_answer(
    session: RunningSession, hub: AnsweringHub, kernel: Kernel
) -> None:
    kernel.send(
        "import time\nfrom fabric_lab import DaskCluster\n"
        "cluster = DaskCluster(1, name='mine', threads_per_worker=1, memory_limit=0)\n"
        "client = cluster.get_client(); cluster.wait_for_workers(1, timeout=90)\n"
        "future = client.submit(time.sleep, 3600)\n"
        "while not any(client.processing().values()): time.sleep(0.1)\n"
        "print('trains', flush=True)"
    )
    kernel.until_printed("trains")
    kernel.until("idle")
    for _ in range(2):
        report = reported(hub)
        assert report["busy"] is True, "its session would be stopped, and the cluster with it"
        assert report["idle_s"] < 1
    kernel.send("future.cancel()\nwhile any(client.processing().values()): time.sleep(0.1)\nprint('over', flush=True)")
    kernel.until_printed("over")
    kernel.until("idle")
    assert reported(hub)["busy"] is False, "a cluster without work keeps no session"
    daemon = json.loads((session.private / "clusters" / "mine" / "cluster.json").read_text())["pid"]
    os.kill(daemon, signal.SIGSTOP)
    try:
        assert reported(hub)["busy"] is True
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert reported(hub)["busy"] is False
    session.get("fabric/clusters/mine", method="POST", body={"verb": "close"})


def test_asking_clusters_loads_nothing_of_distributed(python: Path, tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from fabric_lab.server import activity\n"
        "assert asyncio.run(activity.clusters_at_work()) is False\n"
        "assert not {'dask', 'distributed', 'dask_jobqueue'} & {*sys.modules}"
    )
    (tmp_path / "clusters").mkdir()
    environment = {"HOME": str(tmp_path), "FABRIC_SESSION_DIR": str(tmp_path), "PATH": "/nowhere"}
    done = subprocess.run([python, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_gpu_that_cannot_be_read_is_a_word_and_no_error(session: RunningSession) -> None:
    status, told = asked(session, "fabric/gpu")
    assert status == 200
    assert [(gpu["device"], gpu["percent"]) for gpu in told["gpus"]] == [("0", None)]
    assert told["gpus"][0]["problem"] == "GPU activity isn't available here."


def test_the_session_that_follows_is_asked_for_with_the_open_documents(
    session: RunningSession, hub: AnsweringHub
) -> None:
    status, told = asked(session, "fabric/continue", "POST", {"reopen": ["a.ipynb", "b/c.ipynb", 3, "../d", "/e"]})
    assert (status, told["state"]) == (200, "starting")
    assert ("POST /continue", {"reopen": ["a.ipynb", "b/c.ipynb"], "end_this": False}) in hub.usage_told
    assert asked(session, "fabric/continue")[1]["state"] == "ready"


def test_a_tab_that_is_there_at_once_hears_of_more_time_when_the_hub_knows_it(
    session: RunningSession, hub: AnsweringHub
) -> None:
    line = websocket.create_connection(
        f"ws://127.0.0.1:{session.port}/user/ann/api/events/subscribe",
        header={"Authorization": f"token {TOKEN}"},
        timeout=30,
    )
    try:
        before = asked(session, "fabric/quota")[1]["ends_at"]
        hub.usage["POST /extend"] |= {"ends_at": before + 3600}
        assert asked(session, "fabric/extend", "POST", {"minutes": 60})[0] == 200
        assert asked(session, "fabric/quota")[1]["ends_at"] == before, "the hub has not asked Slurm again yet"
        hub.usage["GET /quota"]["time"]["ends_at"] = before + 3600
        while json.loads(line.recv())["schema_id"] != "https://fabric-lab.example/session/v1":
            pass
        assert asked(session, "fabric/quota")[1]["ends_at"] == before + 3600
    finally:
        line.close()


def test_more_time_is_asked_for_and_a_refusal_is_the_hubs_own_words(session: RunningSession, hub: AnsweringHub) -> None:
    assert asked(session, "fabric/extend", "POST", {"minutes": 60})[0] == 200
    hub.usage["POST /extend"] = {"message": "Its reservation ends then.", "reason": "extend", "hint": "Continue it."}
    status, told = asked(session, "fabric/extend", "POST", {"minutes": 60})
    assert (status, told["message"]) == (403, "Its reservation ends then. Continue it.")


def test_slurms_signal_ends_nothing_and_is_told_to_the_tabs(session: RunningSession) -> None:
    assert asked(session, "fabric/quota")[1]["ending_since"] is None
    session.process.send_signal(signal.SIGUSR1)
    session.wait_for_line("Slurm ends this session in about two minutes")
    assert asked(session, "fabric/quota")[1]["ending_since"] == pytest.approx(time.time(), abs=60)
    assert session.process.poll() is None


def test_an_end_that_comes_nearer_without_a_signal_is_told_too(session: RunningSession, hub: AnsweringHub) -> None:
    """Slurm preempts a job after a time of grace: it moves the job's end, and the job hears nothing of it."""
    hub.session = {**hub.session, "ends_at": time.time() + 90}
    session.wait_for_line("This session ends in about")
    assert asked(session, "fabric/quota")[1]["ending_since"] == pytest.approx(time.time(), abs=60)
    assert session.process.poll() is None


def test_nobody_else_is_told(session: RunningSession) -> None:
    for path, method in (
        ("quota", "GET"),
        ("gpu", "GET"),
        ("extend", "POST"),
        ("continue", "POST"),
        ("active", "POST"),
    ):
        assert session.get(f"fabric/{path}", token="wrong", method=method, body=None if method == "GET" else {})[0] in (
            302, 403,
        )  # fmt: skip
