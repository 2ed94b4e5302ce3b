"""The service's web server ends as whoever stops it expects."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from tests.support.waiting import until

PROGRAM = """
import sys

from fastapi import FastAPI

from fabric_hub.service.web_server import serve

serve(FastAPI(), fd=int(sys.argv[1]))
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_service_that_is_asked_to_stop_says_nothing(sent: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd = listening.fileno()
        argv = [sys.executable, "-c", PROGRAM, str(fd)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[fd]) as process:

            def answers() -> bool:
                with socket.create_connection(listening.getsockname(), 60) as line:
                    line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    return line.recv(1) == b"H"

            until(answers, "it answers", 60)
            process.send_signal(sent)
            assert process.stdout
            said = process.stdout.read().decode()
    assert "Traceback" not in said
    assert process.returncode in (0, -sent)
