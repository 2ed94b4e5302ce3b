"""The service's web server ends as whoever stops it expects."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import subprocess
import sys

import pytest

from fabric_hub.service.web_server import Lingering
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


class Unread(asyncio.Protocol):
    """Takes a connection and never reads it, so that its reset is not seen either."""

    def __init__(self) -> None:
        self.made = asyncio.get_running_loop().create_future()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self.made.set_result(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


def test_the_end_of_a_connection_that_the_other_end_reset_is_no_error() -> None:
    async def ended() -> None:
        taken = Unread()
        server = await asyncio.get_running_loop().create_server(lambda: taken, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            transport = await taken.made
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by RST
        with pytest.raises(OSError, match="not connected"):
            transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
        Lingering(transport).close()
        await asyncio.wait_for(taken.lost, 60)
        server.close()

    asyncio.run(ended())
