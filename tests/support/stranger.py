"""Somebody who listens where the hub is expected, with a certificate for the right name.

No HTTP server of the tests' (:mod:`tests.support.http_server`): it counts also those who leave before they have said
anything in HTTP, and keeps what was said as it came.
"""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Self


class Stranger:
    """``heard`` is what was said to it inside TLS, ``callers`` how many came, by whatever way they left."""

    def __init__(self, address: str, pair: tuple[Path, Path], port: int = 0) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*pair)
        self._listener = socket.create_server((address, port))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self.callers = 0
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)

    def until_called(self, times: int) -> None:
        """Wait until so many have come and gone."""
        with self._came:
            assert self._came.wait_for(lambda: self.callers >= times, 60), f"{self.callers} of {times} have called"

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            said = self._listen(plain)
            with self._came:
                self.heard += said
                self.callers += 1
                self._came.notify_all()

    def _listen(self, plain: socket.socket) -> bytes:
        plain.settimeout(10)
        try:
            with self._context.wrap_socket(plain, server_side=True) as client:
                said = client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                return said
        except OSError:
            return b""
        finally:
            plain.close()
