"""The launcher in the real image: what it announces, when, and what it leaves behind."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.certificates import Authority
from tests.support.running_session import RunningSession, session_environment
from tests.support.waiting import until

pytestmark = pytest.mark.image


def test_a_session_serves_before_it_announces_itself(session: RunningSession, hub: AnsweringHub) -> None:
    [announcement] = hub.announcements
    assert announcement.answered == 200
    assert announcement.authorization == f"token {TOKEN}"
    phases = announcement.body.pop("phases")
    assert list(phases) == ["imported", "bound", "ready"]
    assert 0 < phases["imported"] <= phases["bound"] <= phases["ready"] < 60
    assert announcement.body == {"port": session.port}


def test_jupyterhub_is_told_of_activity(session: RunningSession, hub: AnsweringHub) -> None:
    until(lambda: hub.activities > 0, "with the token, which is in no environment any more")


def test_after_the_start_no_file_and_no_log_line_holds_the_token(session: RunningSession) -> None:
    assert session.get("lab")[0] == 200
    assert not (session.private / "env.json").exists()
    for path in session.directory.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
    arguments = Path(f"/proc/{session.process.pid}/cmdline").read_bytes()
    assert TOKEN.encode() not in arguments
    assert TOKEN not in session.log


def test_a_file_that_others_can_read_is_refused_and_removed(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url), mode=0o644) as session:
        assert session.process.wait(30) == 1
        session.wait_for_line("was open to others (mode 0644, must be 0600)")
    assert not (session.private / "env.json").exists()
    assert not hub.announcements


def test_a_session_waits_for_a_hub_that_restarts(python: Path, tmp_path: Path) -> None:
    with AnsweringHub() as before:
        port = before.port
    with RunningSession(python, tmp_path, session_environment(before.url)) as session:
        session.wait_for_line("does not answer yet")
        with AnsweringHub(port=port, refusals=[(503, b""), (429, b""), (404, b"")]) as hub:
            session.announced_by(hub)
            assert hub.announcements[0].answered == 200


def test_a_final_refusal_ends_the_job_with_the_services_own_words(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    hub.refusals = [(403, json.dumps({"message": "This session is over.", "reason": "over", "hint": ""}).encode())]
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        assert session.process.wait(60) == 1
        session.wait_for_line("refused this session (HTTP 403): This session is over.")
    assert "Traceback" not in session.log
    assert TOKEN not in session.log


def test_a_job_that_was_too_late_runs_nothing_of_its_persons(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    """Of two sessions that wait for one place: the service says to the second one's script that it is over."""
    person, ran = tmp_path / "person", tmp_path / "ran"
    (person / ".jupyter").mkdir(parents=True)
    (person / ".jupyter" / "jupyter_server_config.py").write_text(f"open({str(ran)!r}, 'w')\n")
    environment = session_environment(hub.url, HOME=str(person), FABRIC_ASK_TO_BEGIN="1")
    over = {"message": "This session is over.", "reason": "session-over", "hint": ""}
    hub.usage = {"POST /begin": over}
    (tmp_path / "late").mkdir()
    with RunningSession(python, tmp_path / "late", environment) as late:
        late.wait_for_line("is over before it began (HTTP 403): This session is over.")
        assert late.process.wait(60) == 1
    assert not ran.exists()
    assert not hub.announcements

    hub.usage = {"POST /begin": {}}
    (tmp_path / "first").mkdir()
    with RunningSession(python, tmp_path / "first", environment) as first:
        first.announced_by(hub)
        assert ran.exists()
    assert hub.told("POST /begin") == [{}, {}], "each has asked once"


def test_sigterm_ends_server_and_kernels_quickly(session: RunningSession) -> None:
    status, text = session.get("api/kernels", method="POST", body={"name": "python3"})
    assert status == 201, text
    children = _children(session.process.pid)
    assert children
    started = time.monotonic()
    session.process.terminate()
    assert session.process.wait(60) == 0
    assert time.monotonic() - started < 25, "Slurm kills what has not ended after 30 s"
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def test_under_internal_tls_only_the_hubs_own_clients_get_in(python: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    files = authority.issue("session")
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.load_cert_chain(*authority.issue("proxy"))
    stranger = ssl.create_default_context(cafile=str(authority.certificate))

    def look(port: int) -> int | None:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/user/ann/api", context=client, timeout=60) as response:
            return int(response.status)

    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*authority.issue("public"))
    with AnsweringHub(tls=serving, look=look) as hub:
        environment = session_environment(
            hub.url,
            JUPYTERHUB_SSL_CERTFILE="ssl.crt",
            JUPYTERHUB_SSL_KEYFILE="ssl.key",
            JUPYTERHUB_SSL_CLIENT_CA="ssl-ca.crt",
            FABRIC_CA_FILE="ssl-ca.crt",
        )
        (tmp_path / "run").mkdir()
        placed = {"ssl.crt": files[0], "ssl.key": files[1], "ssl-ca.crt": authority.certificate}
        with RunningSession(python, tmp_path / "run", environment, files=placed) as session:
            session.announced_by(hub)
            assert hub.announcements[0].answered == 200
            with pytest.raises((OSError, urllib.error.URLError)):
                urllib.request.urlopen(f"https://127.0.0.1:{session.port}/user/ann/api", context=stranger, timeout=60)


def test_as_a_child_of_the_hub_it_serves_where_it_is_told(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/user/ann/"
    environment = session_environment(hub.url, JUPYTERHUB_SERVICE_URL=url, HOME=str(tmp_path), PATH=os.defpath)
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(python), "-I", "-m", "fabric_lab.launch"],
            env=environment,
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return '"ready"' in log.read_text()

        until(ready, "the server is ready", 60, seen=log.read_text)
        with urllib.request.urlopen(url + "api", timeout=60) as response:
            assert response.status == 200
        assert not hub.announcements
    finally:
        process.terminate()
        process.wait(60)


def test_the_server_loads_nothing_that_only_a_hub_needs(python: Path) -> None:
    """The cuts of docs/start-up.md are in force; a release that they do not fit shows here."""
    code = """
import sys, warnings
from fabric_lab.launch import fast_import
fast_import.import_server(); fast_import.import_lab()
from fabric_lab.launch import session_server
heavy = "sqlalchemy alembic rfc3987_syntax IPython jupyterhub.orm jupyterhub.singleuser.app aiohttp jupyterhub.handlers"
print([name for name in heavy.split() if name in sys.modules])
"""
    environment = {"PATH": os.defpath, "HOME": "/nonexistent"}
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
