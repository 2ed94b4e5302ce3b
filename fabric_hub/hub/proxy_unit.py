"""The proxy in a unit of its own: whoever uses a session does not notice that the hub starts again.

``python -m fabric_hub.hub.proxy_unit STATE_DIR`` is what fabric-proxy.service runs, as the hub's account. It holds the
port that people open, runs configurable-http-proxy as the hub has last ordered it, and starts it again when it ends.
The hub gives its order (:class:`Order`) over a Unix socket in its private directory; one that is like the order before
changes nothing, so that a hub which starts again finds the proxy, its connections and its routes as it left them. The
order is also kept in a file that only the hub's account reads (it holds the token of the proxy's API), so that the
proxy starts before the hub does.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.logs import lines
from fabric_hub.messages.logs import gives_up, with_codes
from fabric_hub.messages.texts import startup
from fabric_hub.rpc import systemd

from . import held_ports, private_files
from .with_parent import with_parent

log = logging.getLogger("fabric_hub.proxy")

SOCKET, ORDER = "proxy-unit.sock", "proxy-order.json"
LOG_FORMAT = "FABRIC_LOG_FORMAT"  # in an order's environment
_LARGEST = 256 * 1024  # bytes of an order: a command line and a few variables
_PATIENCE_S = 10.0  # for the other side's bytes
_LOOK_S = 2.0  # the hub waits so long for which proxy runs
_PAUSE_S = 1.0  # before a proxy that has ended is started again
_STOP_S = 10.0  # for a proxy to end before it is killed


@dataclass(frozen=True)
class Order:
    """How the proxy is to run.

    :ivar argv: its command.
    :ivar environment: what is added to this unit's own environment.
    :ivar address: where it listens; ``""`` or ``*`` is every address.
    :ivar port: likewise.
    :ivar api: the Unix socket of its API. What a proxy that was killed has left there is removed.
    """

    argv: tuple[str, ...]
    environment: dict[str, str]
    address: str
    port: int
    api: str

    @classmethod
    def read(cls, text: bytes) -> Order:
        """An order from its JSON.

        :raises ValueError: it is none.
        """
        told = json.loads(text)
        if not isinstance(told, dict) or set(told) != {"argv", "environment", "address", "port", "api"}:
            raise ValueError("not an order")
        argv, environment = told["argv"], told["environment"]
        if not isinstance(argv, list) or not argv or not isinstance(environment, dict):
            raise ValueError("an order without a command")
        if not all(
            isinstance(each, str) for each in (*argv, *environment, *environment.values(), told["address"], told["api"])
        ):
            raise ValueError("an order whose command is no text")
        if not isinstance(told["port"], int):
            raise ValueError("an order without a port")
        return cls(tuple(argv), environment, told["address"], told["port"], told["api"])

    def json(self) -> bytes:
        """What :meth:`read` takes."""
        return json.dumps(asdict(self)).encode()


def ask(directory: Path, order: Order | None = None) -> int:
    """Give the unit an order, or ask only which proxy runs; for the hub.

    :param directory: the hub's private one (``hub.socket_dir``).
    :returns: the proxy's process number; 0 where none runs at this moment.
    :raises FabricError: the unit does not answer, or cannot do what the order says.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE_S + _STOP_S if order else _LOOK_S)
            line.connect(str(directory / SOCKET))
            line.sendall(order.json() if order else b"")
            line.shutdown(socket.SHUT_WR)
            answer = json.loads(_whole(line))
    except (OSError, ValueError) as error:
        raise FabricError(startup.PROXY_UNIT_SILENT(path=str(directory / SOCKET), why=str(error))) from error
    if problem := answer.get("problem"):
        raise FabricError(startup.PROXY_UNIT_REFUSES(why=problem))
    return int(answer["pid"])


def _whole(line: socket.socket) -> bytes:
    found = bytearray()
    while part := line.recv(65536):
        found += part
        if len(found) > _LARGEST:
            raise ValueError("more than an order is long")
    return bytes(found)


class ProxyUnit:
    """Runs one proxy, by the last order.

    :param state_dir: the hub's state directory.
    :raises FabricError: its private directory is not ours.
    """

    def __init__(self, state_dir: Path) -> None:
        self._kept = state_dir / ORDER
        run = state_dir / "run"
        private_files.private_directory(run)
        path = run / SOCKET
        path.unlink(missing_ok=True)
        self._line = socket.socket(socket.AF_UNIX)
        self._line.bind(str(path))
        self._line.listen(16)
        self._order: Order | None = None
        self._listening: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0
        self._ended = False
        self._wakes, self._wake = socket.socketpair()
        for end in (self._wakes, self._wake):
            end.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        signal.set_wakeup_fd(self._wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        with suppress(FileNotFoundError):
            try:
                self._take(Order.read(self._kept.read_bytes()))
            except (ValueError, FabricError, OSError) as error:
                log.warning("The kept order is of no use (%s): the hub gives a new one at its next start.", error)
        systemd.ready()
        with selectors.DefaultSelector() as selector:
            selector.register(self._line, selectors.EVENT_READ)
            selector.register(self._wakes, selectors.EVENT_READ)
            while not self._ended:
                for key, _ in selector.select(self._pause()):
                    if key.fileobj is self._line:
                        self._serve()
                    else:
                        with suppress(BlockingIOError):
                            self._wakes.recv(4096)
                self._keep_running()
        self._stop()

    def _end(self, *_: object) -> None:
        self._ended = True

    def _pause(self) -> float | None:
        """Seconds until there is something to do without being told; None: never."""
        waiting = self._order is not None and self._process is None
        return max(0.0, self._not_before - time.monotonic()) if waiting else None

    def _serve(self) -> None:
        line, _ = self._line.accept()
        with line:
            line.settimeout(_PATIENCE_S)
            try:
                if asked := _whole(line):
                    self._take(Order.read(asked))
                answer: dict[str, object] = {"pid": self._process.pid if self._process else 0}
            except (ValueError, FabricError, OSError) as error:
                answer = {"problem": str(error)}
            with suppress(OSError):
                line.sendall(json.dumps(answer).encode())

    def _take(self, order: Order) -> None:
        """Follow an order; one that is like the present one changes nothing.

        :raises FabricError: no held socket is at its address, and its port is not to be had.
        """
        if order == self._order and self._process:
            return
        try:
            listening = held_ports.listen(order.address, order.port)
        except OSError as error:
            raise FabricError(
                startup.CANNOT_LISTEN(address=f"{order.address or '*'}:{order.port}", why=error.strerror or "")
            ) from error
        self._stop()
        if self._listening:
            self._listening.close()
        self._listening, self._order = listening, order
        private_files.write(self._kept, order.json())
        self._start()

    def _start(self) -> None:
        assert self._order
        assert self._listening
        lines.configure("proxy", self._order.environment.get(LOG_FORMAT) == "json")
        Path(self._order.api).unlink(missing_ok=True)
        held = json.dumps([self._listening.fileno(), self._order.port, _as_proxy_says(self._order.address)])
        self._process = subprocess.Popen(
            with_parent(self._order.argv, os.getpid()),
            env={**os.environ, **self._order.environment, "FABRIC_HELD_PORT": held},
            pass_fds=(self._listening.fileno(),),
            start_new_session=True,
            umask=0o077,
        )
        self._not_before = time.monotonic() + _PAUSE_S
        log.info("The proxy runs as process %d.", self._process.pid)

    def _keep_running(self) -> None:
        if self._process and (status := self._process.poll()) is not None:
            log.warning("The proxy ended with status %d and is started again.", status)
            self._process = None
        if self._order and not self._process and not self._ended and time.monotonic() >= self._not_before:
            self._start()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _as_proxy_says(address: str) -> str:
    return "" if address == "*" else address


def main(arguments: Sequence[str]) -> None:
    """Run the unit for the state directory that is named."""
    lines.configure("proxy")  # as the hub wants it, once it has said so
    with_codes()
    (state_dir,) = arguments
    try:
        held_ports.receive_any()
        unit = ProxyUnit(Path(state_dir))
    except FabricError as error:
        raise SystemExit(f"fabric-proxy: {gives_up(error)}") from error
    unit.run()


if __name__ == "__main__":
    main(sys.argv[1:])
